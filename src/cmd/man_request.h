/* SPDX-License-Identifier: ISC */
/*
 * This device's own connection request as it lies in request.json, from
 * before it is sent until its answer is taken.
 */
#ifndef MK_CMD_MAN_REQUEST_H
#define MK_CMD_MAN_REQUEST_H

#include "cmd/meshman.h"
#include "core/connect.h"

struct meshman_filed {
	struct mk_arena arena;
	uint8_t *text;			/* of sodium_malloc() */
	struct mk_account account;
	char *portal;			/* lives in the arena; NULL: that of
					   the account's domain */
	struct mk_connection_read read;	/* verified */
	struct mk_pin *pin;		/* of sodium_malloc(), or NULL */
	bool sent;			/* since it was read */
};

/* MK_E_ABSENT without a reason; it verifies, or MK_E_SYSTEM. */
int	meshman_filed_read(struct meshman *m,
	    struct meshman_filed *ret_filed);
void	meshman_filed_release(struct meshman_filed *filed);

/*
 * Posts it, to m->state's portal.  A portal that has it says so again.
 * MESHMAN_E_CONFLICT if it has had a later one; MK_E_STALE if it cannot be
 * reached.
 */
int	meshman_filed_send(struct meshman *m, struct meshman_filed *filed);

/* Its PIN goes with it. */
int	meshman_filed_remove(struct meshman *m);

/* What the person does next on both devices, appended to m->out. */
void	meshman_filed_tell(struct meshman *m,
	    const struct meshman_filed *filed);

/* After a day nobody accepts it. */
bool	meshman_filed_lapsed(const struct meshman_filed *filed);

/* Before another one takes its place: asks, if one waits. */
int	meshman_filed_give_up(struct meshman *m);

#endif
