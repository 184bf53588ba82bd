/* SPDX-License-Identifier: ISC */
/*
 * All connections, by phase and by address.  In one phase all have the same
 * time, so whoever came into it first is the first whose time is over: no
 * step but counting depends on how many there are, and that only on how
 * many one address may have.
 *
 * Time is counted for a phase as a whole and not from one byte to the next:
 * a client that sends a byte now and then is no better than a silent one.
 */
#include "cmd/portal_http.h"

#include <arpa/inet.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "edge/log.h"

#define BUCKETS		4096u
#define TELL		60000	/* milliseconds between two lines of a kind */
#define SEND_BUFFER	(128 << 10)	/* of the kernel, for a connection */

TAILQ_HEAD(queue, portal_peer);
LIST_HEAD(bucket, portal_peer);

/* What bytes are held for, and what of them one address may have. */
enum pool { POOL_BODIES, POOL_WAITING, POOL_ANSWERS, POOLS };

static const size_t most_of[POOLS] = {
	[POOL_BODIES] = PORTAL_BODIES_MAX,
	[POOL_WAITING] = PORTAL_BODIES_WAITING,
	[POOL_ANSWERS] = PORTAL_ANSWERS_MAX
};
static const size_t share_of[POOLS] = {
	[POOL_BODIES] = PORTAL_BODIES_ADDRESS,
	[POOL_WAITING] = PORTAL_BODIES_WAITING,
	[POOL_ANSWERS] = PORTAL_ANSWERS_ADDRESS
};

struct portal_peers {
	struct queue phases[PORTAL_PHASES];
	size_t counts[PORTAL_PHASES];
	struct bucket buckets[BUCKETS];
	uint8_t seed[crypto_shorthash_KEYBYTES];
	unsigned per_address;
	const char *proxy;
	size_t held[POOLS];		/* bytes */
	int64_t told[PORTAL_SHORTAGES];
};

static const int64_t time_of[PORTAL_PHASES] = {
	[PORTAL_HEAD] = PORTAL_HEAD_MS,
	[PORTAL_BODY] = PORTAL_BODY_MS,
	[PORTAL_ANSWER] = PORTAL_ANSWER_MS,
	[PORTAL_WAITING] = -1,
	[PORTAL_ENDED] = -1
};

int
portal_peers_new(unsigned per_address, const char *proxy,
    struct portal_peers **ret_peers, struct mk_why *why)
{
	struct portal_peers *peers = calloc(1, sizeof(*peers));
	size_t i;

	if (peers == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < PORTAL_PHASES; i++)
		TAILQ_INIT(&peers->phases[i]);
	randombytes_buf(peers->seed, sizeof(peers->seed));
	peers->per_address = per_address;
	peers->proxy = proxy;
	*ret_peers = peers;
	return 0;
}

void
portal_peers_free(struct portal_peers *peers)
{
	free(peers);
}

/* A site with IPv6 has 2^64 addresses, and they are one. */
static void
key_of(const struct sockaddr *sa, uint8_t key[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct in6_addr *a6;

	memset(key, 0, 16);
	if (sa->sa_family == AF_INET) {
		memcpy(key, mapped, sizeof(mapped));
		memcpy(key + 12, &((const struct sockaddr_in *)sa)->sin_addr,
		    4);
	} else if (sa->sa_family == AF_INET6) {
		a6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;
		memcpy(key, a6->s6_addr,
		    IN6_IS_ADDR_V4MAPPED(a6) ? 16 : 8);
	}
}

static size_t
bucket_of(const struct portal_peers *peers, const uint8_t key[16])
{
	uint64_t hash;

	(void)crypto_shorthash((uint8_t *)&hash, key, 16, peers->seed);
	return hash % BUCKETS;
}

static bool
is_proxy(const struct portal_peers *peers, const char *ip)
{
	return peers->proxy != NULL && strcmp(peers->proxy, ip) == 0;
}

bool
portal_peers_may_come(const struct portal_peers *peers,
    const struct sockaddr *sa)
{
	const struct portal_peer *peer;
	char ip[PORTAL_IP_TEXT];
	uint8_t key[16];
	unsigned n = 0;

	portal_ip_text(sa, ip);
	if (is_proxy(peers, ip))
		return true;
	key_of(sa, key);
	LIST_FOREACH(peer, &peers->buckets[bucket_of(peers, key)],
	    in_bucket) {
		if (memcmp(peer->key, key, sizeof(key)) == 0)
			n++;
	}
	return n < peers->per_address;
}

static void
link_peer(struct portal_peers *peers, struct portal_peer *peer,
    const struct sockaddr *sa)
{
	key_of(sa, peer->key);
	LIST_INSERT_HEAD(&peers->buckets[bucket_of(peers, peer->key)], peer,
	    in_bucket);
}

void
portal_peers_speak(struct portal_peers *peers, struct portal_peer *peer,
    const char *ip)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *sa = (const struct sockaddr *)&sin6;

	peer->known = ip != NULL;
	if (ip == NULL)
		return;
	if (inet_pton(AF_INET, ip, &sin.sin_addr) == 1)
		sa = (const struct sockaddr *)&sin;
	else
		(void)inet_pton(AF_INET6, ip, &sin6.sin6_addr);
	LIST_REMOVE(peer, in_bucket);
	link_peer(peers, peer, sa);
}

static void
into(struct portal_peers *peers, struct portal_peer *peer,
    enum portal_phase phase, int64_t now)
{
	peer->phase = phase;
	peer->until = now + time_of[phase];
	TAILQ_INSERT_TAIL(&peers->phases[phase], peer, in_phase);
	peers->counts[phase]++;
}

static void
out_of(struct portal_peers *peers, struct portal_peer *peer)
{
	TAILQ_REMOVE(&peers->phases[peer->phase], peer, in_phase);
	peers->counts[peer->phase]--;
}

void
portal_peers_add(struct portal_peers *peers, struct portal_peer *peer,
    const struct sockaddr *sa, int64_t now)
{
	const int room = SEND_BUFFER;

	/* Who takes nothing is not to fill the kernel's memory either. */
	(void)setsockopt(peer->fd, SOL_SOCKET, SO_SNDBUF, &room,
	    sizeof(room));
	portal_ip_text(sa, peer->ip);
	peer->proxy = is_proxy(peers, peer->ip);
	link_peer(peers, peer, sa);
	into(peers, peer, PORTAL_HEAD, now);
}

void
portal_peers_remove(struct portal_peers *peers, struct portal_peer *peer)
{
	(void)portal_peers_hold(peers, peer, 0);
	LIST_REMOVE(peer, in_bucket);
	out_of(peers, peer);
}

static enum pool
pool_of(enum portal_phase phase)
{
	switch (phase) {
	case PORTAL_WAITING:
		return POOL_WAITING;
	case PORTAL_ANSWER:
		return POOL_ANSWERS;
	default:
		return POOL_BODIES;
	}
}

void
portal_peers_enter(struct portal_peers *peers, struct portal_peer *peer,
    enum portal_phase phase, int64_t now)
{
	peers->held[pool_of(peer->phase)] -= peer->held;
	peers->held[pool_of(phase)] += peer->held;
	out_of(peers, peer);
	into(peers, peer, phase, now);
}

size_t
portal_peers_count(const struct portal_peers *peers, enum portal_phase phase)
{
	return peers->counts[phase];
}

/* What others from there hold of a pool, and how many do. */
static size_t
held_by_others(const struct portal_peers *peers,
    const struct portal_peer *peer, enum pool pool, unsigned *ret_n)
{
	const struct portal_peer *other;
	size_t held = 0;
	unsigned n = 0;

	LIST_FOREACH(other, &peers->buckets[bucket_of(peers, peer->key)],
	    in_bucket) {
		if (other == peer || pool_of(other->phase) != pool ||
		    memcmp(other->key, peer->key, sizeof(peer->key)) != 0)
			continue;
		held += other->held;
		n++;
	}
	*ret_n = n;
	return held;
}

/* Behind a proxy that does not tell, everybody would be one. */
static bool
is_counted(const struct portal_peer *peer)
{
	return !peer->proxy || peer->known;
}

bool
portal_peers_hold(struct portal_peers *peers, struct portal_peer *peer,
    size_t bytes)
{
	enum pool pool = pool_of(peer->phase);
	size_t others = peers->held[pool] - peer->held;
	unsigned n;

	/* One address does not take the room of all others. */
	if (bytes > peer->held && (others + bytes > most_of[pool] ||
	    (is_counted(peer) && held_by_others(peers, peer, pool, &n) +
	    bytes > share_of[pool])))
		return false;
	peers->held[pool] = others + bytes;
	peer->held = bytes;
	return true;
}

bool
portal_peers_may_wait(const struct portal_peers *peers,
    const struct portal_peer *peer)
{
	unsigned n = 0;

	if (is_counted(peer))
		(void)held_by_others(peers, peer, POOL_WAITING, &n);
	return n < peers->per_address && peers->held[POOL_WAITING] +
	    peer->held <= PORTAL_BODIES_WAITING;
}

/* The library sees it end, and takes it away. */
static void
end(struct portal_peers *peers, struct portal_peer *peer, int64_t now)
{
	(void)shutdown(peer->fd, SHUT_RDWR);
	portal_peers_enter(peers, peer, PORTAL_ENDED, now);
}

int64_t
portal_peers_tick(struct portal_peers *peers, int64_t now)
{
	struct portal_peer *peer;
	int64_t next = -1;
	size_t i;

	for (i = 0; i < PORTAL_PHASES; i++) {
		if (time_of[i] < 0)
			continue;
		while ((peer = TAILQ_FIRST(&peers->phases[i])) != NULL &&
		    peer->until <= now)
			end(peers, peer, now);
		if (peer != NULL && (next == -1 || peer->until - now < next))
			next = peer->until - now;
	}
	return next;
}

void
portal_peers_end(struct portal_peers *peers, enum portal_phase phase)
{
	struct portal_peer *peer;

	if (phase == PORTAL_ENDED)
		return;
	while ((peer = TAILQ_FIRST(&peers->phases[phase])) != NULL)
		end(peers, peer, 0);
}

void
portal_peers_tell(struct portal_peers *peers, enum portal_shortage what,
    const char *ip, int64_t now)
{
	static const char *const words[PORTAL_SHORTAGES] = {
		[PORTAL_TOO_MANY_CAME] = "too many connections from one "
		    "address",
		[PORTAL_TOO_MANY_BYTES] = "too many bytes of requests under "
		    "way",
		[PORTAL_TOO_MANY_ANSWERS] = "too many bytes of answers "
		    "that nobody takes",
		[PORTAL_TOO_MANY_WAIT] = "too many requests wait for changes"
	};

	if (peers->told[what] > now)
		return;
	peers->told[what] = now + TELL;
	mk_log(LOG_NOTICE, "limit: %s: '%s'; event=portal.limit", words[what],
	    ip);
}
