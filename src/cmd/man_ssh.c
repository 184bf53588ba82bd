/* SPDX-License-Identifier: ISC */
/*
 * /ssh: the SSH key of this device.  An administration device publishes it
 * at once; any other asks one to do so.
 */
#include "cmd/man_request.h"
#include "cmd/man_sshkey.h"
#include "edge/ssh_dir.h"

enum what { ADD, HOST, REKEY };

/* What becomes of this device's part of the profile. */
struct change {
	const struct mk_ssh_device *list;
	size_t n;
	bool replace;
};

static int
read_what(struct meshman *m, enum what *ret_what)
{
	*ret_what = ADD;
	if (m->n_args == 0)
		return 0;
	*ret_what = meshman_is(m->args[0], "host") ? HOST : REKEY;
	if (*ret_what == REKEY && !meshman_is(m->args[0], "rekey"))
		return mk_fail(&m->why, MK_E_USAGE, "ssh",
		    "'/ssh' is followed by nothing, '/host' or '/rekey'");
	if (*ret_what == HOST && (m->opt.key != NULL || m->opt.agent))
		return mk_fail(&m->why, MK_E_USAGE, "ssh", "a host has no "
		    "key for logging in, so there is none to name");
	return 0;
}

/* In one version, so that there is no moment without a key. */
static int
change(struct meshman *m, struct mk_draft *draft, void *arg)
{
	const struct change *c = arg;
	size_t i;
	int e = 0;

	if (c->replace)
		e = mk_draft_unenrol(draft, &m->state.device, &m->why);
	for (i = 0; i < c->n && e == 0; i++)
		e = mk_draft_enrol(draft, &c->list[i], &m->why);
	return e;
}

/* Of a word that ends here, whether it changed anything or not. */
static void
put_end(struct meshman *m, const char *result, const char *text)
{
	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"ssh\",\"result\":\"");
		mk_buf_puts(&m->out, result);
		mk_buf_putc(&m->out, '"');
		show_json_udf(&m->out, "device", &m->state.device);
		mk_buf_puts(&m->out, "}\n");
	} else {
		mk_buf_puts(&m->out, text);
	}
}

static void
tell(struct meshman *m, const struct change *c)
{
	size_t i;

	for (i = 0; i < c->n && !m->opt.json; i++) {
		mk_buf_puts(&m->out, "in the profile: ");
		meshman_put_ssh(&m->out, &c->list[i]);
		mk_buf_putc(&m->out, '\n');
	}
	put_end(m, "published", m->state.has_account ?
	    "hosts follow when they next ask the portal\n" : "");
}

static int
publish(struct meshman *m, struct change *c)
{
	int e = meshman_publish(m, change, c);

	if (e != 0)
		return e;
	tell(m, c);
	return meshman_ssh_settle(m);
}

/* On acceptance it takes the place of all keys that the device had. */
static int
request(struct meshman *m, const struct change *c,
    const struct meshman_ssh_own *own)
{
	const struct meshman_asking asking = { .parent = m->state.master,
	    .ssh = c->list };

	if (c->n != 1)
		return mk_fail(&m->why, MK_E_USAGE, "ssh", "a request "
		    "carries one key, and there are %zu; name one with "
		    "--key", c->n);
	if (!m->state.has_account)
		return mk_fail(&m->why, MK_E_NOPROFILE, "ssh", "this profile "
		    "has no account at a portal, so no administration device "
		    "can be asked");
	if (own->keys > 0)
		meshman_warn("once accepted, this key takes the place of "
		    "those that this device has");
	return meshman_request_file(m, &asking);
}

static int
carry_out(struct meshman *m, struct change *c,
    const struct meshman_ssh_own *own)
{
	if (meshman_is_admin(m, &m->state.device))
		return publish(m, c);
	return request(m, c, own);
}

/* Before a key is made in place of that in the request that waits. */
static int
give_up(struct meshman *m)
{
	return meshman_is_admin(m, &m->state.device) ? 0 :
	    meshman_filed_give_up(m);
}

static int
do_host(struct meshman *m, const struct meshman_ssh_own *own)
{
	struct mk_ssh_device host;
	struct change c = { .list = &host, .n = 1 };
	struct mk_arena a;
	int e;

	if (own->keys > 0)
		return mk_fail(&m->why, MK_E_REFUSED, "ssh", "this device "
		    "has SSH keys of yours, so it cannot be a host");
	if (own->host) {
		put_end(m, "unchanged", "this device is a host already\n");
		return 0;
	}
	if ((e = give_up(m)) != 0)
		return e;
	mk_arena_init(&a, MK_ARENA_FLOOR);
	if ((e = meshman_ssh_host(m, &a, &host)) == 0)
		e = carry_out(m, &c, own);
	mk_arena_release(&a);
	return e;
}

static int
do_keys(struct meshman *m, bool anew, const struct meshman_ssh_own *own)
{
	struct change c = { .replace = anew };
	struct meshman_ssh_keys keys;
	struct mk_arena a;
	int e;

	if ((e = give_up(m)) != 0)
		return e;
	mk_arena_init(&a, MK_ARENA_FLOOR);
	e = (anew ? meshman_ssh_keys_anew : meshman_ssh_keys)(m, &a,
	    &m->state.master, &keys);
	if (e == 0 && keys.n > 0) {
		c.list = keys.list;
		c.n = keys.n;
		e = carry_out(m, &c, own);
	} else if (e == 0) {
		put_end(m, "unchanged", "nothing to do\n");
	}
	mk_arena_release(&a);
	return e;
}

static int
check_member(struct meshman *m)
{
	if (meshman_is_member(m, &m->state.device))
		return 0;
	return mk_fail(&m->why, MK_E_REFUSED, "ssh", "this device is no "
	    "device of the profile (any more), so it can have no key "
	    "there");
}

int
meshman_ssh(struct meshman *m)
{
	struct meshman_ssh_own own;
	enum what what;
	int e;

	if ((e = read_what(m, &what)) != 0 || (e = check_member(m)) != 0 ||
	    (e = meshman_ssh_settle(m)) != 0 ||
	    (e = meshman_ssh_own(m, &own)) != 0)
		return e;
	if (what == HOST)
		return do_host(m, &own);
	/* Nobody stays a host because of one word too many. */
	if (own.host && what == ADD)
		return mk_fail(&m->why, MK_E_REFUSED, "ssh", "this device "
		    "is a host, which has no keys for logging in; to give it "
		    "one instead, run: meshman /ssh /rekey");
	if (what == ADD && own.mesh && m->opt.key == NULL && !m->opt.agent) {
		put_end(m, "unchanged", "this device has its key, ~/.ssh/"
		    MK_SSH_KEY ", already; for a new one run:\n"
		    "    meshman /ssh /rekey\n");
		return 0;
	}
	return do_keys(m, what == REKEY, &own);
}
