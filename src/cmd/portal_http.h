/* SPDX-License-Identifier: ISC */
/*
 * What portal_http.c needs besides its library: addresses, the bounds on
 * connections, and the header fields that mean something here.
 */
#ifndef MK_CMD_PORTAL_HTTP_H
#define MK_CMD_PORTAL_HTTP_H

#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_bytes;
struct mk_why;
struct portal_reply;

/*
 * portal_address.c
 */
#define PORTAL_IP_TEXT		INET6_ADDRSTRLEN
#define PORTAL_ADDRESS_TEXT	(INET6_ADDRSTRLEN + 8)	/* "[IP]:PORT" */

struct portal_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* "127.0.0.1:8443", "[::1]:0": a number, no name.  MK_E_USAGE. */
int	portal_address_parse(const char *s, struct portal_address *ret_address,
	    struct mk_why *why);
bool	portal_address_is_loopback(const struct portal_address *address);
bool	portal_address_is_any(const struct portal_address *address);
/* As it is parsed. */
void	portal_address_text(const struct portal_address *address,
	    char out[PORTAL_ADDRESS_TEXT]);

/* A socket that listens there, or where a given one does.  MK_E_SYSTEM. */
int	portal_address_listen(const struct portal_address *address,
	    int *ret_fd, struct mk_why *why);
int	portal_address_of(int fd, struct portal_address *ret_address,
	    struct mk_why *why);

/* The IP address alone; one of IPv4 inside of IPv6 as of IPv4. */
void	portal_ip_text(const struct sockaddr *sa, char out[PORTAL_IP_TEXT]);
/* An IP address in its one form; false: it is none. */
bool	portal_ip_parse(const char *s, size_t n, char out[PORTAL_IP_TEXT]);

/*
 * portal_fields.c: values of header fields.
 */
/* Content-Type: application/json, in UTF-8 if it says in what. */
bool	portal_field_json(const char *value);
/* One If-None-Match: whether it names the tag, weak or not, or is "*". */
bool	portal_field_names(const char *value, const char *etag);
/* X-Forwarded-For: the last element, which the proxy itself has added. */
bool	portal_field_last_ip(const char *value, char out[PORTAL_IP_TEXT]);

/* What the head of a request says of it. */
struct portal_head {
	const char *method;
	const char *path;		/* behind the prefix; NULL: another */
	const char *type;		/* Content-Type, or NULL */
	uint64_t len;			/* as announced, or 0 */
	bool has_body, is_encoded;
};

/* 0, or the status with which it is refused. */
int	portal_head_judge(const struct portal_head *head);
/* The answer to one that is refused so, before any transaction is known. */
void	portal_head_refuse(int status, struct portal_reply *ret_reply);

/*
 * portal_peers.c: a connection is at each time in one phase, and ends with
 * the time that it has for it.  Counted by address, an IPv6 one by its /64.
 */
enum portal_phase {
	PORTAL_HEAD,		/* idle, or the head of a request comes */
	PORTAL_BODY,		/* a request is under way */
	PORTAL_ANSWER,		/* an answer is */
	PORTAL_WAITING,		/* ends by itself, see portal_wait.c */
	PORTAL_ENDED,		/* was shut down */
	PORTAL_PHASES
};

#define PORTAL_HEAD_MS		30000
#define PORTAL_BODY_MS		60000
#define PORTAL_ANSWER_MS	120000

/*
 * Bytes of bodies: under way, of them of one address, and of who waits; and
 * of answers that are being taken, of which a small one is never refused.
 */
#define PORTAL_BODIES_MAX	(64u << 20)
#define PORTAL_BODIES_ADDRESS	(16u << 20)
#define PORTAL_BODIES_WAITING	(192u << 20)
#define PORTAL_ANSWERS_MAX	(128u << 20)
#define PORTAL_ANSWERS_ADDRESS	(16u << 20)
#define PORTAL_ANSWER_SMALL	(32u << 10)

struct portal_peers;

struct portal_peer {
	TAILQ_ENTRY(portal_peer) in_phase;
	LIST_ENTRY(portal_peer) in_bucket;
	enum portal_phase phase;
	int64_t until;			/* milliseconds */
	int fd;				/* not ours: only shut down */
	bool proxy;			/* speaks for many others */
	bool known;			/* it has said for whom */
	uint8_t key[16];		/* whom it counts for */
	char ip[PORTAL_IP_TEXT];
	size_t held;			/* bytes of its body or answer */
};

/* 'proxy' is exempt from what is counted by address; it may be NULL. */
int	portal_peers_new(unsigned per_address, const char *proxy,
	    struct portal_peers **ret_peers, struct mk_why *why);
void	portal_peers_free(struct portal_peers *peers);

/* Whether one more connection may come from there. */
bool	portal_peers_may_come(const struct portal_peers *peers,
	    const struct sockaddr *sa);
/* Fills in the peer, whose 'fd' is set: it is in PORTAL_HEAD. */
void	portal_peers_add(struct portal_peers *peers, struct portal_peer *peer,
	    const struct sockaddr *sa, int64_t now);
void	portal_peers_remove(struct portal_peers *peers,
	    struct portal_peer *peer);
/* The request that a proxy's connection is at counts for that client; NULL:
   for nobody that is known. */
void	portal_peers_speak(struct portal_peers *peers,
	    struct portal_peer *peer, const char *ip);

void	portal_peers_enter(struct portal_peers *peers,
	    struct portal_peer *peer, enum portal_phase phase, int64_t now);
size_t	portal_peers_count(const struct portal_peers *peers,
	    enum portal_phase phase);

/* Whether it may hold a body, or an answer, of so many bytes, and whether it
   may go on to hold it in PORTAL_WAITING. */
bool	portal_peers_hold(struct portal_peers *peers,
	    struct portal_peer *peer, size_t bytes);
bool	portal_peers_may_wait(const struct portal_peers *peers,
	    const struct portal_peer *peer);

/* Shuts down whose time is over; milliseconds to the next one, or -1. */
int64_t	portal_peers_tick(struct portal_peers *peers, int64_t now);
/* Shuts down all in a phase. */
void	portal_peers_end(struct portal_peers *peers, enum portal_phase phase);

/* A line of the log, of each kind one a minute: strangers decide how often
   it is so. */
enum portal_shortage {
	PORTAL_TOO_MANY_CAME,
	PORTAL_TOO_MANY_BYTES,
	PORTAL_TOO_MANY_ANSWERS,
	PORTAL_TOO_MANY_WAIT,
	PORTAL_SHORTAGES
};

void	portal_peers_tell(struct portal_peers *peers,
	    enum portal_shortage what, const char *ip, int64_t now);

/*
 * portal_body.c
 */
struct portal_body {
	uint8_t *data;
	size_t len, size;
};

/* 0, or the status: too large, or too many of them. */
int	portal_body_add(struct portal_body *body,
	    const struct mk_bytes *bytes, struct portal_peers *peers,
	    struct portal_peer *peer);
/* Keeps no more room than is used, or nothing. */
void	portal_body_shrink(struct portal_body *body,
	    struct portal_peers *peers, struct portal_peer *peer);
void	portal_body_forget(struct portal_body *body,
	    struct portal_peers *peers, struct portal_peer *peer);

#endif
