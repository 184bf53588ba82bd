/* SPDX-License-Identifier: ISC */
/*
 * The parts of meshman(1), the user's tool: a table of words, one file
 * each, and what they share.
 *
 * The state of a user is a directory of her own (edge/home.h):
 *
 *   state.json      what this device is: struct meshman_state
 *   profile.json    the newest profile set, raw; verified at each start
 *   profile.seen    the memory against rollback, as on a host; written
 *                   after the set and read before it, so that who looks
 *                   without the lock never sees a set older than it
 *   master.key online.key device.key
 *   outgoing.json   a set that was signed and may or may not be published
 *   results.json    answers to connection requests that go out with it
 *   request.json    this device's own connection request, while it waits
 *   pins            PINs made here: letters, time, whom they served
 *
 * The network is another process (net/courier.h), started before any key
 * is read.
 */
#ifndef MK_CMD_MESHMAN_H
#define MK_CMD_MESHMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/cmdline.h"
#include "cmd/show.h"
#include "core/accept.h"
#include "core/account.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/draft.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/pin.h"
#include "core/transact.h"
#include "core/verify.h"
#include "edge/home.h"
#include "edge/keyfile.h"
#include "net/courier.h"

#define MESHMAN_IDENT		"meshman"
#define MESHMAN_OUT_MAX		(32u << 20)	/* what one word prints */
#define MESHMAN_EXPIRES		(90 * MK_DAY)	/* how long a version holds */
#define MESHMAN_RENEW		(30 * MK_DAY)	/* /sync signs anew before */
#define MESHMAN_PASS_MAX	1024u

struct meshman;

/* What a word needs before it runs. */
enum meshman_needs {
	MESHMAN_NOTHING = 0,
	MESHMAN_PROFILE = 1 << 0,	/* a profile, verified */
	MESHMAN_ADMIN = 1 << 1,		/* and an online key of it */
	MESHMAN_LOCK = 1 << 2,		/* it writes */
	MESHMAN_NETWORK = 1 << 3	/* it may ask a portal */
};

struct meshman_word {
	struct cmdline_word cmd;
	unsigned needs;		/* of enum meshman_needs */
	int (*run)(struct meshman *m);
};

/* What the command line says. */
struct meshman_options {
	const char *portal;	/* --portal */
	const char *name;	/* --name */
	const char *key;	/* --key */
	const char *expect;	/* --expect */
	const char *pin;	/* --pin */
	const char *wait;	/* --wait */
	const char *count;	/* --count */
	bool agent, passphrase, json, yes, debug, no_qr;
	bool no_passphrase;
};

/* state.json */
struct meshman_state {
	bool has_profile;
	struct mk_udf master;
	bool has_account;
	struct mk_account account;
	char *portal;			/* malloc'd URL, or NULL */
	bool portal_found;		/* by discovery: not remembered */
	bool has_device;
	struct mk_udf device;		/* of device.key */
	char name[MK_TEXT_MAX + 1];	/* of this device, or "" */
	bool admin;			/* there is an online.key */
};

/* The profile as it is known here. */
struct meshman_profile {
	struct mk_file set, seen;
	struct mk_arena memory;		/* of what is held */
	bool looked;			/* 'held' is known */
	bool expired;			/* to be signed anew, or fetched */
	bool behind;			/* the portal has an earlier version */
	struct mk_held held;
	const struct mk_verified *verified;	/* NULL: there is none */
	const struct mk_verified_view *view;
};

struct meshman {
	struct meshman_options opt;
	const struct meshman_word *word;
	char *const *args;		/* behind the word, slashes kept */
	int n_args;
	struct mk_home home;
	struct meshman_state state;
	struct mk_arena arena;		/* of the profile */
	struct meshman_profile profile;
	struct mk_courier courier;
	bool courier_started;
	struct mk_buf out;		/* printed at the end of the word */
	struct mk_buf hint;		/* what to do about a failure */
	struct mk_why why;		/* of a failure */
	bool lost;			/* an earlier change was given up: 75 */
	bool portal_new;		/* --portal is to be remembered */
};

/* man_words.c: the table. */
extern const struct meshman_word meshman_words[];
extern const size_t meshman_n_words;

/* For a word that needs one: MK_E_NOPROFILE, and how to get one. */
int	meshman_no_profile(struct meshman *m);

/* Whether an argument is that word, "host" or "/host". */
bool	meshman_is(const char *arg, const char *word);

/* One line on standard error, at once; our own words, as of mk_fail(). */
void	meshman_warn(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

/* The words. */
int	meshman_personal(struct meshman *m);
int	meshman_ssh(struct meshman *m);
int	meshman_pin(struct meshman *m);
int	meshman_connect(struct meshman *m);
int	meshman_pending(struct meshman *m);
int	meshman_accept(struct meshman *m);
int	meshman_reject(struct meshman *m);
int	meshman_complete(struct meshman *m);
int	meshman_delete(struct meshman *m);
int	meshman_sync(struct meshman *m);
int	meshman_list(struct meshman *m);
int	meshman_dump(struct meshman *m);
int	meshman_device(struct meshman *m);
int	meshman_fingerprint(struct meshman *m);
int	meshman_export(struct meshman *m);
int	meshman_import(struct meshman *m);

/*
 * man_state.c: what lies in the directory.  All of them fill in m->why and
 * return MK_E_*, 0 being done.
 */
int	meshman_state_read(struct meshman *m);	/* absent: an empty one */
int	meshman_state_write(struct meshman *m);

/* The profile again from its files, verified; MK_E_NOPROFILE if none. */
int	meshman_profile_read(struct meshman *m);

/*
 * Takes a set, from wherever it came, as the profile: it must verify from
 * m->state.master and be newer than what is known (core/accept.h).  Reads
 * m->profile anew.  *ret_news tells whether it was the same.  MK_E_REFUSED.
 */
int	meshman_profile_take(struct meshman *m, const struct mk_bytes *set,
	    enum mk_news *ret_news);

/* Whether this device is in the profile, and whether it administers it. */
bool	meshman_is_member(const struct meshman *m,
	    const struct mk_udf *device);
bool	meshman_is_admin(const struct meshman *m,
	    const struct mk_udf *device);

/* Whether a device is listed that was deleted, and is no administrator. */
bool	meshman_is_undone(const struct meshman *m,
	    const struct mk_udf *device);

/* Envelope and profile of a device of the profile; they live in 'a'. */
int	meshman_device_open(struct meshman *m, struct mk_arena *a,
	    const struct mk_member_device *member, struct mk_device *ret_device,
	    struct mk_envelope *ret_envelope);

/* man_key.c: opens a key of this device; asks for the passphrase of a
   locked one. */
int	meshman_key(struct meshman *m, const char *name,
	    struct mk_secret *ret_secret);
#define MESHMAN_MASTER	"master.key"
#define MESHMAN_ONLINE	"online.key"
#define MESHMAN_DEVICE	"device.key"

/* Seals a payload, under the fingerprint of the key that signs it.  The
   envelope lives in 'a'. */
int	meshman_seal(struct meshman *m, struct mk_arena *a,
	    const struct mk_secret *secret, const struct mk_buf *payload,
	    struct mk_envelope *ret_envelope);

/* Asks at the terminal, twice, for a new passphrase; NULL: none wanted. */
int	meshman_new_passphrase(struct meshman *m, char **ret_pass);

/* Seconds since 1970; MK_E_STALE if before the build, by which time no word
   that writes is begun. */
int64_t	meshman_now(void);

/* The device of the profile that a name or fingerprint means: exactly one.
   MK_E_NOPROFILE with the candidates in m->hint. */
int	meshman_find_device(struct meshman *m, const char *text,
	    struct mk_udf *ret_device);

/*
 * man_ask.c: the portal.
 */

/*
 * The portal of the account: --portal, or the one remembered, or
 * discovery.  Kept in m->state.  MK_E_CONFIG, MK_E_NOPROFILE.
 */
int	meshman_portal(struct meshman *m);

/* An answer to a post or a get; 'text' is malloc'd. */
struct meshman_reply {
	int status;			/* HTTP */
	unsigned retry_after;		/* seconds that it named, or 0 */
	uint8_t *text;
	size_t len;
};

/*
 * Posts one transaction and waits.  0 whenever there is a whole answer of
 * HTTP, whatever its status; MK_E_STALE, with the portal named, if it
 * cannot be reached, is too slow or breaks off: then it may have been
 * carried out or not.
 */
int	meshman_post(struct meshman *m, const struct mk_buf *body,
	    struct meshman_reply *ret_reply);
void	meshman_reply_release(struct meshman_reply *reply);

/*
 * The same, and the answer's body parsed.  An answer that is none is
 * MK_E_STALE.  A status of 400 and more is a code too: 400 413 MK_E_REFUSED,
 * 401 MK_E_PERM, 404 MK_E_NOPROFILE, 409 MESHMAN_E_CONFLICT, 429 and 5xx
 * MK_E_STALE; the reason holds what the portal said, as printable ASCII.
 */
int	meshman_transact(struct meshman *m, const char *transaction,
	    const struct mk_buf *body, struct mk_arena *a,
	    struct mk_answer *ret_answer);
#define MESHMAN_E_CONFLICT	(-3)	/* 409; never an exit code */

/* What mk_answer_*() makes of its body: MK_E_REFUSED becomes MK_E_STALE,
   with the portal named. */
int	meshman_misanswered(struct meshman *m, int e);

/* The set of the profile, or of an account, as the portal has it. */
/* MK_E_NOPROFILE if it has none, MK_E_STALE as above. */
int	meshman_get(struct meshman *m, const struct mk_udf *udf,
	    struct meshman_reply *ret_reply);
int	meshman_get_account(struct meshman *m,
	    struct meshman_reply *ret_reply);

/* What verifying such a set came to: MK_E_REFUSED names the portal. */
int	meshman_set_refused(struct meshman *m, int e);

/* Nonce, time, portal's name and account, for a signed transaction. */
int	meshman_signing(struct meshman *m, const struct mk_secret *online,
	    struct mk_buf *name, struct mk_signing *ret_signing);

/*
 * man_publish.c: one change of the profile, from the newest set to the
 * portal.
 */

/* Makes the change in a draft; called again if another was faster. */
typedef int meshman_change(struct meshman *m, struct mk_draft *draft,
	    void *arg);

/*
 * Brings in what the portal has, makes the change, signs, keeps the set as
 * outgoing.json, publishes it and takes it as the profile.  Without an
 * account it is taken at once.  After 409 all of it again, a few times.
 * MK_E_STALE: signed, kept, and sent by the next word that writes; a set
 * that the portal refuses is given up and told.
 */
int	meshman_publish(struct meshman *m, meshman_change *change, void *arg);

/* Signs a new version without a change, e.g. before Expires. */
int	meshman_renew(struct meshman *m);

/*
 * What an earlier word left: sends outgoing.json again, then what is in
 * results.json.  Every word with MESHMAN_LOCK and a profile begins so.
 */
int	meshman_resume(struct meshman *m);

/* What an earlier word left and never sent, without a portal. */
int	meshman_forsake(struct meshman *m);

/*
 * The newest set from the portal into the profile.  One that has gone back
 * to a version that ours was made from is told, and ours kept:
 * m->profile.behind.
 */
int	meshman_fetch(struct meshman *m, enum mk_news *ret_news);

/* What to do if the portal knows nothing of the profile. */
void	meshman_hint_lost(struct meshman *m);

/* Publishes the profile as it is here again, after the portal lost it. */
int	meshman_publish_again(struct meshman *m);

/* man_result.c: results of requests, kept until the portal has them.  An
   acceptance is bound to the publish that it came with. */
struct meshman_result {
	struct mk_connection_result result;
	const struct mk_pin *pin;	/* for the witness, or NULL */
};

/* Signs them and keeps them beside outgoing.json, before the publish, from
   within the change; in place of those that were kept. */
int	meshman_results_keep(struct meshman *m,
	    const struct meshman_result *results, size_t n);
/* Posts what is kept, and forgets what the portal has taken. */
int	meshman_results_send(struct meshman *m);
/* The same at the start of a word, when nothing is outgoing: an acceptance
   whose publish never came about is dropped. */
int	meshman_results_resume(struct meshman *m);
/* Only that, before the profile moves on in another way. */
int	meshman_results_forsake(struct meshman *m);
/* After a publish that was given up. */
int	meshman_results_drop(struct meshman *m);

/* man_pins.c: the PINs that were made here. */
struct meshman_pin_use {
	struct mk_pin pin;
	int64_t made;
	bool used;		/* then it has served 'device' */
	bool spoilt;		/* two devices came with it */
	struct mk_udf device;
};

struct meshman_pins {
	struct meshman_pin_use *list;	/* of sodium_malloc() */
	size_t n;
};

#define MESHMAN_PINS_MAX	1024u

int	meshman_pins_read(struct meshman *m, struct meshman_pins *ret_pins);
int	meshman_pins_write(struct meshman *m,
	    const struct meshman_pins *pins);
void	meshman_pins_release(struct meshman_pins *pins);

/* man_request.c: this device's own request. */

/*
 * Files a request for this device at the portal: 'ssh' NULL if none is
 * asked for, 'pin' NULL without one.  Kept as request.json before it is
 * sent.
 */
struct meshman_asking {
	struct mk_udf parent;
	const struct mk_ssh_device *ssh;
	const struct mk_pin *pin;
};
int	meshman_request_file(struct meshman *m,
	    const struct meshman_asking *asking);

/* man_device.c: device.key and its signed DeviceProfile. */

/* The device of this machine; made, with --name or the host's name, if
   there is none.  The envelope lives in 'a'. */
int	meshman_device_have(struct meshman *m, struct mk_arena *a,
	    struct mk_secret *ret_secret, struct mk_envelope *ret_envelope);

/* man_sshkey.c: SSH keys of this device. */
struct meshman_ssh_keys {
	struct mk_ssh_device *list;	/* lives in the arena */
	size_t n;
	bool made;		/* MK_SSH_KEY_NEW was made and is to be
				   adopted once it is in the profile */
};

/*
 * The keys that --key, --agent or nothing name, each with its Proof by
 * ssh-keygen -Y sign; without either, a new key is made.  The proof is
 * verified here.
 */
int	meshman_ssh_keys(struct meshman *m, struct mk_arena *a,
	    const struct mk_udf *master, struct meshman_ssh_keys *ret_keys);

/* After the profile has it: the key gets its name, ~/.ssh/config its
   block. */
int	meshman_ssh_settle(struct meshman *m);

/* man_text.c: a text of others, as cmd/show.h shows it, cut at 64 bytes. */
void	meshman_put_clean(struct mk_buf *out, const char *s, size_t len);

/* The name that a device of the profile has for people; lives in m. */
int	meshman_device_name(struct meshman *m, const struct mk_udf *device,
	    struct mk_buf *out);

/* man_qr.c: a QR code in half blocks, if stdout is a terminal and
   --no-qr was not given. */
int	meshman_put_qr(struct meshman *m, const char *text);

/* Prints m->out now; MK_E_SYSTEM. */
int	meshman_print(struct meshman *m);

/* Asks; --yes answers.  MK_E_USAGE without a terminal or at a no. */
int	meshman_confirm(struct meshman *m, const char *question);

#endif
