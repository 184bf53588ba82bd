/* SPDX-License-Identifier: ISC */
/*
 * The wrapping of a profile set, the answer of a portal
 * (mesh-profile-set(5), ENCODING): which of its entries count.
 */
#ifndef MK_CORE_SET_H
#define MK_CORE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/envelope.h"
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

/*
 * The same from 'Entries' alone, wherever they stand; claims their payloads
 * in the notes of that text.
 */
int	mk_set_entries(const struct mk_json *entries,
	    struct mk_json_notes *notes, struct mk_set *ret_set,
	    struct mk_why *why);

/* Whether an element of the entries is a SignedApplicationProfile. */
bool	mk_set_is_application(const struct mk_json *entry);

/* The one SignedApplicationProfile of that outer Identifier. */
int	mk_set_application(const struct mk_set *set, const struct mk_text *id,
	    const struct mk_json **ret_app, struct mk_why *why);

/* What of a set of the current form its writer vouched for. */
struct mk_chosen {
	struct mk_envelope personal;
	struct mk_envelope *apps;	/* in the order of Applications */
	size_t n_apps;
	bool repeated;			/* of two for one application with
					   one digest the first was taken */
};

/*
 * Chooses the SignedPersonalProfile and, of every application that it
 * lists, the SignedApplicationProfile whose payload has the digest listed;
 * whatever else stands beside them a stranger may have put there.  Nothing
 * is verified, but what is chosen verifies only if the set does.
 * MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_set_choose(struct mk_arena *a, const struct mk_set *set,
	    struct mk_chosen *ret_chosen, struct mk_why *why);

#endif
