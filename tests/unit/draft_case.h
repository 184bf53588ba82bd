/* SPDX-License-Identifier: ISC */
/*
 * What the tests of drafts share: Alice's profile, version by version, each
 * verified on its own.  Keys are named by roles as in make_set.h.
 */
#ifndef MK_TESTS_DRAFT_CASE_H
#define MK_TESTS_DRAFT_CASE_H

#include "core/draft.h"
#include "core/timestamp.h"
#include "make_set.h"

#define DC_BUILD	(MADE_NOW - 30 * MK_DAY)

struct draft_case {
	struct mk_udf root;
	struct mk_buf newest;		/* the version that is out */
	const struct mk_verified_view *view;	/* of it */
	struct mk_draft *draft;		/* of the next */
	struct mk_draft_signing signing;	/* and how */
	struct mk_signer online;
	struct mk_arena arena;		/* of drafts */
	struct mk_why why;
};

extern struct draft_case dc;

void	dc_setup(void);
void	dc_teardown(void);

/* What came of a call. */
void	dc_ok(int r);
void	dc_refused(int r, const char *stage, const char *words);

/* A first version as a draft; or one that was made elsewhere, out already. */
void	dc_first(void);
int	dc_birth(const struct mk_draft_birth *birth);
void	dc_start(const struct recipe *recipe);

/* The newest version, and a draft of the next that says the same. */
struct mk_bytes dc_set(void);
void	dc_next(void);

/* Signs what the draft says, verifies it and goes on from there. */
void	dc_publish(void);
int	dc_sign(struct mk_buf *out);
void	dc_sign_refused(const char *stage, const char *words);
void	dc_use_online(const char *role);

/* Makings. */
struct mk_udf dc_udf(const char *role);
const char *dc_keep(const struct mk_buf *b);
struct mk_envelope dc_seal(const char *role, const char *id,
	    struct mk_buf *text);
struct mk_envelope dc_device(const char *role, const char *signer,
	    const char *name);
struct mk_ssh_device dc_element(const char *device, const char *role,
	    bool mesh_form);

/* Changes of the draft. */
int	dc_add(const char *role);
int	dc_add_this(const struct mk_envelope *device);
int	dc_delete(const char *role);
int	dc_enrol(const char *device, const char *role, bool mesh_form);
int	dc_enrol_this(const struct mk_ssh_device *d);
int	dc_enrol_host(const char *device);
int	dc_unenrol(const char *role);

#endif
