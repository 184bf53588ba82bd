/* SPDX-License-Identifier: ISC */
/*
 * The keys of this device, their passphrases, and the clock that signatures
 * are dated by.
 */
#include <config.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/meshman.h"
#include "edge/terminal.h"

#define TRIES	3

int64_t
meshman_now(void)
{
	const int64_t now = time(NULL);

	return now < MK_BUILD_TIME ? MK_E_STALE : now;
}

static int
no_terminal(struct meshman *m, const char *what)
{
	return mk_fail(&m->why, MK_E_USAGE, "terminal",
	    "nobody can be asked here: %s", what);
}

/* Three times, as login(1) does: fingers slip. */
static int
open_locked(struct meshman *m, const char *name, struct mk_secret *ret_secret)
{
	char prompt[80], *pass;
	int e = MK_E_PERM, i;

	if (!mk_terminal_there())
		return no_terminal(m, "the key lies under a passphrase");
	(void)snprintf(prompt, sizeof(prompt), "passphrase of %s: ", name);
	for (i = 0; i < TRIES && e == MK_E_PERM; i++) {
		if (i > 0)
			meshman_warn("%s", m->why.detail);
		e = mk_terminal_secret(prompt, MESHMAN_PASS_MAX, &pass,
		    &m->why);
		if (e != 0)
			return e;
		e = mk_keyfile_read(&m->home, name, pass, ret_secret,
		    &m->why);
		sodium_free(pass);
	}
	return e;
}

int
meshman_key(struct meshman *m, const char *name, struct mk_secret *ret_secret)
{
	struct mk_keyfile_info info;
	int e;

	e = mk_keyfile_look(&m->home, name, &info, &m->why);
	if (e == MK_E_ABSENT)
		return mk_fail(&m->why, MK_E_NOPROFILE, "key",
		    "there is no '%s' on this device", name);
	if (e != 0)
		return e;
	if (info.locked)
		return open_locked(m, name, ret_secret);
	return mk_keyfile_read(&m->home, name, NULL, ret_secret, &m->why);
}

/* One that is not what was meant could never be opened again. */
static int
ask_twice(struct meshman *m, char **ret_pass, bool *ret_same)
{
	char *first, *second;
	int e;

	e = mk_terminal_secret("passphrase for the master key: ",
	    MESHMAN_PASS_MAX, &first, &m->why);
	if (e != 0)
		return e;
	if (first[0] == '\0') {
		sodium_free(first);
		return mk_fail(&m->why, MK_E_USAGE, "passphrase", "it is "
		    "empty; to leave the master key without one, add "
		    "--no-passphrase");
	}
	e = mk_terminal_secret("the same again: ", MESHMAN_PASS_MAX, &second,
	    &m->why);
	if (e != 0) {
		sodium_free(first);
		return e;
	}
	*ret_same = strcmp(first, second) == 0;
	sodium_free(second);
	if (*ret_same)
		*ret_pass = first;
	else
		sodium_free(first);
	return 0;
}

int
meshman_new_passphrase(struct meshman *m, char **ret_pass)
{
	bool same = false;
	int e, i;

	if (m->opt.no_passphrase) {
		*ret_pass = NULL;
		return 0;
	}
	if (!mk_terminal_there())
		return no_terminal(m, "to leave the master key without a "
		    "passphrase, add --no-passphrase");
	for (i = 0; i < TRIES; i++) {
		if ((e = ask_twice(m, ret_pass, &same)) != 0 || same)
			return e;
		meshman_warn("the two differ");
	}
	return mk_fail(&m->why, MK_E_USAGE, "passphrase",
	    "the two differ; nothing was made");
}

int
meshman_confirm(struct meshman *m, const char *question)
{
	bool yes = false;
	int e;

	if (m->opt.yes)
		return 0;
	if (!mk_terminal_there())
		return no_terminal(m, "to answer with yes, add --yes");
	if ((e = mk_terminal_yes(question, &yes, &m->why)) != 0 || yes)
		return e;
	return mk_fail(&m->why, MK_E_USAGE, "terminal",
	    "not confirmed; nothing was changed");
}

int
meshman_seal(struct meshman *m, struct mk_arena *a,
    const struct mk_secret *secret, const struct mk_buf *payload,
    struct mk_envelope *ret_envelope)
{
	const struct mk_signer signer = mk_secret_signer(secret);
	struct mk_unsigned what = { .len = payload->len };
	char id[MK_UDF_TEXT + 1];
	int e;

	if ((e = mk_buf_check(payload, &m->why, "sign")) != 0)
		return e;
	mk_udf_format(&signer.udf, id);
	what.id = mk_arena_dup(a, id, MK_UDF_TEXT);
	what.payload = (const uint8_t *)mk_arena_dup(a, payload->data,
	    payload->len);
	if (what.id == NULL || what.payload == NULL)
		return mk_arena_fail(a, &m->why);
	return mk_seal(a, &what, &signer, ret_envelope, &m->why);
}
