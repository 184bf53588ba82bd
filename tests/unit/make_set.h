/* SPDX-License-Identifier: ISC */
/*
 * Profile sets of the current form for the unit tests: right by default,
 * and wrong wherever a recipe says so.  All keys follow from a seed, so
 * that the same recipe gives the same bytes.  Keys are named by roles:
 * "master", "online0", "device0", "ssh0.1" (the second of device 0).
 */
#ifndef MK_TESTS_MAKE_SET_H
#define MK_TESTS_MAKE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/seen.h"
#include "core/verify.h"

/* Times of the recipes: 2026-03-01T12:00:00Z, and one hour earlier. */
#define MADE_NOW	INT64_C(1772366400)
#define MADE_HOUR	INT64_C(3600)
#define MADE_UPDATED	(MADE_NOW - MADE_HOUR)

/*
 * A change of one text before it is signed.  Levels are "master",
 * "device0" and so on, "ssh", "personal", and "set" for the whole.  'from'
 * must stand there; 'to' takes the place of the first.
 */
struct made_edit {
	const char *level, *from, *to;
};

struct recipe {
	const char *seed;		/* NULL: "alice" */
	unsigned n_devices;
	unsigned n_bare;		/* more devices, without SSH keys */
	unsigned n_keys;		/* SSH keys of each of the others */
	unsigned n_online;		/* 0: one */
	int64_t master_updated, updated, expires; /* 0: an hour ago, never */
	const struct mk_udf *deleted;
	size_t n_deleted;
	const char *description;	/* DeviceDescription; NULL: none */
	bool openssh;			/* keys as text, not as objects */
	bool no_ssh;			/* no application at all */
	const char *personal_signer, *ssh_signer;	/* roles */
	const char *forged;		/* level that a stranger signs */
	const char *other;		/* seed of the devices, if another */
	const struct made_edit *edits;
	size_t n_edits;
};

struct made {
	struct mk_arena arena;
	struct mk_buf set;
	struct mk_udf udf;
};

/* The key pair of a role; 'sk' may be NULL. */
void	made_key(const char *seed, const char *role,
	    struct mk_pubkey *ret_key, uint8_t sk[MK_ED25519_SECRET]);

/* Any UDF of a key, different for each number. */
struct mk_udf made_udf(unsigned n);

/* Makes a set; the test fails if that is impossible. */
void	made_set(const struct recipe *recipe, struct made *ret_made);
void	made_release(struct made *made);

/* A text parsed into 'a'; it must outlive the tree. */
const struct mk_json *made_json(struct mk_arena *a, const char *text);

/* What to ask of the set by default: all keys, at MADE_NOW. */
struct mk_demand made_demand(const struct made *made);

/*
 * Verifies; 0 or MK_E_*.  What is verified lives in 'a', which is set up
 * here with the cap of the programs.
 */
int	made_verify(struct mk_arena *a, const struct mk_demand *demand,
	    const struct mk_verified_view **ret_view, struct mk_why *why);

/* The version of a set that verifies. */
struct mk_version made_version(const struct made *made);

#endif
