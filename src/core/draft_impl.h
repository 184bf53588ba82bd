/* SPDX-License-Identifier: ISC */
/*
 * What the parts of core/draft.h share, and nobody else: a set taken apart
 * (draft.c), changed (draft_change.c) and signed (draft_sign.c).
 */
#ifndef MK_CORE_DRAFT_IMPL_H
#define MK_CORE_DRAFT_IMPL_H

#include "core/draft.h"

struct mk_draft {
	struct mk_arena *arena;
	struct mk_master master;
	struct mk_envelope master_env;

	/* The version before; all zero in the first. */
	bool has_before;
	struct mk_personal before;
	uint8_t before_digest[MK_DIGEST];
	struct mk_ssh before_ssh;	/* no element if there was none */
	struct mk_envelope ssh_env;	/* if there is an application */

	/* What the next one says. */
	struct mk_envelope *devices;	/* the outer Identifier is the UDF */
	struct mk_udf *device_ids;	/* of the same */
	size_t n_devices, devices_room, ids_room;
	struct mk_udf *deleted;		/* oldest first */
	size_t n_deleted, deleted_room;
	struct mk_ssh_device *ssh;
	size_t n_ssh, ssh_room;
	const struct mk_app *ssh_app;	/* one of before.apps, or NULL */
	const struct mk_envelope *others; /* other applications */
	size_t n_others;
};

/* Whether the SSHProfile has to say something else than before. */
bool	mk_draft_ssh_changed(const struct mk_draft *d);

#endif
