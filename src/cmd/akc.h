/* SPDX-License-Identifier: ISC */
/*
 * The parts of mesh-authorized-keys(8); the steps that tie them together
 * stand in mesh-authorized-keys.c.
 */
#ifndef MK_CMD_AKC_H
#define MK_CMD_AKC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"
#include "core/sshkey.h"
#include "core/verify.h"
#include "edge/config.h"
#include "edge/identity.h"
#include "edge/root.h"

/* What the command line says. */
struct akc_args {
	const char *config;		/* --config, or NULL */
	const char *root;		/* --root, or NULL */
	bool debug;
	const char *user;
	const char *fingerprint;	/* SHA256:..., or NULL */
	const char *type, *key;		/* both or neither */
};

/* The key that sshd was offered, from those words. */
struct akc_offer {
	bool given;
	bool certificate;		/* never ours */
	struct mk_offer key;		/* unknown if malformed: matches none */
	uint8_t *blob;			/* malloc'd, behind key */
	char fingerprint[MK_SSHKEY_FINGERPRINT]; /* "" if malformed */
};

/*
 * Reads the offered key.  What is malformed is an unknown key, since
 * anybody may send anything.  MK_E_SYSTEM for want of memory.
 */
int	akc_offer_read(const struct akc_args *args,
	    struct akc_offer *ret_offer, struct mk_why *why);
void	akc_offer_release(struct akc_offer *offer);

/*
 * Decides in a child that has nothing but a pipe, and reaps it; for a
 * caller that goes on to run another program.  Like mk_decide() otherwise;
 * a child that dies or lies about its answer is MK_E_BUG.
 */
void	akc_decide_apart(const struct mk_question *q,
	    struct mk_answer *ret_answer);

/*
 * akc_gather.c: what a decision is made of, for mesh-authorized-keys and
 * for meshkeys explain, which asks the same.
 */
struct akc_gathered {
	struct mk_identity identity;
	struct mk_found *found;		/* one for each profile */
	struct mk_file *files;		/* two for each: set and memory */
};

/* Steps 3 and 4: who she is, and the bytes.  MK_E_*. */
int	akc_gather_identity(const struct mk_root *root,
	    const struct mk_config *config, const char *user,
	    struct akc_gathered *g, struct mk_why *why);
int	akc_gather_bytes(const struct mk_root *root,
	    const struct mk_config *config, struct akc_gathered *g,
	    struct mk_why *why);
void	akc_gathered_release(struct akc_gathered *g);

/* The question of steps 6 to 8; 'offer' NULL: every key. */
struct mk_question akc_question(const struct mk_config *config,
	    const struct akc_gathered *g, const struct akc_offer *offer);

/*
 * Whether the command behind ours is asked as well; 'answer' NULL if none
 * was come to, 'code' what came of it.
 */
bool	akc_chain_follows(const struct mk_config *config,
	    const struct akc_offer *offer, const struct mk_answer *answer,
	    int code);

/* Bytes of memory and of output that deciding may take. */
int	akc_close_sandbox(const struct mk_question *q, struct mk_why *why);

/* What the command behind ours is run with. */
struct akc_chain {
	const struct mk_root *root;
	const struct mk_config *config;
	const struct akc_args *args;
	const struct akc_offer *offer;
};

/*
 * The argument vector of the configured chain, tokens expanded as sshd
 * does; freed as one piece.  MK_E_CONFIG for a token whose value is not
 * known, or a program that sshd would not run.
 */
int	akc_chain_expand(const struct akc_chain *chain, char ***ret_argv,
	    struct mk_why *why);

/* Runs it in our place; returns only on failure. */
int	akc_chain_exec(char *const argv[], struct mk_why *why);

/*
 * Notes the parent as the name of this connection, before the sandbox and
 * while it lives: the sshd that all runs of one login have in common.
 */
void	akc_report_begin(void);

/* One log line for each decision, and for a failure of none. */
void	akc_report_answer(const struct mk_answer *answer, const char *user,
	    bool offered, bool log_matches);
void	akc_report_failure(const struct mk_why *why, const char *user);
void	akc_report_unmapped(const char *user, bool denied);

#endif
