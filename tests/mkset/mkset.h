/* SPDX-License-Identifier: ISC */
/*
 * mkset writes profile sets for the tests: right ones, and ones that are
 * wrong in exactly one way.  All keys follow from a seed, so that the same
 * arguments give the same bytes.  Being a tool of the tests it ends at the
 * first error; what it allocates lives in one arena.
 *
 * Keys are named by roles: "master", "online0", "device0", "ssh0" and
 * whatever else a test makes up.  Signed parts are named by levels:
 * "master", "device:NAME", "ssh", "personal", and those of requests
 * "connection", "result", "request".
 */
#ifndef TESTS_MKSET_H
#define TESTS_MKSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/ed25519.h"
#include "core/envelope.h"
#include "core/profile.h"
#include "core/timestamp.h"

#define MS_TEXT_MAX	(512u << 20)

struct ms_rsa;

/* A key pair; which kind follows from the generation of the set. */
struct ms_key {
	struct ms_key *next;
	const char *role;
	struct mk_pubkey pub;
	uint8_t sk[MK_ED25519_SECRET];	/* zeros where only the point is */
	uint8_t scalar[32];		/* of the point without its torsion */
	bool forge;			/* signing needs more than sk */
	struct ms_rsa *rsa;
};

struct ms_device {
	struct ms_device *next;
	const char *name;
	const char *role;
	struct mk_text description;	/* of the SSHProfile */
	struct mk_text about;		/* of the DeviceProfile */
	unsigned n_keys;
	bool dropped, host, openssh, proof;
};

/* One SSH key, or one host. */
struct ms_enrolled {
	struct ms_enrolled *next;
	struct ms_device *device;
	const char *file;		/* NULL: the key of a role */
	const char *role;
};

struct ms_edit {
	struct ms_edit *next;
	const char *level;
	const char *old, *new;		/* as typed */
	bool all, used;
};

/* What is done to one level, or a role that stands for another. */
struct ms_pair {
	struct ms_pair *next;
	const char *name;
	const char *value;
};

struct ms_set {
	struct mk_arena arena;
	const char *seed;
	enum mk_generation gen;
	bool b1;			/* SSHProfile of May 2017 */
	int64_t now, updated, master_updated, expires;
	struct ms_device *devices;
	struct ms_enrolled *enrolled;
	unsigned online, signer, ssh_signer, made_deleted, made_previous;
	struct ms_pair *deleted;	/* names of devices */
	struct ms_pair *previous;	/* files */
	bool no_ssh;			/* P has no entry */
	bool other_master;		/* than the one asked for */
	bool lost_ssh, twice_ssh, twice_personal, replayed_ssh;
	struct ms_edit *edits;
	struct ms_pair *aliases;	/* role, role */
	struct ms_pair *signers;	/* level, role: kid and key */
	struct ms_pair *hands;		/* level, role: the key alone */
	struct ms_pair *tampers;	/* level, name */
	struct ms_key *keys;
	const char *out, *private, *seen, *offer;
	struct ms_pair *prints;
	struct ms_pair *dumps;		/* level, "" until it is shown */
	struct ms_pair *asks;		/* options of a request, argument */
};

/* What came out. */
struct ms_result {
	struct mk_text set;
	struct mk_text master, personal, ssh;	/* payloads */
	const struct mk_udf *deleted;
	size_t n_deleted;
};

/* A part, signed, and how it stands in the set. */
struct ms_sealed {
	struct mk_envelope env;
	struct mk_text text;
};

/* What is to be signed. */
struct ms_job {
	const char *level;
	const char *id;
	struct mk_text payload;
	const char *role;
	unsigned depth;			/* 2016/2017: of the indentation */
};

/* util.c: ends the program; memory; files. */
void	ms_die(const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
void	*ms_alloc(struct ms_set *set, size_t n, size_t size);
char	*ms_printf(struct ms_set *set, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
struct mk_text ms_text(const char *s);
struct mk_text ms_done(struct ms_set *set, struct mk_buf *b);
void	ms_pair_add(struct ms_set *set, struct ms_pair **list,
	    const char *name, const char *value);
const char *ms_pair_get(const struct ms_pair *list, const char *name);
struct mk_text ms_file_read(struct ms_set *set, const char *path);
void	ms_file_write(const char *path, struct mk_text text, unsigned mode);
int64_t	ms_time(const struct ms_set *set, const char *s);
unsigned ms_number(const char *s);

/* text.c: edits, escapes. */
void	ms_edit_add(struct ms_set *set, const char *arg);
void	ms_edit_apply(struct ms_set *set, const char *level,
	    const char *part, struct mk_text *text);
void	ms_edit_check(const struct ms_set *set);
struct mk_text ms_unescape(struct ms_set *set, const char *s);
struct mk_text ms_replace(struct ms_set *set, struct mk_text text,
	    struct mk_text old, struct mk_text new, bool all);

/* macro.c: @NAME(...)@ in edits. */
const char *ms_expand(struct ms_set *set, const char *s);

/* keys.c and rsa.c */
const struct ms_key *ms_key(struct ms_set *set, const char *role);
const struct ms_key *ms_key_unaliased(struct ms_set *set, const char *role);
void	ms_hash(const struct ms_set *set, const char *role, uint8_t out[64]);
struct mk_udf ms_random_udf(const struct ms_set *set, const char *role);
void	ms_rsa_make(struct ms_set *set, struct ms_key *key);
void	ms_rsa_release(const struct ms_key *keys);
void	ms_rsa_sign(const struct ms_key *key, struct mk_text msg,
	    struct mk_buf *out);
void	ms_rsa_private(const struct ms_key *key, struct mk_buf *out);

/* sign.c: right and wrong signatures. */
bool	ms_sign_is_way(const char *way);
void	ms_sign(const struct ms_key *key, struct mk_text msg,
	    const char *way, struct mk_buf *out);

/* seal.c */
void	ms_seal(struct ms_set *set, const struct ms_job *job,
	    struct ms_sealed *ret_sealed);

/* breaks.c */
void	ms_break(struct ms_set *set, const char *arg);
void	ms_breaks_list(void);
void	ms_break_protected(struct ms_set *set, const char *level,
	    struct mk_text *text);
void	ms_break_envelope(struct ms_set *set, const char *level,
	    struct mk_text *text);

/* current.c, legacy.c: whole sets; legacy_text.c: their arrangement. */
void	ms_current(struct ms_set *set, struct ms_result *ret_result);
struct mk_text ms_splice(struct ms_set *set, struct mk_text text,
	    const struct ms_sealed *part);
void	ms_device_make(struct ms_set *set, const struct ms_device *d,
	    struct ms_sealed *ret_sealed);
void	ms_ssh_fill(struct ms_set *set, const struct ms_enrolled *e,
	    struct mk_ssh_device *ret_ssh);
void	ms_legacy(struct ms_set *set, struct ms_result *ret_result);
struct mk_text ms_legacy_envelope(struct ms_set *set,
	    const struct mk_envelope *env, unsigned depth);
struct mk_text ms_legacy_protected(struct ms_set *set,
	    struct mk_text payload, const struct mk_udf *kid);

/* people.c: devices and their keys. */
struct ms_device *ms_device(struct ms_set *set, const char *name);
void	ms_enrol(struct ms_set *set, const char *arg);
struct ms_enrolled ms_newcomer(struct ms_set *set, const char *name);
const struct mk_udf *ms_device_udf(struct ms_set *set, const char *name);
const char *ms_signer(struct ms_set *set, unsigned n);
const char *ms_level(struct ms_set *set, const struct ms_device *d);
struct mk_sshkey ms_ssh_key(struct ms_set *set, const struct ms_enrolled *e);
void	ms_deleted(struct ms_set *set, const struct mk_udf **ret_deleted,
	    size_t *ret_n);

/* openssh.c: files and signatures that OpenSSH reads. */
struct mk_text ms_public_line(struct ms_set *set,
	    const struct mk_sshkey *key);
void	ms_private_write(struct ms_set *set, const char *dir);
struct mk_text ms_proof(struct ms_set *set, const struct ms_key *key,
	    const struct mk_udf *device);

/* request.c: what is posted to a portal. */
struct mk_text ms_request(struct ms_set *set, struct mk_text profile_set);
void	ms_requests_list(void);

/* print.c */
void	ms_print(struct ms_set *set, const char *what);
void	ms_seen_write(struct ms_set *set, const struct ms_result *result);
void	ms_set_write(struct ms_set *set, struct mk_text text);

#endif
