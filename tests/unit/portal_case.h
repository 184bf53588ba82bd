/* SPDX-License-Identifier: ISC */
/*
 * A portal for one test: its store in a directory of its own, and the
 * profiles and requests of make_set.h posted to it.
 */
#ifndef MK_TESTS_PORTAL_CASE_H
#define MK_TESTS_PORTAL_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/meshportal.h"
#include "core/transact.h"
#include "unit/make_set.h"

#define CASE_NAME	"127.0.0.1:8443"
#define CASE_ADDRESS	"192.0.2.1"
#define ALICE		"alice@example.com"

/* The portal that is asked, when, from where, and its last answer. */
struct portal_case {
	struct portal portal;
	struct mk_arena arena;
	struct mk_buf body;
	struct portal_reply reply;
	const char *address;
	int64_t now;
};

extern struct portal_case pc;

void	case_setup(void);
/* Its directory: tree.h has one for each file that includes it. */
const char *case_dir(void);
void	case_teardown(void);
void	case_reopen(void);		/* as after a restart */

/* Posts pc.body, or a text; the status, also of the HTTP answer. */
int	case_post(void);
int	case_say(const char *text);
int	case_read(const char *path);	/* GET */
/* Where a set is read; that very set is stored. */
const char *case_path(const struct made *set);
void	case_stored(const struct made *set);
/* What the last answer says. */
bool	case_tells(const char *text);

/* Everything that is stored but nonces, hashed. */
void	case_state(uint8_t digest[64]);
/* Posts pc.body: that status, and nothing of it is stored. */
void	case_refused(int status);

/* Who signs a request, for whom and when; "alice", "online0", now. */
struct case_signer {
	const char *seed, *role, *portal, *account;
	int64_t time;
	unsigned nonce;			/* 0: a new one */
};

/* Bodies. */
void	case_create(const struct case_signer *by, const struct made *set);
void	case_delete(const struct case_signer *by);
void	case_pending(const struct case_signer *by);
void	case_publish(const struct made *set);

/* A set of alice's: when, and of which version before; 0 or NULL: none. */
struct case_version {
	int64_t updated, master_updated;
	const struct made *previous;
	const struct mk_udf *deleted;
	size_t n_deleted;
	unsigned n_online;
};

void	case_set(const struct case_version *v, struct made *ret_made);
/* Her account with the set of that version. */
void	case_alice(const struct case_version *v);

/* A device that asks to be connected. */
struct case_request {
	const char *device;		/* the seed of its keys; "bob" */
	const char *signer;		/* another that signs; NULL: itself */
	const struct mk_udf *parent;	/* NULL: alice */
	int64_t time;			/* 0: now */
	unsigned pad;			/* members that nobody knows */
	bool witness;
};

/* The body of ConnectStart; digest of the payload, and the device. */
void	case_start(const struct case_request *r, const char *account,
	    uint8_t digest[MK_DIGEST], struct mk_udf *ret_device);

/* The body of ConnectComplete. */
struct case_result {
	const char *signer;		/* of the result; "online0" */
	const uint8_t *request;
	const struct mk_udf *device;
	bool refused, witness;
};

void	case_complete(const struct case_signer *by,
	    const struct case_result *result);

#endif
