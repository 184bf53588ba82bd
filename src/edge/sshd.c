/* SPDX-License-Identifier: ISC */
#include "edge/sshd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/child.h"
#include "edge/judge.h"

#define STAGE		"sshd"
#define SECONDS		20
#define OUT_MAX		(1u << 20)
#define ERR_MAX		4096u
#define NOBODY		"meshkeys-asks-for-nobody"

struct setting {
	const char *keyword, *value;
};

struct mk_sshd_settings {
	char *text;
	struct setting *settings;
	size_t n;
};

/* What it said, one after the other. */
struct said {
	struct mk_buf out, err;
	int status;
};

static void
said_release(struct said *said)
{
	mk_buf_release(&said->out);
	mk_buf_release(&said->err);
}

/* Released by the caller in any case. */
static int
run(const char *const *argv, struct said *said, struct mk_why *why)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *const env[] = { path, NULL };
	const struct mk_child child = { .argv = argv, .seconds = SECONDS,
	    .env = env, .err = &said->err };

	mk_buf_init(&said->out, OUT_MAX);
	mk_buf_init(&said->err, ERR_MAX);
	return mk_child_run(&child, &said->out, &said->status, why);
}

static const char *
text_of(const struct mk_buf *b)
{
	return b->data == NULL ? "" : b->data;
}

/* "OpenSSH_9.2p1"; one that does not know -V says it with its usage. */
static void
read_version(struct mk_sshd *sshd)
{
	const char *const argv[] = { sshd->program, "-V", NULL };
	const char *s = NULL;
	struct said said;

	if (run(argv, &said, NULL) == MK_OK) {
		s = strstr(text_of(&said.err), "OpenSSH_");
		if (s == NULL)
			s = strstr(text_of(&said.out), "OpenSSH_");
	}
	if (s == NULL || sscanf(s, "OpenSSH_%3u.%3u", &sshd->major,
	    &sshd->minor) != 2)
		sshd->major = sshd->minor = 0;
	said_release(&said);
}

/* A path from /proc is no more than a name: what is there by now we run. */
static bool
is_roots(const char *path)
{
	struct mk_root root;
	bool good;

	if (access(path, X_OK) != 0 || mk_root_open(NULL, &root, NULL) != 0)
		return false;
	good = mk_program_check(&root, path, NULL) == MK_OK;
	mk_root_close(&root);
	return good;
}

int
mk_sshd_find(struct mk_sshd *ret_sshd, struct mk_why *why)
{
	static const char *const places[] = { "/usr/sbin/sshd",
	    "/usr/local/sbin/sshd", "/sbin/sshd" };
	struct mk_sshd_running running;
	struct mk_sshd sshd = { .program = NULL };
	const char *found = NULL;
	size_t i;
	int e;

	e = mk_sshd_running(NULL, &running, why);
	if (e != MK_OK && e != MK_E_ABSENT)
		return e;
	if (e == MK_OK && is_roots(running.program))
		found = running.program;
	for (i = 0; found == NULL && i < sizeof(places) / sizeof(places[0]);
	    i++)
		if (access(places[i], X_OK) == 0)
			found = places[i];
	if (found != NULL)
		sshd.program = strdup(found);
	if (e == MK_OK)
		mk_sshd_running_release(&running);
	if (found == NULL)
		return mk_fail(why, MK_E_ABSENT, STAGE, "there is no sshd "
		    "in /usr/sbin, /usr/local/sbin or /sbin");
	if (sshd.program == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	read_version(&sshd);
	*ret_sshd = sshd;
	return MK_OK;
}

void
mk_sshd_release(struct mk_sshd *sshd)
{
	free(sshd->program);
	sshd->program = NULL;
}

/* Lines of a terminal as one line: what came first matters most. */
static int
refused(const struct said *said, struct mk_why *why)
{
	const char *missing = "Missing privilege separation directory: ";
	const char *s = text_of(&said->err), *repair;
	struct mk_buf line;
	int e;

	mk_buf_init(&line, ERR_MAX * 2);
	for (; *s != '\0'; s += strspn(s, "\r\n")) {
		mk_buf_puts(&line, line.len > 0 ? ", " : "");
		mk_buf_put(&line, s, strcspn(s, "\r\n"));
		s += strcspn(s, "\r\n");
	}
	if (line.len == 0)
		mk_buf_puts(&line, "it does not say why");
	repair = strstr(text_of(&line), missing);
	e = mk_buf_check(&line, why, STAGE);
	if (e == MK_OK && repair != NULL)
		e = mk_fail(why, MK_E_CONFIG, STAGE, "%s; run: mkdir -m 0755 "
		    "%.*s", line.data, (int)strcspn(repair +
		    strlen(missing), ","), repair + strlen(missing));
	else if (e == MK_OK)
		e = mk_fail(why, MK_E_CONFIG, STAGE, "%s", line.data);
	mk_buf_release(&line);
	return e;
}

static int
need_root(const char *what, struct mk_why *why)
{
	if (geteuid() == 0)
		return MK_OK;
	return mk_fail(why, MK_E_PERM, STAGE,
	    "only root can ask sshd by \"sshd -%s\"", what);
}

int
mk_sshd_test(const struct mk_sshd *sshd, const char *config,
    struct mk_why *why)
{
	const char *const argv[] = { sshd->program, "-t",
	    config == NULL ? NULL : "-f", config, NULL };
	struct said said;
	int e;

	e = need_root("t", why);
	if (e != MK_OK)
		return e;
	e = run(argv, &said, why);
	if (e == MK_OK && said.status != 0)
		e = refused(&said, why);
	said_release(&said);
	return e;
}

/* NULL, or that user's connection; malloc'd. */
static char *
connection(const struct mk_sshd_ask *ask, bool all)
{
	const char *local = all ? ",laddr=127.0.0.1,lport=22" : "";
	char *spec;

	if (asprintf(&spec, "user=%s,host=%s,addr=%s%s",
	    ask->user == NULL ? NOBODY : ask->user,
	    ask->host == NULL ? "localhost" : ask->host,
	    ask->addr == NULL ? "127.0.0.1" : ask->addr, local) < 0)
		return NULL;
	return spec;
}

/* Asks once; with a connection or none. */
static int
ask_once(const struct mk_sshd *sshd, const char *config, const char *spec,
    struct said *said, struct mk_why *why)
{
	const char *argv[] = { sshd->program, "-T", NULL, NULL, NULL, NULL,
	    NULL };
	size_t n = 2;

	if (config != NULL) {
		argv[n++] = "-f";
		argv[n++] = config;
	}
	if (spec != NULL) {
		argv[n++] = "-C";
		argv[n++] = spec;
	}
	return run(argv, said, why);
}

static bool
wants_more(const struct said *said)
{
	return said->status != 0 && strstr(text_of(&said->err),
	    "not in connection test specification") != NULL;
}

/*
 * Where there is a Match, sshd before 8.2 or so wants each thing named that
 * any Match asks for, and refuses to tell a thing without; a newer one takes
 * what is not named as what matches nothing, which is the better answer.
 */
static int
ask_sshd(const struct mk_sshd *sshd, const struct mk_sshd_ask *ask,
    struct said *said, struct mk_why *why)
{
	char *spec = ask->user == NULL ? NULL : connection(ask, false);
	int e;

	if (ask->user != NULL && spec == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	e = ask_once(sshd, ask->config, spec, said, why);
	free(spec);
	if (e != MK_OK || !wants_more(said))
		return e;
	spec = connection(ask, true);
	if (spec == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	said_release(said);
	e = ask_once(sshd, ask->config, spec, said, why);
	free(spec);
	return e;
}

/* "keyword value" lines; newer ones print keywords in mixed case. */
static int
take_settings(char *text, struct mk_sshd_settings *s, struct mk_why *why)
{
	char *line, *value, *p, *next;
	size_t n = 0;

	for (p = text; *p != '\0'; p++)
		n += *p == '\n';
	s->settings = calloc(n + 1, sizeof(*s->settings));
	if (s->settings == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (line = text; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next == '\n')
			*next++ = '\0';
		value = line + strcspn(line, " ");
		if (*value == ' ')
			*value++ = '\0';
		s->settings[s->n++] = (struct setting){ line, value };
	}
	return MK_OK;
}

int
mk_sshd_settings(const struct mk_sshd *sshd, const struct mk_sshd_ask *ask,
    struct mk_sshd_settings **ret_settings, struct mk_why *why)
{
	struct mk_sshd_settings *s;
	struct said said;
	int e;

	e = need_root("T", why);
	if (e != MK_OK)
		return e;
	if (ask->user != NULL && strpbrk(ask->user, ",\n") != NULL)
		return mk_fail(why, MK_E_USAGE, STAGE, "sshd cannot be "
		    "asked about a user whose name has a comma");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	e = ask_sshd(sshd, ask, &said, why);
	if (e == MK_OK && said.status != 0)
		e = refused(&said, why);
	if (e == MK_OK && (s->text = strdup(text_of(&said.out))) == NULL)
		e = mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	if (e == MK_OK)
		e = take_settings(s->text, s, why);
	said_release(&said);
	if (e == MK_OK)
		*ret_settings = s;
	else
		mk_sshd_settings_free(s);
	return e;
}

void
mk_sshd_settings_free(struct mk_sshd_settings *settings)
{
	if (settings == NULL)
		return;
	free(settings->text);
	free(settings->settings);
	free(settings);
}

const char *
mk_sshd_get(const struct mk_sshd_settings *settings, const char *keyword,
    size_t i)
{
	size_t k;

	for (k = 0; k < settings->n; k++)
		if (strcasecmp(settings->settings[k].keyword, keyword) == 0 &&
		    i-- == 0)
			return settings->settings[k].value;
	return NULL;
}
