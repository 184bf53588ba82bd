/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/envelope.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/set.h"

static int
refuse(struct mk_why *why, const char *what)
{
	return mk_fail(why, MK_E_REFUSED, "set", "%s", what);
}

/* {"GetResponse": {"Status": 201, "Entries": [...], ...}} */
static int
find_entries(const struct mk_at *top, const struct mk_json **ret_entries)
{
	struct mk_at at = *top;
	const struct mk_json *status;
	int r;

	if ((r = mk_at_tagged(top, "GetResponse", &at.obj)) != 0 ||
	    (r = mk_at_object(&at)) != 0 ||
	    (r = mk_at_member(&at, "Status", MK_JSON_NUMBER, MK_REQUIRED,
	    &status)) != 0 ||
	    (r = mk_at_member(&at, "Entries", MK_JSON_ARRAY, MK_REQUIRED,
	    ret_entries)) != 0)
		return r;
	if (status->len != 3 || memcmp(status->str, "201", 3) != 0)
		return refuse(at.why, "'Status' is not 201");
	return 0;
}

static bool
has_name(const struct mk_json *m, const char *name)
{
	size_t len = strlen(name);

	return m->name_len == len && memcmp(m->name, name, len) == 0;
}

int
mk_set_entries(const struct mk_json *entries, struct mk_json_notes *notes,
    struct mk_set *ret_set, struct mk_why *why)
{
	const struct mk_json *e, *personal = NULL;

	if (entries->count > MK_ENTRIES_MAX)
		return mk_fail(why, MK_E_REFUSED, "set", "'Entries' has %u "
		    "elements, over the limit of %u",
		    (unsigned)entries->count, MK_ENTRIES_MAX);
	for (e = entries->child; e != NULL; e = e->next) {
		if (e->type != MK_JSON_OBJECT || e->count != 1)
			return refuse(why, "an element of 'Entries' is not "
			    "an object of one member");
		/* Also in an entry that does not count. */
		mk_envelope_claim(e->child, notes);
		if (!has_name(e->child, "SignedPersonalProfile"))
			continue;
		if (personal != NULL)
			return refuse(why, "two of 'SignedPersonalProfile'");
		personal = e->child;
	}
	if (personal == NULL)
		return refuse(why, "'SignedPersonalProfile' is missing");
	ret_set->personal = personal;
	ret_set->entries = entries;
	return 0;
}

int
mk_set_parse(struct mk_arena *a, const struct mk_json_text *text,
    struct mk_set *ret_set, struct mk_why *why)
{
	struct mk_at at = { .stage = text->stage, .arena = a, .why = why };
	const struct mk_json *entries;
	int r;

	if ((r = mk_json_parse(a, text, &at.obj, why)) != 0 ||
	    (r = find_entries(&at, &entries)) != 0)
		return r;
	return mk_set_entries(entries, text->notes, ret_set, why);
}

bool
mk_set_is_application(const struct mk_json *e)
{
	return has_name(e->child, "SignedApplicationProfile");
}

int
mk_set_application(const struct mk_set *set, const struct mk_text *id,
    const struct mk_json **ret_app, struct mk_why *why)
{
	const struct mk_json *e, *outer, *app = NULL;

	for (e = set->entries->child; e != NULL; e = e->next) {
		if (!mk_set_is_application(e))
			continue;
		outer = mk_json_member(e->child, "Identifier");
		if (outer == NULL || outer->type != MK_JSON_STRING ||
		    outer->len != id->len ||
		    memcmp(outer->str, id->s, id->len) != 0)
			continue;
		if (app != NULL)
			return mk_fail(why, MK_E_REFUSED, "ssh",
			    "two of 'SignedApplicationProfile' for the "
			    "SSHProfile");
		app = e->child;
	}
	if (app == NULL)
		return mk_fail(why, MK_E_REFUSED, "ssh",
		    "the 'SignedApplicationProfile' of the SSHProfile is "
		    "missing");
	*ret_app = app;
	return 0;
}
