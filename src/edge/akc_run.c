/* SPDX-License-Identifier: ISC */
#include "edge/akc_run.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/sshkey.h"
#include "edge/child.h"
#include "edge/source.h"
#include "edge/sshd_config.h"
#include "edge/tokens.h"

#define STAGE		"command"
#define SHA256_TEXT	(MK_B64STD_LEN(MK_SHA256) - 1)	/* unpadded */
#define PATH_GIVEN	"/usr/local/bin:/usr/bin:/bin:/usr/games"

/* What the tokens stand for. */
struct values {
	const struct mk_akc_ask *ask;
	char *user, *home;		/* malloc'd */
	char uid[3 * sizeof(uid_t) + 1];
	char fingerprint[sizeof("SHA256:") + SHA256_TEXT];
};

/* The account that it runs as. */
struct as {
	struct mk_child_as as;
	char *name;			/* malloc'd */
	char *env[5];			/* malloc'd each */
};

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
}

/* Static memory of getpwnam(3). */
static int
account(const char *name, const struct passwd **ret_pw, struct mk_why *why)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL && !mk_lookup_failed(errno))
		return mk_fail(why, MK_E_ABSENT, STAGE, "no user '%s'", name);
	if (pw == NULL)
		return mk_fail(why, MK_E_SYSTEM, STAGE,
		    "cannot look up '%s': %s", name, strerror(errno));
	*ret_pw = pw;
	return MK_OK;
}

/* The fingerprint of a certificate is that of the key inside. */
static void
set_fingerprint(struct values *v)
{
	const char *type = v->ask->type, *key = v->ask->key;
	uint8_t *blob, digest[MK_SHA256];
	char text[MK_B64STD_LEN(MK_SHA256)];
	struct mk_buf plain;
	size_t len = strlen(key);
	bool known = true;

	blob = malloc(MK_B64_DECODED(len) + 1);
	if (blob == NULL || !mk_b64std_decode(key, len, blob, &len)) {
		free(blob);
		return;
	}
	mk_buf_init(&plain, MK_OFFERED_MAX);
	if (!mk_sshkey_is_cert(type, strlen(type)))
		mk_sha256(blob, len, digest);
	else if ((known = mk_sshkey_cert_plain(blob, len, &plain)))
		mk_sha256((const uint8_t *)plain.data, plain.len, digest);
	mk_buf_release(&plain);
	free(blob);
	if (!known)
		return;
	mk_b64std_encode(digest, MK_SHA256, text);
	memcpy(v->fingerprint, "SHA256:", strlen("SHA256:"));
	memcpy(v->fingerprint + strlen("SHA256:"), text, SHA256_TEXT);
}

static void
values_release(struct values *v)
{
	free(v->user);
	free(v->home);
}

/* What sshd has of who would log in, not what was typed. */
static int
values_fill(struct values *v, struct mk_why *why)
{
	const struct passwd *pw;
	int r;

	r = account(v->ask->user, &pw, why);
	if (r != MK_OK)
		return r;
	v->user = strdup(pw->pw_name);
	v->home = strdup(pw->pw_dir);
	snprintf(v->uid, sizeof(v->uid), "%lu", (unsigned long)pw->pw_uid);
	if (v->user == NULL || v->home == NULL)
		return no_memory(why);
	if (strlen(v->ask->key) <= MK_OFFERED_MAX)
		set_fingerprint(v);
	return MK_OK;
}

static const char *
value_of(const void *arg, char token)
{
	const struct values *v = arg;

	switch (token) {
	case '%':
		return "%";
	case 'u':
		return v->user;
	case 'h':
		return v->home;
	case 'U':
		return v->uid;
	case 't':
		return v->ask->type;
	case 'k':
		return v->ask->key;
	case 'f':
		return v->fingerprint[0] != '\0' ? v->fingerprint : NULL;
	}
	return NULL;
}

static int
split(const struct values *v, char ***ret_argv, struct mk_why *why)
{
	/* sshd ends the connection over one that it does not know. */
	const struct mk_tokens tokens = { .value = value_of, .arg = v,
	    .stage = STAGE, .missing = "is not a token that is known here",
	    .alone = v->user };
	char **words;
	int r;

	if (v->ask->command[0] != '/')
		return mk_fail(why, MK_E_CONFIG, STAGE,
		    "'%s' is not an absolute path", v->ask->command);
	r = mk_sshd_split(v->ask->command, &words, why);
	if (r != MK_OK)
		return r;
	r = mk_tokens_expand(&tokens,
	    (const char *const *)words, ret_argv, why);
	free(words);
	return r;
}

static char *
variable(const char *name, const char *value)
{
	char *s;

	return asprintf(&s, "%s=%s", name, value) < 0 ? NULL : s;
}

static void
as_release(struct as *as)
{
	size_t i;

	free(as->name);
	for (i = 0; i < sizeof(as->env) / sizeof(as->env[0]); i++)
		free(as->env[i]);
}

/* The name of it may have a %u, and no other token. */
static int
as_fill(struct as *as, const struct values *v, struct mk_why *why)
{
	const char *const words[] = { v->ask->as, NULL };
	const struct mk_tokens tokens = { .value = value_of, .arg = v,
	    .stage = STAGE, .missing = "is not known here" };
	const struct passwd *pw;
	char **name;
	int r;

	if ((r = mk_tokens_expand(&tokens, words, &name, why)) != MK_OK)
		return r;
	r = account(name[0], &pw, why);
	free(name);
	if (r != MK_OK)
		return r;
	as->name = strdup(pw->pw_name);
	as->env[0] = variable("PATH", PATH_GIVEN);
	as->env[1] = variable("USER", pw->pw_name);
	as->env[2] = variable("LOGNAME", pw->pw_name);
	as->env[3] = variable("HOME", pw->pw_dir);
	as->as = (struct mk_child_as){ as->name, pw->pw_uid, pw->pw_gid };
	if (as->name == NULL || as->env[0] == NULL || as->env[1] == NULL ||
	    as->env[2] == NULL || as->env[3] == NULL)
		return no_memory(why);
	return MK_OK;
}

static int
run(char *const *argv, const struct as *as, struct mk_akc_result *result,
    struct mk_why *why)
{
	const struct mk_child child = {
		.argv = (const char *const *)(uintptr_t)argv,
		.seconds = MK_AKC_SECONDS, .as = &as->as, .env = as->env,
		.err = &result->err
	};

	return mk_child_run(&child, &result->out, &result->status, why);
}

int
mk_akc_run(const struct mk_akc_ask *ask, struct mk_akc_result *ret_result,
    struct mk_why *why)
{
	struct values v = { .ask = ask };
	struct as as = { .name = NULL };
	struct mk_akc_result result = { .status = 0 };
	char **argv = NULL;
	int r;

	mk_buf_init(&result.out, MK_AKC_OUT_MAX);
	mk_buf_init(&result.err, MK_AKC_ERR_MAX);
	r = values_fill(&v, why);
	if (r == MK_OK)
		r = as_fill(&as, &v, why);
	if (r == MK_OK)
		r = split(&v, &argv, why);
	if (r == MK_OK)
		r = run(argv, &as, &result, why);
	if (r == MK_OK)
		*ret_result = result;
	else
		mk_akc_result_release(&result);
	free(argv);
	as_release(&as);
	values_release(&v);
	return r;
}

void
mk_akc_result_release(struct mk_akc_result *result)
{
	mk_buf_release(&result->out);
	mk_buf_release(&result->err);
}
