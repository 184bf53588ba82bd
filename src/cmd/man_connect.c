/* SPDX-License-Identifier: ISC */
/*
 * /connect: this device asks to join a profile.  What the portal says of an
 * account is a proposal: the fingerprint is compared by the person, or the
 * PIN proves it later, when the answer comes.
 */
#include <config.h>

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/man_request.h"
#include "cmd/man_sshkey.h"
#include "edge/terminal.h"

#define PIN_LINE	256u		/* bytes of a line with a PIN */

/* What the person wants. */
struct connecting {
	struct mk_account account;
	bool ssh, host;
	bool has_expect;
	struct mk_udf expect;
	struct mk_pin *pin;		/* of sodium_malloc(), or NULL */
	struct mk_udf master;		/* that the portal proposes */
};

static int
usage(struct meshman *m, const char *what)
{
	return mk_fail(&m->why, MK_E_USAGE, "connect", "%s", what);
}

static int
read_word(struct meshman *m, const char *arg, struct connecting *c)
{
	if (meshman_is(arg, "admin"))
		return usage(m, "this version makes no further "
		    "administrators");
	if (meshman_is(arg, "ssh"))
		c->ssh = true;
	else if (meshman_is(arg, "host"))
		c->host = true;
	else
		return mk_fail(&m->why, MK_E_USAGE, "connect", "'%s' is "
		    "neither '/ssh' nor '/host'", arg);
	return 0;
}

static int
read_args(struct meshman *m, struct connecting *c)
{
	const char *account = m->args[0], *expect = m->opt.expect;
	int i, e;

	if (!mk_account_parse(account, strlen(account), &c->account))
		return mk_fail(&m->why, MK_E_USAGE, "connect",
		    "'%s' is no account, as alice@example.com is one",
		    account);
	for (i = 1; i < m->n_args; i++) {
		if ((e = read_word(m, m->args[i], c)) != 0)
			return e;
	}
	if (c->host && !c->ssh)
		return usage(m, "'/host' stands behind '/ssh'");
	if (!c->ssh && (m->opt.key != NULL || m->opt.agent ||
	    m->opt.passphrase))
		return usage(m, "an option about an SSH key needs '/ssh'");
	if (c->host && (m->opt.key != NULL || m->opt.agent))
		return usage(m, "a host has no key for logging in, so there "
		    "is none to name");
	c->has_expect = expect != NULL;
	if (c->has_expect &&
	    !mk_udf_parse_typed(expect, strlen(expect), &c->expect))
		return usage(m, "what stands behind '--expect' is no whole "
		    "fingerprint");
	return 0;
}

/* The first line of standard input, named by "-" and by nothing else. */
static int
read_input(struct meshman *m, char **ret_line)
{
	char *line = sodium_malloc(PIN_LINE + 1);
	size_t n = 0;
	ssize_t k = 1;

	if (line == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "pin", "out of memory");
	while (n < PIN_LINE && (k = read(STDIN_FILENO, line + n, 1)) == 1 &&
	    line[n] != '\n')
		n++;
	if (k == -1 || n == PIN_LINE) {
		sodium_free(line);
		return mk_fail(&m->why, MK_E_USAGE, "pin",
		    "cannot read a PIN from standard input");
	}
	line[n] = '\0';
	*ret_line = line;
	return 0;
}

static int
parse_pin(struct meshman *m, const char *s, struct connecting *c)
{
	c->pin = sodium_malloc(sizeof(*c->pin));
	if (c->pin == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "pin", "out of memory");
	if (mk_pin_parse(s, strlen(s), c->pin))
		return 0;
	return mk_fail(&m->why, MK_E_USAGE, "pin",
	    "what was given is no PIN of %d letters", MK_PIN_LETTERS);
}

static int
read_pin(struct meshman *m, struct connecting *c)
{
	char *line;
	int e;

	if (m->opt.pin == NULL)
		return 0;
	if (strcmp(m->opt.pin, "-") != 0)
		return parse_pin(m, m->opt.pin, c);
	if (isatty(STDIN_FILENO) == 1)
		e = mk_terminal_secret("PIN: ", PIN_LINE, &line, &m->why);
	else
		e = read_input(m, &line);
	if (e != 0)
		return e;
	e = parse_pin(m, line, c);
	sodium_free(line);
	return e;
}

static bool
same_pin(const struct mk_pin *a, const struct mk_pin *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return sodium_memcmp(a, b, sizeof(*a)) == 0;
}

/* Whether a request that waits is the one that is asked for now. */
static bool
is_same(const struct meshman_filed *filed, const struct connecting *c)
{
	const struct mk_connection_request *req = &filed->read.request;

	return strcmp(filed->account.text, c->account.text) == 0 &&
	    same_pin(filed->pin, c->pin) && req->has_ssh == c->ssh &&
	    (!c->ssh || req->ssh.host == c->host) &&
	    (!c->has_expect || mk_udf_cmp(&req->parent, &c->expect) == 0) &&
	    !meshman_filed_lapsed(filed);
}

static int
use_portal(struct meshman *m, const struct mk_account *account,
    const char *portal)
{
	m->state.has_account = true;
	m->state.account = *account;
	free(m->state.portal);
	m->state.portal = portal != NULL ? strdup(portal) : NULL;
	if (portal != NULL && m->state.portal == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "connect",
		    "out of memory");
	return 0;
}

static void
put_fingerprints(struct meshman *m, const struct mk_udf *master)
{
	if (m->opt.json)
		return;
	mk_buf_puts(&m->out, "profile: ");
	show_udf(&m->out, master);
	mk_buf_puts(&m->out, "\nthis device: ");
	show_udf(&m->out, &m->state.device);
	mk_buf_putc(&m->out, '\n');
}

/* *ret_done: the one that waited was sent again. */
static int
resend(struct meshman *m, const struct connecting *c, bool *ret_done)
{
	struct meshman_filed filed;
	int e;

	*ret_done = false;
	e = meshman_filed_read(m, &filed);
	if (e == MK_E_ABSENT)
		return 0;
	if (e != 0)
		return e;
	*ret_done = is_same(&filed, c);
	if (!*ret_done) {
		e = meshman_filed_give_up(m);
	} else if ((e = use_portal(m, &filed.account,
	    filed.portal)) == 0 &&
	    (e = meshman_filed_send(m, &filed)) == 0) {
		put_fingerprints(m, &filed.read.request.parent);
		meshman_filed_tell(m, &filed);
	}
	meshman_filed_release(&filed);
	if (e == MESHMAN_E_CONFLICT)
		e = m->why.code = MK_E_REFUSED;
	return e;
}

/* That it verifies shows that it is a profile, not whose. */
static int
check_proposal(struct meshman *m, const struct mk_bytes *set,
    struct connecting *c)
{
	struct mk_demand demand = { .set = set->data, .set_len = set->len,
	    .now = meshman_now(), .build_time = MK_BUILD_TIME,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true };
	const struct mk_verified *verified;
	struct mk_arena a;
	int e;

	if (set->len > MK_SET_MAX)
		return mk_fail(&m->why, MK_E_REFUSED, "set",
		    "larger than the limit of %u bytes", MK_SET_MAX);
	mk_arena_init(&a, mk_verify_memory(set->len));
	if ((e = mk_claimed_udf(&a, set, &demand.udf, &m->why)) == 0 &&
	    (e = mk_verify(&a, &demand, &verified, &m->why)) == 0 &&
	    mk_verified_view(verified)->gen != MK_GEN_CURRENT)
		e = mk_fail(&m->why, MK_E_REFUSED, "set",
		    "a profile of an earlier form, which takes no devices");
	if (e == 0)
		c->master = demand.udf;
	mk_arena_release(&a);
	return e;
}

static int
propose(struct meshman *m, struct connecting *c)
{
	struct meshman_reply reply = { 0 };
	struct mk_bytes set;
	int e;

	if ((e = meshman_get_account(m, &reply)) != 0)
		return e;
	set = (struct mk_bytes){ reply.text, reply.len };
	e = check_proposal(m, &set, c);
	meshman_reply_release(&reply);
	return meshman_set_refused(m, e);
}

/* No option stands for this yes: it would be trust in the portal. */
static int
compare(struct meshman *m, const struct connecting *c)
{
	char expected[MK_UDF_TEXT + 1];
	bool yes = false;
	int e;

	if (c->has_expect && mk_udf_cmp(&c->expect, &c->master) != 0) {
		mk_udf_format(&c->expect, expected);
		return mk_fail(&m->why, MK_E_REFUSED, "connect", "THIS IS "
		    "NOT THE PROFILE EXPECTED: the portal has another one "
		    "under this account, not '%s'; nothing was sent",
		    expected);
	}
	if (c->has_expect || c->pin != NULL)
		return 0;
	if (m->opt.json || !mk_terminal_there())
		return mk_fail(&m->why, MK_E_USAGE, "connect", "nobody can "
		    "compare the fingerprint here: add --expect FINGERPRINT "
		    "or --pin PIN");
	if ((e = mk_terminal_yes("Is this the fingerprint of your profile, "
	    "all of it? [y/N] ", &yes, &m->why)) != 0)
		return e;
	return yes ? 0 : mk_fail(&m->why, MK_E_REFUSED, "connect",
	    "not confirmed; nothing was sent");
}

static int
file_with_key(struct meshman *m, const struct connecting *c,
    struct mk_arena *a, struct meshman_asking *asking)
{
	struct meshman_ssh_keys keys;
	struct mk_ssh_device host;
	int e;

	if (c->host) {
		if ((e = meshman_ssh_host(m, a, &host)) != 0)
			return e;
		asking->ssh = &host;
		return meshman_request_file(m, asking);
	}
	if ((e = meshman_ssh_keys(m, a, &c->master, &keys)) != 0)
		return e;
	if (keys.n != 1)
		return mk_fail(&m->why, MK_E_USAGE, "connect", "a request "
		    "carries one key, and there are %zu; name one with "
		    "--key", keys.n);
	asking->ssh = keys.list;
	return meshman_request_file(m, asking);
}

static int
file(struct meshman *m, const struct connecting *c)
{
	struct meshman_asking asking = { .parent = c->master,
	    .pin = c->pin };
	struct mk_arena a;
	int e;

	if (!c->ssh)
		return meshman_request_file(m, &asking);
	mk_arena_init(&a, MK_ARENA_FLOOR);
	e = file_with_key(m, c, &a, &asking);
	mk_arena_release(&a);
	return e;
}

/* The key before the account, which is remembered only with a profile. */
static int
have_device(struct meshman *m)
{
	struct mk_secret secret = { 0 };
	struct mk_envelope envelope;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	e = meshman_device_have(m, &a, &secret, &envelope);
	mk_secret_free(&secret);
	mk_arena_release(&a);
	return e;
}

static int
connect(struct meshman *m, struct connecting *c)
{
	bool done;
	int e;

	if ((e = read_args(m, c)) != 0 || (e = read_pin(m, c)) != 0 ||
	    (e = resend(m, c, &done)) != 0 || done)
		return e;
	if ((e = have_device(m)) != 0 ||
	    (e = use_portal(m, &c->account, NULL)) != 0 ||
	    (e = propose(m, c)) != 0)
		return e;
	put_fingerprints(m, &c->master);
	if ((e = meshman_print(m)) != 0 || (e = compare(m, c)) != 0)
		return e;
	return file(m, c);
}

int
meshman_connect(struct meshman *m)
{
	struct connecting c = { 0 };
	int e;

	if (m->state.has_profile)
		return mk_fail(&m->why, MK_E_USAGE, "connect",
		    "this device has a profile already; for another one, or "
		    "after it was deleted, move '%s' away or set "
		    "XDG_DATA_HOME", m->home.path);
	e = connect(m, &c);
	sodium_free(c.pin);
	return e;
}
