/* SPDX-License-Identifier: ISC */
/*
 * meshkeys map add and remove.  What is added is tried at once as a login
 * would, behind the same lock, and taken back if it does not come out.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshkeys_map.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "edge/log.h"
#include "edge/policy.h"

#define TYPED_MAX	4096u
#define WARNINGS_MAX	(64u << 10)
#define SYSTEM_UIDS	1000u	/* below are accounts of no person */

int
meshkeys_map_host(struct meshkeys *m)
{
	struct keep *k = &m->keep;
	int e;

	k->place = m->place;
	mk_log_ident(m->place.ident);
	if ((e = mk_root_open(m->place.root_dir, &k->root, &m->why)) != 0)
		return e;
	mk_log_open(&k->root, m->place.ident, LOG_INFO);
	e = mk_config_load(&k->root, m->place.config_file, &k->config,
	    &m->why);
	if (e == 0)
		mk_log_level(k->config.log_level);
	return e;
}

bool
meshkeys_map_asks(const struct meshkeys *m, enum mk_source source)
{
	const struct mk_config *config = &m->keep.config;
	unsigned i;

	for (i = 0; i < config->n_identity; i++) {
		if (config->identity[i] == source)
			return true;
	}
	return false;
}

void
meshkeys_map_put_element(struct mk_buf *out, size_t i, const char *s)
{
	mk_buf_puts(out, i > 0 ? ",\"" : "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mk_buf_putc(out, '\\');
		show_clean(out, s, 1);
	}
	mk_buf_putc(out, '"');
}

void
meshkeys_map_warn(struct meshkeys_change *c, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1) {
		c->warnings.failed = MK_E_SYSTEM;
		return;
	}
	if (c->m->json) {
		meshkeys_map_put_element(&c->warnings, c->warnings.len,
		    text);
	} else {
		show_tone(&c->warnings, SHOW_WARN);
		mk_buf_puts(&c->warnings, "warning:");
		show_tone(&c->warnings, SHOW_PLAIN);
		mk_buf_putc(&c->warnings, ' ');
		meshkeys_put_clean(&c->warnings, text);
		mk_buf_putc(&c->warnings, '\n');
	}
	free(text);
}

void
meshkeys_map_hint(struct meshkeys_change *c, const char *command)
{
	struct mk_buf *hint = &c->m->hint;

	mk_buf_puts(hint, "run first: ");
	meshkeys_put_command(c->m, hint, command, c->user);
	mk_buf_putc(hint, '\n');
}

static int
take_user(struct meshkeys_change *c, const char *user)
{
	const size_t len = strlen(user);

	if (len == 0 || len > MK_USERNAME_MAX || strpbrk(user, ":\n") != NULL)
		return mk_fail(&c->m->why, MK_E_USAGE, "user", "a user name "
		    "has 1 to %u bytes, and neither a colon nor a line feed",
		    MK_USERNAME_MAX);
	c->user = user;
	return 0;
}

/* Options have a "="; all else is the fingerprint, pasted with blanks. */
static int
take_words(struct meshkeys_change *c, int from)
{
	struct meshkeys *m = c->m;
	struct mk_buf typed;
	int i, e;

	c->options = calloc((size_t)m->n_args + 1, sizeof(*c->options));
	if (c->options == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	mk_buf_init(&typed, TYPED_MAX);
	for (i = from; i < m->n_args; i++) {
		if (strchr(m->args[i], '=') != NULL) {
			c->options[c->n_options++] = m->args[i];
			continue;
		}
		if (typed.len > 0)
			mk_buf_putc(&typed, ' ');
		mk_buf_puts(&typed, m->args[i]);
	}
	e = mk_buf_check(&typed, &m->why, "fingerprint");
	c->denied = e == 0 && typed.len == 1 && typed.data[0] == '-';
	if (e == 0 && !c->denied && m->n_args > from)
		e = mk_udf_read_typed(typed.data != NULL ? typed.data : "",
		    &c->udf, &m->why);
	c->has_udf = e == 0 && !c->denied && m->n_args > from;
	mk_buf_release(&typed);
	return e;
}

/* As the line would be judged; what is wrong was typed, not configured. */
static int
check_options(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct mk_policy policy;
	struct mk_why reason;
	int e;

	if (c->denied && c->n_options > 0)
		return mk_fail(&m->why, MK_E_USAGE, "option",
		    "a dash takes no options");
	e = mk_policy_copy(&m->keep.config.policy, &policy, &m->why);
	if (e != 0)
		return e;
	e = mk_policy_options(&policy, c->options, (unsigned)c->n_options,
	    &reason);
	mk_policy_release(&policy);
	return e == 0 ? 0 : mk_fail(&m->why, e == MK_E_CONFIG ? MK_E_USAGE :
	    e, "option", "%s", reason.detail);
}

static void
warn_account(struct meshkeys_change *c)
{
	struct meshkeys_accounts accounts;
	uid_t uid;
	int e;

	if (meshkeys_accounts_open(c->m, &accounts) != 0) {
		meshkeys_map_warn(c, "%s", c->m->why.detail);
		return;
	}
	e = meshkeys_accounts_find(&accounts, c->user, &uid);
	if (e == MK_E_NOPROFILE)
		meshkeys_map_warn(c, "'%s' has no account on this host; see "
		    "that the name is right", c->user);
	else if (e != 0)
		meshkeys_map_warn(c, "whether '%s' has an account cannot be "
		    "told: the look-up failed", c->user);
	else if (uid == 0 && !c->denied)
		meshkeys_map_warn(c, "'%s' is uid 0: whoever has that "
		    "profile is root here", c->user);
	else if (uid < SYSTEM_UIDS && !c->denied)
		meshkeys_map_warn(c, "'%s' is a system account, uid %lu",
		    c->user, (unsigned long)uid);
	meshkeys_accounts_close(&accounts);
}

/* Where a user is named already. */
struct named {
	struct meshkeys_change *c;
	bool users, elsewhere;
	char *where;		/* the first place that must not be */
	struct mk_why bad;	/* with a code: her line cannot be used */
};

static void
warn_beside(struct meshkeys_change *c, const struct mk_told_line *line,
    const char *udf)
{
	struct mk_buf command;

	mk_buf_init(&command, WARNINGS_MAX);
	meshkeys_put_command(c->m, &command, "map remove", c->user);
	meshkeys_map_warn(c, "'%s' already has %s in %s%s:%u, which stays; "
	    "if that is left over, run: %s %s", c->user, udf,
	    c->m->keep.root.name, line->path, line->line,
	    command.data != NULL ? command.data : "", udf);
	mk_buf_release(&command);
}

static void
see_line(void *arg, const struct mk_told_line *line)
{
	struct named *named = arg;
	struct meshkeys_change *c = named->c;
	const bool in_users = strcmp(line->source, "users") == 0;
	const bool in_map = strcmp(line->source, "map") == 0;
	char udf[MK_UDF_TEXT + 1];
	bool other;

	other = c->m->gecos ? in_users || in_map : !in_users && !in_map;
	other |= in_map && named->users;
	named->users |= in_users;
	if (other && named->where == NULL &&
	    asprintf(&named->where, "%s%s:%u", c->m->keep.root.name,
	    line->path, line->line) == -1)
		named->where = NULL;
	named->elsewhere |= other;
	if (other || line->line == 0)
		return;
	c->in_the_way |= c->denied || line->udf == NULL;
	if (line->udf == NULL || c->denied || c->m->gecos ||
	    mk_udf_cmp(line->udf, &c->udf) == 0)
		return;
	mk_udf_format(line->udf, udf);
	warn_beside(c, line, udf);
}

static void
see_bad(void *arg, const struct mk_why *why)
{
	struct named *named = arg;

	if (named->bad.code == 0)
		named->bad = *why;
}

/* Sources are never merged, so a second one could only mislead. */
static int
check_named(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct named named = { .c = c };
	const struct mk_teller teller = { see_bad, &named, see_line };
	int e;

	e = mk_everyone_user(&m->keep.root, &m->keep.config, c->user,
	    &teller, &m->why);
	if (e == 0 && named.bad.code != 0)
		e = mk_fail(&m->why, MK_E_CONFIG, "map", "'%s' has a line "
		    "that cannot be used: %s", c->user, named.bad.detail);
	else if (e == 0 && named.elsewhere)
		e = mk_fail(&m->why, MK_E_REFUSED, "map", "'%s' is named "
		    "elsewhere, in %s, and sources are never merged; add "
		    "there, or remove that line first", c->user,
		    named.where != NULL ? named.where : "another source");
	free(named.where);
	return e;
}

static bool
is_found(const struct meshkeys_change *c, const struct mk_identity *id)
{
	size_t i;

	for (i = 0; i < id->n; i++) {
		if (mk_udf_cmp(&id->profiles[i].udf, &c->udf) == 0)
			return true;
	}
	return c->denied && id->denied;
}

/* As the helper of sshd resolves her. */
static int
check_login(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct mk_identity id = { 0 };
	struct mk_why reason;
	int e;

	e = mk_identity_find(&m->keep.root, &m->keep.config, c->user, &id,
	    &reason);
	if (e != 0)
		return mk_fail(&m->why, e, "map", "nothing was added, since "
		    "a login would not take it: %s", reason.detail);
	if (!meshkeys_map_asks(m, m->gecos ? MK_SOURCE_PASSWD :
	    MK_SOURCE_MAP))
		e = mk_fail(&m->why, MK_E_CONFIG, "map", "nothing was added, "
		    "since a login would not look there: 'identity' in "
		    "meshkeys.conf does not list %s",
		    m->gecos ? "passwd" : "map");
	else if (!is_found(c, &id))
		e = mk_fail(&m->why, MK_E_SYSTEM, "map", "nothing was added: "
		    "'%s%s' was written, and a login would not find that "
		    "profile of '%s'", m->keep.root.name, c->file, c->user);
	mk_identity_release(&id);
	return e;
}

/* Behind the lock. */
static int
add_locked(struct meshkeys_change *c)
{
	const struct mk_map_entry entry = { .user = c->user,
	    .udf = c->denied ? NULL : &c->udf, .options = c->options,
	    .n_options = c->n_options };
	struct meshkeys *m = c->m;
	struct mk_why reason;
	int e, back;

	if ((e = check_named(c)) != 0)
		return e;
	e = m->gecos ? meshkeys_gecos_add(c) :
	    mk_map_add(&c->edit, &entry, &c->file, &m->why);
	if (e == MK_E_REFUSED && !m->gecos && c->in_the_way)
		meshkeys_map_hint(c, "map remove");
	if (e != 0 || (e = check_login(c)) == 0)
		return e;
	reason = m->why;
	back = m->gecos ? meshkeys_gecos_take_back(c) :
	    mk_map_take_back(&c->edit, &m->why);
	if (back != 0)
		return mk_fail(&m->why, back, "map", "'%s%s' has a line now "
		    "that a login does not take, and that cannot be taken "
		    "out: %s", m->keep.root.name, c->file, m->why.detail);
	m->why = reason;
	return e;
}

void
meshkeys_map_log(struct meshkeys_change *c, const char *text)
{
	const struct meshkeys_event event = { .text = text,
	    .udf = c->has_udf ? &c->udf : NULL, .seen = MK_TIME_NONE,
	    .set = MK_TIME_NONE };

	meshkeys_log(c->m, &event);
}

void
meshkeys_map_json(struct meshkeys_change *c, const char *command)
{
	struct mk_buf *out = &c->m->out;

	mk_buf_puts(out, "{\"command\":\"");
	mk_buf_puts(out, command);
	mk_buf_putc(out, '"');
	meshkeys_json_string(out, "user", c->user);
	if (c->has_udf) {
		show_json_udf(out, "udf", &c->udf);
	} else {
		show_json_name(out, "udf");
		mk_buf_puts(out, "null");
	}
	if (c->file != NULL)
		meshkeys_json_string(out, "file", c->file);
}

void
meshkeys_map_json_end(struct meshkeys_change *c)
{
	struct mk_buf *out = &c->m->out;

	show_json_name(out, "warnings");
	mk_buf_putc(out, '[');
	mk_buf_put(out, c->warnings.data, c->warnings.len);
	mk_buf_puts(out, "]}\n");
}

static int
tell_added(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;

	if (m->json) {
		meshkeys_map_json(c, "map add");
		show_json_bool(&m->out, "denied", c->denied);
		show_json_name(&m->out, "profile");
		if (c->profile.len > 0)
			mk_buf_put(&m->out, c->profile.data, c->profile.len);
		else
			mk_buf_puts(&m->out, "null");
		meshkeys_map_json_end(c);
		return meshkeys_print(m);
	}
	mk_buf_put(&m->out, c->profile.data, c->profile.len);
	mk_buf_put(&m->out, c->warnings.data, c->warnings.len);
	mk_buf_putc(&m->out, '\'');
	meshkeys_put_clean(&m->out, c->user);
	mk_buf_puts(&m->out, c->denied ? "' has no Mesh keys here: " :
	    "' is added to ");
	meshkeys_put_clean(&m->out, m->keep.root.name);
	mk_buf_puts(&m->out, c->file);
	mk_buf_putc(&m->out, '\n');
	return meshkeys_print(m);
}

void
meshkeys_map_release(struct meshkeys_change *c)
{
	mk_map_edit_close(&c->edit);
	mk_buf_release(&c->profile);
	mk_buf_release(&c->warnings);
	free(c->options);
	free(c->gecos);
}

/* The command line, and the host that it is about. */
int
meshkeys_map_begin(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	int e;

	mk_buf_init(&c->warnings, WARNINGS_MAX);
	if ((e = meshkeys_need_root(m)) != 0 ||
	    (e = take_user(c, m->args[0])) != 0 ||
	    (e = take_words(c, 1)) != 0 ||
	    (e = meshkeys_map_host(m)) != 0)
		return e;
	m->user = c->user;
	return 0;
}

int
meshkeys_map_add(struct meshkeys *m)
{
	struct meshkeys_change c = { .m = m,
	    .edit = { .lock = -1, .dir = -1 } };
	int e;

	if ((e = meshkeys_map_begin(&c)) != 0 || (e = check_options(&c)) != 0)
		goto out;
	if (c.has_udf)
		meshkeys_map_profile(&c);
	warn_account(&c);
	e = mk_map_edit_open(&m->keep.root, true, &c.edit, &m->why);
	if (e == 0)
		e = add_locked(&c);
	if (e != 0)
		goto out;
	meshkeys_map_log(&c, c.denied ? "a user has no Mesh keys by order of "
	    "an administrator" : "a profile was given to a user by an "
	    "administrator");
	e = tell_added(&c);
out:
	meshkeys_map_release(&c);
	return e;
}
