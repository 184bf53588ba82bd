/* SPDX-License-Identifier: ISC */
/*
 * The wrapping of a profile set, the answer of a portal
 * (mesh-profile-set(5), ENCODING): which of its entries count.
 */
#ifndef MK_CORE_SET_H
#define MK_CORE_SET_H

#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/profile.h"

struct mk_set {
	const struct mk_json *personal;	/* the SignedPersonalProfile */
	const struct mk_json *entries;	/* all of them */
};

/*
 * Parses the bytes of a set and finds its one SignedPersonalProfile.
 * MK_E_REFUSED or MK_E_SYSTEM.
 */
int	mk_set_parse(struct mk_arena *a, const struct mk_json_text *text,
	    struct mk_set *ret_set, struct mk_why *why);

/* The one SignedApplicationProfile of that outer Identifier. */
int	mk_set_application(const struct mk_set *set, const struct mk_text *id,
	    const struct mk_json **ret_app, struct mk_why *why);

#endif
