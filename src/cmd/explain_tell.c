/* SPDX-License-Identifier: ISC */
/*
 * The sentences of meshkeys explain: what became of a key, and what to do.
 */
#include <string.h>

#include "cmd/explain.h"
#include "core/timestamp.h"

static const struct explain_fate fates[] = {
	[MK_KEY_USABLE] = { "login", "may log in", true },
	[MK_KEY_NOT_OFFERED] = { "other", "not the key that was asked about",
	    false },
	[MK_KEY_TYPE_REFUSED] = { "type", "of a type that 'key-types' does "
	    "not allow", false },
	[MK_KEY_WEAK] = { "weak", "too weak: RSA of fewer than 2048 bits",
	    false },
	[MK_KEY_TOMBSTONE] = { "deleted", "of a device that was deleted "
	    "earlier, which stays so on this host", false },
	[MK_KEY_NOT_LISTED] = { "unlisted", "of a device that the profile "
	    "does not list", false },
	[MK_KEY_HOST] = { "host", "a host, which has no key for logging in",
	    false },
};

struct explain_fate
explain_fate(const struct explain_profile *p, const struct explain_device *d)
{
	static const struct explain_fate none = { "no-key", "has no SSH key",
	    false }, shut = { "kept-out", "no login, since the set is kept "
	    "out", false };

	if (d->host)
		return fates[MK_KEY_HOST];
	if (!d->has_key)
		return none;
	if (d->verdict == MK_KEY_USABLE && p->rec.code != 0)
		return shut;
	return fates[d->verdict];
}

void
explain_put_device(const struct mk_udf *udf, const char *name,
    struct mk_buf *out)
{
	show_udf(out, udf);
	if (name[0] == '\0')
		return;
	mk_buf_puts(out, " (\"");
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\")");
}

/* A device that a set lists though it was deleted has a name there. */
static const char *
name_of(const struct explain_profile *p, const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < p->n_devices; i++) {
		if (mk_udf_cmp(&p->devices[i].udf, udf) == 0)
			return p->devices[i].name;
	}
	return "";
}

/* 'offered': with the key that was asked about. */
static bool
is_listed(const struct explain_profile *p, const struct mk_udf *udf,
    bool offered)
{
	size_t i;

	for (i = 0; i < p->n_devices; i++) {
		if (mk_udf_cmp(&p->devices[i].udf, udf) == 0 &&
		    (!offered || p->devices[i].offered))
			return true;
	}
	return false;
}

static void
put_when(int64_t t, struct mk_buf *out)
{
	if (t == MK_TIME_NONE)
		mk_buf_puts(out, "an unknown time");
	else
		show_time(out, t);
}

void
explain_put_trace(const struct explain_profile *p,
    const struct explain_trace *trace, struct mk_buf *out)
{
	mk_buf_puts(out, "this is the key of device ");
	explain_put_device(&trace->device, name_of(p, &trace->device), out);
	mk_buf_puts(out, ", seen from ");
	put_when(trace->first, out);
	mk_buf_puts(out, " to ");
	put_when(trace->last, out);
	if (trace->deleted)
		mk_buf_puts(out, ", which has been deleted since");
	else if (!p->verified)
		mk_buf_puts(out, "; no set of that profile says what became "
		    "of it");
	else if (is_listed(p, &trace->device, true))
		mk_buf_puts(out, ", which still has it");
	else if (is_listed(p, &trace->device, false))
		mk_buf_puts(out, ", which has another key now or none");
	else
		mk_buf_puts(out, ", which the profile no longer lists");
}

/*
 * What helps against a reason: by its code, the step and a word of it; the
 * first one that fits.
 */
struct cure {
	int code;
	const char *stage, *word;	/* NULL: any */
	const char *text, *command;
};

static const struct cure cures[] = {
	{ MK_E_NOPROFILE, NULL, NULL, "get the set from her portal;",
	    "refresh" },
	{ MK_E_STALE, "policy", NULL, "she signs anew by 'meshman /sync' on "
	    "an administration device; then", "refresh" },
	{ MK_E_STALE, NULL, NULL, "ask her portal;", "refresh" },
	{ MK_E_REFUSED, "policy", NULL, "'not-before' in her line keeps it "
	    "out; she signs anew by 'meshman /sync'; then", "refresh" },
	{ MK_E_REFUSED, "version", "expired", "she signs anew by 'meshman "
	    "/sync' on an administration device; then", "refresh" },
	{ MK_E_REFUSED, "version", "clock", "set the clock of this host, or "
	    "of the device that signed; then", "refresh" },
	{ MK_E_REFUSED, "version", NULL, "get the newest set by 'meshkeys "
	    "refresh'; only if she says that this one is meant,", "accept" },
	{ MK_E_REFUSED, "cache", "max-set", "if she has so much, raise "
	    "'max-set' in meshkeys.conf; then", "refresh" },
	{ MK_E_REFUSED, NULL, NULL, "get another set from her portal;",
	    "refresh" },
	{ MK_E_SYSTEM, MK_SEEN_STAGE, NULL, "restore that file from a backup; "
	    "if there is none,", "accept" },
};

void
explain_advice(const struct explain *x, const struct explain_profile *p,
    struct mk_buf *out)
{
	const struct mk_why *why = &p->rec.why;
	size_t i;

	/* Nobody signs the old forms with a time. */
	if (p->verified && p->signed_time == MK_TIME_NONE &&
	    strcmp(why->stage, "policy") == 0)
		return;
	for (i = 0; i < sizeof(cures) / sizeof(cures[0]); i++) {
		const struct cure *c = &cures[i];

		if (c->code != p->rec.code ||
		    (c->stage != NULL && strcmp(c->stage, why->stage) != 0) ||
		    (c->word != NULL && strstr(why->detail, c->word) == NULL))
			continue;
		mk_buf_puts(out, c->text);
		mk_buf_puts(out, " run: ");
		meshkeys_put_command(x->m, out, c->command, x->user);
		return;
	}
}

bool
explain_prints(const struct explain *x)
{
	if (!x->answered || x->code != 0 || x->offer.certificate)
		return false;
	return x->offer.given ? x->answer.matched : x->answer.lines.len > 0;
}

bool
explain_chain(const struct explain *x)
{
	return akc_chain_follows(&x->m->keep.config, &x->offer,
	    x->answered && !x->offer.certificate ? &x->answer : NULL,
	    x->code);
}

static size_t
count_lines(const struct mk_buf *lines)
{
	size_t i, n = 0;

	for (i = 0; i < lines->len; i++)
		n += lines->data[i] == '\n';
	return n;
}

/* The key that was asked about, if a set has it now: where it is good. */
static const struct explain_device *
find_offered(const struct explain *x, const struct explain_profile **ret_p)
{
	const struct explain_device *found = NULL;
	size_t i, k;

	for (i = 0; i < x->gathered.identity.n; i++) {
		const struct explain_profile *p = &x->profiles[i];

		for (k = 0; k < p->n_devices; k++) {
			bool good = explain_fate(p, &p->devices[k]).good;

			if (!p->devices[k].offered ||
			    (found != NULL && !good))
				continue;
			*ret_p = p;
			found = &p->devices[k];
			if (good)
				return found;
		}
	}
	return found;
}

/* The profile and the line that saw it last. */
static const struct explain_trace *
find_trace(const struct explain *x, const struct explain_profile **ret_p)
{
	const struct explain_trace *found = NULL;
	size_t i, k;

	for (i = 0; i < x->gathered.identity.n; i++) {
		const struct explain_profile *p = &x->profiles[i];

		for (k = 0; k < p->n_traces; k++) {
			if (found != NULL && p->traces[k].last < found->last)
				continue;
			found = &p->traces[k];
			*ret_p = p;
		}
	}
	return found;
}

/* What a set that does not verify, and a damaged list, may hide. */
static void
put_unknown(const struct explain *x, struct mk_buf *out)
{
	bool verified = true, listed = true;
	size_t i;

	for (i = 0; i < x->gathered.identity.n; i++) {
		verified &= x->profiles[i].verified;
		listed &= x->profiles[i].traces_failed == 0;
	}
	mk_buf_puts(out, verified ? "it is no key of '" :
	    "it is in no set that verifies of '");
	meshkeys_put_clean(out, x->user);
	mk_buf_puts(out, verified ? "' now" : "'");
	mk_buf_puts(out, listed ? ", and this host has never seen it in a "
	    "profile of hers" : ", and the list of keys seen is of no use");
}

/* Nothing but the right key is printed; why this one is not. */
static void
put_unprinted(const struct explain *x, struct mk_buf *out)
{
	const struct explain_profile *p = NULL, *seen_in = NULL;
	const struct explain_device *d = find_offered(x, &p);
	const struct explain_trace *trace = find_trace(x, &seen_in);

	mk_buf_puts(out, "the key is not printed: ");
	if (explain_malformed(x)) {
		mk_buf_puts(out, "it is malformed, and such a key is "
		    "nobody's");
	} else if (d != NULL) {
		mk_buf_puts(out, "it is that of device ");
		explain_put_device(&d->udf, d->name, out);
		mk_buf_puts(out, ", and ");
		mk_buf_puts(out, explain_fate(p, d).text);
	} else if (trace != NULL) {
		explain_put_trace(seen_in, trace, out);
	} else {
		put_unknown(x, out);
	}
}

static void
put_printed(const struct explain *x, struct mk_buf *out)
{
	const struct explain_profile *p = NULL;
	const struct explain_device *d = find_offered(x, &p);

	if (!x->offer.given) {
		show_count(out, count_lines(&x->answer.lines), "key");
		mk_buf_puts(out, x->answer.refused ? " printed, though not "
		    "of every profile" : " printed");
		return;
	}
	mk_buf_puts(out, "the key is printed");
	if (d != NULL) {
		mk_buf_puts(out, ": it is that of device ");
		explain_put_device(&d->udf, d->name, out);
	}
}

const struct mk_why *
explain_why(const struct explain *x)
{
	size_t i;

	if (!x->answered)
		return &x->m->why;
	for (i = 0; i < x->answer.n_records; i++) {
		if (x->answer.records[i].code == x->code)
			return &x->answer.records[i].why;
	}
	return &x->answer.why;
}

static void
put_nothing(const struct explain *x, struct mk_buf *out)
{
	const struct mk_identity *id = &x->gathered.identity;

	mk_buf_putc(out, '\'');
	meshkeys_put_clean(out, x->user);
	mk_buf_puts(out, "' gets no Mesh key: ");
	if (x->code != 0) {
		mk_buf_puts(out, explain_why(x)->stage);
		mk_buf_puts(out, ": ");
		mk_buf_puts(out, explain_why(x)->detail);
	} else if (id->denied) {
		mk_buf_puts(out, "by order of the administrator");
	} else if (id->n == 0) {
		mk_buf_puts(out, "nothing says which profile is hers");
	} else {
		mk_buf_puts(out, x->answer.refused ? "no set that is let in "
		    "has a key that may log in" : "no device of hers has a "
		    "key that may log in");
	}
}

void
explain_verdict(const struct explain *x, struct mk_buf *out)
{
	if (explain_prints(x))
		put_printed(x, out);
	else if (x->code != 0 || x->gathered.identity.n == 0 ||
	    !x->offer.given)
		put_nothing(x, out);
	else if (x->offer.certificate)
		mk_buf_puts(out, "the key is not printed: it is a "
		    "certificate, and those never are");
	else
		put_unprinted(x, out);
	if (explain_chain(x)) {
		mk_buf_puts(out, "; then the chain is asked, and the "
		    "helper exits as it does");
		return;
	}
	mk_buf_puts(out, "; the helper exits with status ");
	mk_buf_putu(out, (unsigned)mk_exit_code(x->code));
}
