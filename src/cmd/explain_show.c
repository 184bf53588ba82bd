/* SPDX-License-Identifier: ISC */
/*
 * Shows a decision: one sentence for each step, for people a line, for
 * programs an object of an array.
 */
#include <string.h>

#include "cmd/explain.h"
#include "core/limits.h"
#include "core/timestamp.h"

#define SENTENCE_MAX	(64u << 10)

/* Sentences on their way out. */
struct tale {
	const struct explain *x;
	struct mk_buf *out;
	bool json;
	bool first;			/* of an array */
	const char *indent;		/* for people */
	struct mk_buf text;		/* the next one */
};

static const char *const states[] = { [SHOW_PLAIN] = "plain",
	[SHOW_GOOD] = "good", [SHOW_WARN] = "warning", [SHOW_BAD] = "bad",
	[SHOW_HEAD] = "plain" };

static void
begin_array(struct tale *t, const char *name)
{
	t->first = true;
	if (!t->json)
		return;
	show_json_name(t->out, name);
	mk_buf_putc(t->out, '[');
}

static void
end_array(struct tale *t)
{
	if (t->json)
		mk_buf_putc(t->out, ']');
}

/* An object of an array; its first member has no comma before it. */
static void
begin_object(struct tale *t, const char *name, const char *value)
{
	mk_buf_puts(t->out, t->first ? "{\"" : ",{\"");
	mk_buf_puts(t->out, name);
	mk_buf_puts(t->out, "\":\"");
	mk_buf_puts(t->out, value);
	mk_buf_putc(t->out, '"');
	t->first = false;
}

/* What stands in t->text, as one step. */
static void
say(struct tale *t, const char *step, enum show_tone tone)
{
	const char *text = t->text.len > 0 ? t->text.data : "";

	if (t->text.failed != 0)
		t->out->failed = t->text.failed;
	if (t->json) {
		begin_object(t, "step", step);
		meshkeys_json_string(t->out, "state", states[tone]);
		show_json_string(t->out, "text", text, t->text.len);
		mk_buf_putc(t->out, '}');
	} else {
		mk_buf_puts(t->out, t->indent);
		mk_buf_puts(t->out, step);
		mk_buf_puts(t->out, ": ");
		if (tone != SHOW_PLAIN)
			show_tone(t->out, tone);
		show_clean(t->out, text, t->text.len);
		if (tone != SHOW_PLAIN)
			show_tone(t->out, SHOW_PLAIN);
		mk_buf_putc(t->out, '\n');
	}
	mk_buf_cut(&t->text, 0);
}

static void
say_why(struct tale *t, const char *step, const struct mk_why *why)
{
	if (strcmp(why->stage, step) != 0) {
		mk_buf_puts(&t->text, why->stage);
		mk_buf_puts(&t->text, ": ");
	}
	mk_buf_puts(&t->text, why->detail);
	say(t, step, SHOW_BAD);
}

static bool
failed_at(const struct explain *x, const char *step)
{
	return x->failed_step != NULL && strcmp(x->failed_step, step) == 0;
}

static void
put_config(struct tale *t)
{
	const struct explain *x = t->x;
	const char *named = x->m->place.config_file;

	if (failed_at(x, "configuration")) {
		say_why(t, "configuration", &x->m->why);
		return;
	}
	if (!x->has_config_file) {
		mk_buf_puts(&t->text, "there is no file, so the defaults "
		    "hold");
	} else {
		mk_buf_putc(&t->text, '\'');
		mk_buf_puts(&t->text, named != NULL ? "" :
		    x->m->keep.root.name);
		mk_buf_puts(&t->text, named != NULL ? named :
		    MK_CONFDIR "/meshkeys.conf");
		mk_buf_puts(&t->text, "' is read");
	}
	say(t, "configuration", SHOW_PLAIN);
}

/* "'/etc/meshkeys/map', line 3", with line 0 the file as a whole */
static void
put_place(struct tale *t, unsigned line)
{
	const struct explain *x = t->x;
	const char *source = x->gathered.identity.source;
	char name[3 * MK_USERNAME_MAX + 1];

	if (strcmp(source, "nss") == 0) {
		mk_buf_puts(&t->text, "the directory that nss asks");
		return;
	}
	mk_name_encode(x->user, name);
	mk_buf_putc(&t->text, '\'');
	mk_buf_puts(&t->text, x->m->keep.root.name);
	if (strcmp(source, "passwd") == 0)
		mk_buf_puts(&t->text, MK_PASSWD);
	else
		mk_buf_puts(&t->text, strcmp(source, "map") == 0 ?
		    MK_CONFDIR "/map" : MK_CONFDIR "/users/");
	if (strcmp(source, "users") == 0)
		mk_buf_puts(&t->text, name);
	mk_buf_putc(&t->text, '\'');
	if (line == 0)
		return;
	mk_buf_puts(&t->text, ", line ");
	mk_buf_putu(&t->text, line);
}

static void
say_unmapped(struct tale *t)
{
	mk_buf_puts(&t->text, "; run: ");
	meshkeys_put_command(t->x->m, &t->text, "map add", t->x->user);
	mk_buf_puts(&t->text, " FINGERPRINT");
	say(t, "identity", SHOW_BAD);
}

static void
put_identity(struct tale *t)
{
	const struct explain *x = t->x;
	const struct mk_identity *id = &x->gathered.identity;

	if (failed_at(x, "identity")) {
		say_why(t, "identity", &x->m->why);
	} else if (id->denied) {
		mk_buf_puts(&t->text, "a dash in ");
		put_place(t, id->line);
		mk_buf_puts(&t->text, " says that she has no Mesh keys, and "
		    "that is final");
		say(t, "identity", SHOW_BAD);
	} else if (id->n == 0 && id->source != NULL) {
		put_place(t, 0);
		mk_buf_puts(&t->text, " has no line, and no other source is "
		    "asked");
		say_unmapped(t);
	} else if (id->n == 0) {
		mk_buf_puts(&t->text, "no source names her");
		say_unmapped(t);
	} else {
		mk_buf_puts(&t->text, "source '");
		mk_buf_puts(&t->text, id->source);
		mk_buf_puts(&t->text, "' names her, with ");
		show_count(&t->text, id->n, "profile");
		say(t, "identity", SHOW_PLAIN);
	}
}

static void
put_key(struct tale *t)
{
	const struct akc_offer *offer = &t->x->offer;

	if (!offer->given)
		return;
	if (offer->certificate)
		mk_buf_puts(&t->text, "a certificate, which is never "
		    "printed; sshd looks at TrustedUserCAKeys for those");
	else if (explain_malformed(t->x))
		mk_buf_puts(&t->text, "malformed: not a key of the type that "
		    "it names, or not canonical base64");
	else
		mk_buf_puts(&t->text, offer->fingerprint);
	say(t, "offered", offer->certificate || explain_malformed(t->x) ?
	    SHOW_BAD : SHOW_PLAIN);
}

/* What freshness makes of a set that verifies. */
static enum show_tone
put_freshness(struct tale *t, const struct explain_profile *p)
{
	const struct mk_config *config = &t->x->m->keep.config;
	const struct mk_record *rec = &p->rec;
	static const char *const when[] = {
		[MK_STALE_ALLOW] = "allows it",
		[MK_STALE_RESTRICT] = "puts 'restrict' before its keys",
		[MK_STALE_DENY] = "denies it",
	};

	if (!rec->stale) {
		mk_buf_puts(&t->text, ", which is fresh, up to 'fresh-for' ");
		show_span(&t->text, config->fresh_for);
		return SHOW_GOOD;
	}
	if (config->stale_for >= 0 && rec->age > config->stale_for) {
		mk_buf_puts(&t->text, ", which is too stale, beyond "
		    "'stale-for' ");
		show_span(&t->text, config->stale_for);
		return SHOW_BAD;
	}
	if (p->clock_stale)
		mk_buf_puts(&t->text, ", and the clock is no proof of its "
		    "age");
	mk_buf_puts(&t->text, ", which is stale, and 'when-stale' ");
	mk_buf_puts(&t->text, when[p->mapped->policy.when_stale]);
	return SHOW_WARN;
}

static void
put_cache(struct tale *t, const struct explain_profile *p)
{
	enum show_tone tone = SHOW_PLAIN;
	const struct mk_record *rec = &p->rec;

	if (p->found->failed != 0) {
		say_why(t, "cache", &p->found->why);
		return;
	}
	if (rec->age < 0) {
		mk_buf_puts(&t->text, "the set has a time in the future");
	} else {
		mk_buf_puts(&t->text, "the set was confirmed ");
		show_span(&t->text, rec->age);
		mk_buf_puts(&t->text, " ago");
	}
	/* A set that policy keeps out by its date was not asked its age. */
	if (p->verified && (rec->code == 0 ||
	    strcmp(rec->why.stage, "policy") != 0))
		tone = put_freshness(t, p);
	say(t, "cache", tone);
}

static void
put_memory(struct tale *t, const struct explain_profile *p)
{
	if (p->memory == EXPLAIN_UNSEEN) {
		mk_buf_puts(&t->text, "this host has seen no set of it yet");
		say(t, "memory", SHOW_PLAIN);
		return;
	}
	if (p->memory == EXPLAIN_UNREADABLE) {
		say_why(t, "memory", &p->memory_why);
		return;
	}
	if (p->memory == EXPLAIN_DAMAGED) {
		mk_buf_puts(&t->text, "damaged, so nothing of it is printed");
		say(t, "memory", SHOW_BAD);
		return;
	}
	if (p->seen_time == MK_TIME_NONE) {
		mk_buf_puts(&t->text, "pinned to a set without times");
	} else {
		mk_buf_puts(&t->text, "the newest set seen was signed ");
		show_time(&t->text, p->seen_time);
	}
	mk_buf_puts(&t->text, "; ");
	show_count(&t->text, p->n_remembered, "deletion");
	mk_buf_puts(&t->text, " remembered");
	say(t, "memory", SHOW_PLAIN);
}

static void
put_signed(struct tale *t, const struct explain_profile *p)
{
	mk_buf_puts(&t->text, "verified from the fingerprint, ");
	if (p->signed_time == MK_TIME_NONE) {
		mk_buf_puts(&t->text, "of the form of 2016 or 2017, which "
		    "has no times");
	} else {
		mk_buf_puts(&t->text, "signed ");
		show_time(&t->text, p->signed_time);
		mk_buf_puts(&t->text, ", expires ");
		if (p->expires == MK_TIME_NONE)
			mk_buf_puts(&t->text, "never");
		else
			show_time(&t->text, p->expires);
	}
	say(t, "set", SHOW_GOOD);
}

/*
 * Verified as far as the offered key needs it, a set may be refused as a
 * whole.
 */
static void
put_set(struct tale *t, const struct explain_profile *p)
{
	const struct mk_record *rec = &p->rec;

	if (p->found->failed != 0)
		return;
	if (p->verified)
		put_signed(t, p);
	else
		say_why(t, "set", &rec->why);
	if (p->verified && rec->code != 0)
		say_why(t, "policy", &rec->why);
	else if (p->verified && p->whole.code != 0)
		say_why(t, "other keys", &p->whole.why);
}

static void
put_options(struct tale *t, const struct explain_profile *p)
{
	static const char lead[] = "before each key stands ";

	if (p->rec.code != 0)
		return;
	mk_buf_puts(&t->text, lead);
	mk_policy_lead(&p->mapped->policy, p->rec.stale, &t->text);
	if (t->text.len == sizeof(lead) - 1) {
		mk_buf_cut(&t->text, 0);
		return;
	}
	if (t->x->gathered.identity.n > 1)
		mk_buf_puts(&t->text, "; a key that another profile has, too, "
		    "gets what both allow");
	say(t, "options", SHOW_PLAIN);
}

static void
put_problem(struct tale *t, const struct explain_profile *p)
{
	if (!p->has_refusal)
		return;
	mk_buf_puts(&t->text, p->refusal.status ==
	    mk_exit_code(MK_E_REFUSED) ? "a set that came was refused, logged "
	    "last " : "no set came from the portal, logged last ");
	show_time(&t->text, p->refusal.time);
	mk_buf_puts(&t->text, ": ");
	mk_buf_puts(&t->text, p->refusal.reason);
	say(t, "last problem", SHOW_WARN);
}

static void
put_deleted(struct tale *t, const struct explain_profile *p)
{
	size_t i;

	if (p->verified && p->n_deleted > 0) {
		mk_buf_puts(&t->text, "the profile names ");
		show_count(&t->text, p->n_deleted, "deleted device");
		say(t, "deleted", SHOW_PLAIN);
	}
	for (i = 0; i < p->n_traces; i++) {
		explain_put_trace(p, &p->traces[i], &t->text);
		say(t, "keys seen", SHOW_PLAIN);
	}
	if (p->traces_failed != 0)
		say_why(t, "keys seen", &p->traces_why);
}

static void
put_advice(struct tale *t, const struct explain_profile *p)
{
	if (p->rec.code == 0)
		return;
	explain_advice(t->x, p, &t->text);
	if (t->text.len > 0)
		say(t, "to do", SHOW_PLAIN);
}

static void
show_device(struct tale *t, const struct explain_profile *p,
    const struct explain_device *d)
{
	const struct explain_fate fate = explain_fate(p, d);

	mk_buf_puts(t->out, "  device ");
	explain_put_device(&d->udf, d->name, t->out);
	mk_buf_puts(t->out, ": ");
	if (d->has_key) {
		mk_buf_puts(t->out, d->type);
		mk_buf_putc(t->out, ' ');
		mk_buf_puts(t->out, d->fingerprint);
		mk_buf_puts(t->out, ", ");
	}
	show_tone(t->out, fate.good ? SHOW_GOOD : d->has_key ? SHOW_BAD :
	    SHOW_PLAIN);
	mk_buf_puts(t->out, fate.text);
	show_tone(t->out, SHOW_PLAIN);
	mk_buf_puts(t->out, d->offered ? "  <- the key asked about\n" :
	    "\n");
}

static void
json_device(struct tale *t, const struct explain_profile *p,
    const struct explain_device *d)
{
	const struct explain_fate fate = explain_fate(p, d);
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&d->udf, udf);
	begin_object(t, "device", udf);
	meshkeys_json_string(t->out, "name", d->name);
	if (d->has_key) {
		meshkeys_json_string(t->out, "type", d->type);
		meshkeys_json_string(t->out, "fingerprint", d->fingerprint);
	}
	show_json_bool(t->out, "offered", d->offered);
	meshkeys_json_string(t->out, "verdict", fate.word);
	meshkeys_json_string(t->out, "text", fate.text);
	mk_buf_putc(t->out, '}');
}

static void
put_devices(struct tale *t, const struct explain_profile *p)
{
	size_t i;

	begin_array(t, "devices");
	for (i = 0; i < p->n_devices; i++) {
		if (t->json)
			json_device(t, p, &p->devices[i]);
		else
			show_device(t, p, &p->devices[i]);
	}
	end_array(t);
}

/* What a program wants to know without reading sentences. */
static void
json_profile(struct tale *t, const struct explain_profile *p)
{
	show_json_number(t->out, "status", (unsigned)mk_exit_code(
	    p->rec.code));
	show_json_bool(t->out, "verified", p->verified);
	show_json_bool(t->out, "stale", p->rec.stale);
	show_json_time(t->out, "signed", p->verified ? p->signed_time :
	    MK_TIME_NONE);
	show_json_time(t->out, "expires", p->verified ? p->expires :
	    MK_TIME_NONE);
	show_json_number(t->out, "line", p->mapped->line);
}

static void
begin_profile(struct tale *t, const struct explain_profile *p)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&p->mapped->udf, udf);
	if (t->json) {
		begin_object(t, "udf", udf);
		json_profile(t, p);
		begin_array(t, "steps");
		return;
	}
	show_tone(t->out, SHOW_HEAD);
	mk_buf_puts(t->out, "profile ");
	mk_buf_puts(t->out, udf);
	show_tone(t->out, SHOW_PLAIN);
	mk_buf_puts(t->out, ": ");
	put_place(t, p->mapped->line);
	show_clean(t->out, t->text.data, t->text.len);
	mk_buf_cut(&t->text, 0);
	mk_buf_putc(t->out, '\n');
}

static void
put_profile(struct tale *t, const struct explain_profile *p)
{
	begin_profile(t, p);
	t->indent = "  ";
	put_cache(t, p);
	put_memory(t, p);
	put_set(t, p);
	put_options(t, p);
	put_problem(t, p);
	put_deleted(t, p);
	put_advice(t, p);
	t->indent = "";
	end_array(t);
	put_devices(t, p);
	if (t->json)
		mk_buf_putc(t->out, '}');
	t->first = false;
}

/* The other command, unless nothing is known of it. */
static void
put_chain(struct tale *t)
{
	const struct explain *x = t->x;
	const struct mk_config *config = &x->m->keep.config;

	if (failed_at(x, "configuration") || config->chain == NULL)
		return;
	mk_buf_putc(&t->text, '\'');
	mk_buf_puts(&t->text, config->chain[0]);
	mk_buf_puts(&t->text, explain_chain(x) ? "' is asked then, and may "
	    "print other keys" : "' is not asked");
	say(t, "chain", SHOW_PLAIN);
}

static void
put_verdict(struct tale *t)
{
	const struct explain *x = t->x;
	struct mk_buf *out = t->out;

	explain_verdict(x, &t->text);
	if (t->json) {
		show_json_string(out, "verdict", t->text.data, t->text.len);
		show_json_bool(out, "printed", explain_prints(x));
		show_json_number(out, "status",
		    (unsigned)mk_exit_code(x->code));
		mk_buf_puts(out, "}\n");
		return;
	}
	say(t, "verdict", explain_prints(x) ? SHOW_GOOD : SHOW_BAD);
	mk_buf_puts(out, "for sshd's side of it, run: ");
	meshkeys_put_command(x->m, out, "check", x->user);
	mk_buf_putc(out, '\n');
}

void
explain_show(struct explain *x)
{
	struct tale t = { .x = x, .out = &x->m->out, .json = x->m->json,
	    .indent = "" };
	size_t i;

	mk_buf_init(&t.text, SENTENCE_MAX);
	if (t.json) {
		mk_buf_puts(t.out, "{\"command\":\"explain\"");
		meshkeys_json_string(t.out, "user", x->user);
	}
	begin_array(&t, "steps");
	put_config(&t);
	if (!failed_at(x, "configuration"))
		put_identity(&t);
	put_key(&t);
	put_chain(&t);
	end_array(&t);
	begin_array(&t, "profiles");
	for (i = 0; x->answered && i < x->gathered.identity.n; i++)
		put_profile(&t, &x->profiles[i]);
	end_array(&t);
	put_verdict(&t);
	if (t.text.failed != 0)
		t.out->failed = t.text.failed;
	mk_buf_release(&t.text);
}
