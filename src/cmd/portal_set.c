/* SPDX-License-Identifier: ISC */
/*
 * What a published set must be.  It is its own proof, so it is verified as
 * a host verifies it, every device opened; what hosts would refuse is not
 * kept, and what they would take for a rollback or for a second story of
 * the same time is refused before it gets to them.
 */
#include <config.h>

#include <string.h>

#include "cmd/meshportal.h"
#include "core/digest.h"

/* In an arena of its own: that of the verifier is for one reading. */
static int
claimed(const struct mk_bytes *set, struct mk_udf *ret_udf,
    struct mk_why *why)
{
	struct mk_arena a;
	int r;

	mk_arena_init(&a, mk_verify_memory(set->len));
	r = mk_claimed_udf(&a, set, ret_udf, why);
	mk_arena_release(&a);
	return r;
}

int
portal_set_read(struct mk_arena *a, const struct mk_bytes *set, int64_t now,
    struct portal_set *ret_set, struct mk_why *why)
{
	struct mk_demand demand = { .set = set->data, .set_len = set->len,
	    .now = now > MK_BUILD_TIME ? now : MK_BUILD_TIME,
	    .build_time = MK_BUILD_TIME, .max_set = MK_SET_MAX,
	    .max_devices = MK_DEVICES_MAX, .key_types = MK_SSH_ALL,
	    .open_all = true };
	const struct mk_verified *verified;
	const struct mk_verified_view *view;
	struct portal_profile p = { .set = set->data,
	    .set_len = set->len };
	int r;

	if ((r = claimed(set, &demand.udf, why)) != 0 ||
	    (r = mk_verify(a, &demand, &verified, why)) != 0)
		return r;
	view = mk_verified_view(verified);
	/* They have no times, so nobody could tell which one is newer. */
	if (view->gen != MK_GEN_CURRENT)
		return mk_fail(why, MK_E_REFUSED, "set",
		    "not of the current form");
	p.udf = view->udf;
	p.version = view->version;
	p.online = view->master->online;
	p.n_online = view->master->n_online;
	p.deleted = view->personal->deleted;
	p.n_deleted = view->personal->n_deleted;
	mk_sha512(set->data, set->len, p.digest);
	*ret_set = (struct portal_set){ .profile = p, .view = view };
	return 0;
}

/* Whether its writer knew the version that is stored. */
static bool
follows(const struct portal_profile *old, const struct mk_personal *p)
{
	size_t i;

	for (i = 0; i < p->n_previous; i++) {
		if (memcmp(p->previous[i], old->version.personal,
		    MK_DIGEST) == 0)
			return true;
	}
	return false;
}

int
portal_set_judge(const struct portal_profile *old,
    const struct portal_set *now, enum portal_order *ret_order,
    struct mk_why *why)
{
	const struct mk_version *version = &now->profile.version;
	const struct mk_personal *personal = now->view->personal;
	const struct mk_seen seen = { .version = old->version };
	enum mk_seen_order order;
	int r;

	r = mk_seen_judge(&seen, version, &order, why);
	if (r != 0)
		return r;
	if (order == MK_SEEN_SAME) {
		*ret_order = PORTAL_SAME;
		return 0;
	}
	/* Who has the master key may begin anew, and nobody else. */
	if (!follows(old, personal) && (personal->has_previous ||
	    version->master_time == old->version.master_time))
		return mk_fail(why, MK_E_REFUSED, "version", "it does not "
		    "take the version that is stored here into account");
	*ret_order = PORTAL_NEWER;
	return 0;
}
