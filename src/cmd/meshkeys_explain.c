/* SPDX-License-Identifier: ISC */
/*
 * meshkeys explain: why a user can log in, or not.  The decision is that of
 * mesh-authorized-keys(8), made by its code; what is refused is an answer
 * and no failure of ours.
 */
#include "cmd/explain.h"

#define NOTHING_PRINTED	1	/* decided, and no key comes out */

int
meshkeys_explain(struct meshkeys *m)
{
	struct explain x = { .m = m, .user = m->args[0] };
	int e;

	/* By the rights of who runs this, which are given up then. */
	if ((e = explain_key(&x, m->args + 1, m->n_args - 1,
	    &m->why)) != 0 ||
	    (e = explain_look(&x, &m->why)) != 0)
		goto out;
	explain_show(&x);
	if ((e = meshkeys_print(m)) != 0)
		goto out;
	if (!explain_prints(&x))
		m->status = x.code != 0 ? mk_exit_code(x.code) :
		    NOTHING_PRINTED;
out:
	explain_release(&x);
	return e;
}
