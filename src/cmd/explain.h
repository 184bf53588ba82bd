/* SPDX-License-Identifier: ISC */
/*
 * What meshkeys keys and meshkeys explain know of a decision.  It is made
 * by the code of mesh-authorized-keys (cmd/akc.h, core/decide.h); here it is
 * only watched, and told.
 */
#ifndef MK_CMD_EXPLAIN_H
#define MK_CMD_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/akc.h"
#include "cmd/meshkeys.h"
#include "edge/keeper.h"

/* One SSH key of a device, or a device that has none. */
struct explain_device {
	struct mk_udf udf;
	bool has_key, host;
	enum mk_verdict verdict;	/* with a key */
	bool offered;			/* the key that was asked about */
	char name[MK_TEXT_MAX + 1];	/* printable ASCII */
	char type[MK_TEXT_MAX + 1];
	char fingerprint[MK_SSHKEY_FINGERPRINT];
};

/* When the key that was asked about was a device's. */
struct explain_trace {
	struct mk_udf device;
	int64_t first, last;
	bool proof;
	bool deleted;			/* the device, since */
};

enum explain_memory {
	EXPLAIN_UNSEEN,
	EXPLAIN_SEEN,
	EXPLAIN_DAMAGED,
	EXPLAIN_UNREADABLE		/* what there is */
};

struct explain_profile {
	const struct mk_mapped *mapped;
	const struct mk_found *found;
	struct mk_record rec;		/* of what was asked */
	struct mk_record whole;		/* of all of its keys */
	/* What the memory has. */
	enum explain_memory memory;
	struct mk_why memory_why;	/* why it cannot be read */
	int64_t seen_time;		/* MK_TIME_NONE: pinned */
	size_t n_remembered;		/* deletions */
	/* The last set that came and was refused. */
	bool has_refusal;
	struct mk_refusal refusal;
	/* What is in a set that verifies. */
	bool verified;
	enum mk_generation gen;
	int64_t signed_time, expires;
	bool clock_stale;
	size_t n_deleted;
	struct explain_device *devices;
	size_t n_devices, room;
	/* Of the key that was asked about, in the list of keys seen. */
	struct explain_trace *traces;
	size_t n_traces;
	int traces_failed;		/* 0 or MK_E_*: it is of no use */
	struct mk_why traces_why;
};

struct explain {
	struct meshkeys *m;
	const char *user;
	/* The key that is asked about. */
	struct akc_args args;
	struct akc_offer offer;
	char *words;			/* malloc'd, behind args */
	/* How far it came. */
	bool has_config_file;
	const char *failed_step;	/* before any profile, or NULL */
	struct akc_gathered gathered;
	struct explain_profile *profiles;	/* of gathered.identity */
	bool answered;
	struct mk_answer answer;	/* what sshd would get */
	int code;			/* of the helper: 0 or MK_E_* */
	bool starved;			/* out of memory while watching */
};

/* explain_key.c: the words behind the user's name.  A file is opened here
   and read, by the rights of who runs this; a private key is refused and
   nothing of it shown.  MK_E_USAGE, MK_E_NOPROFILE, MK_E_PERM, MK_E_SYSTEM. */
int	explain_key(struct explain *x, char *const *words, int n,
	    struct mk_why *why);

/*
 * explain_look.c: becomes the owner of the stores, reads what a login reads
 * and decides.  What a login fails at is no error: x->code and
 * x->failed_step say it, the reason is in m->why.  MK_E_* if it could not
 * be looked at.
 */
int	explain_look(struct explain *x, struct mk_why *why);
void	explain_release(struct explain *x);

/* Gives up all but reading below the stores. */
int	explain_confine(struct meshkeys *m);

/*
 * The helper is another user than the owner of the stores, and reads what
 * everybody may read: other files and directories fail, as they do for it.
 */
void	explain_closed(const struct meshkeys *m, struct akc_gathered *g);

/* explain_watch.c: the memory and the list of keys seen of each profile,
   and what the decision says of its keys. */
int	explain_watch_begin(struct explain *x, struct mk_why *why);
void	explain_watch_see(void *arg, const struct mk_verified_view *view,
	    const struct mk_record *rec);

/* Whether the offered words make no key at all. */
bool	explain_malformed(const struct explain *x);

/* explain_tell.c: sentences, appended to 'out'. */

/* What becomes of a device's key, and the word for programs. */
struct explain_fate {
	const char *word, *text;
	bool good;
};

struct explain_fate explain_fate(const struct explain_profile *p,
	    const struct explain_device *d);

/* 'M... ("name")' */
void	explain_put_device(const struct mk_udf *udf, const char *name,
	    struct mk_buf *out);

/* Whose key it was, and that the device is deleted. */
void	explain_put_trace(const struct explain_profile *p,
	    const struct explain_trace *trace, struct mk_buf *out);

/* What to do about a profile that is kept out; nothing if nothing helps. */
void	explain_advice(const struct explain *x,
	    const struct explain_profile *p, struct mk_buf *out);

/* Whether the command behind the helper is asked. */
bool	explain_chain(const struct explain *x);

/* The reason of a login that comes to nothing. */
const struct mk_why *explain_why(const struct explain *x);

/* The last sentence, and whether any key is printed. */
void	explain_verdict(const struct explain *x, struct mk_buf *out);
bool	explain_prints(const struct explain *x);

/* explain_show.c: all of it, into m->out. */
void	explain_show(struct explain *x);

#endif
