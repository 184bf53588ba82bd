/* SPDX-License-Identifier: ISC */
/*
 * /delete: a device out of the profile, for good.
 */
#include "cmd/man_sshkey.h"

/* With its keys, so that she sees what no longer logs in. */
static int
show(struct meshman *m, const struct mk_udf *device)
{
	int e;

	mk_buf_putc(&m->out, '\'');
	if ((e = meshman_device_name(m, device, &m->out)) != 0)
		return e;
	mk_buf_puts(&m->out, "' ");
	show_udf(&m->out, device);
	mk_buf_putc(&m->out, '\n');
	meshman_put_keys(m, device, "    ");
	return meshman_print(m);
}

/* Its online key could take everything back, whoever is told otherwise. */
static int
check(struct meshman *m, const struct mk_udf *device)
{
	if (!meshman_is_admin(m, device))
		return 0;
	if (m->profile.view->master->n_online == 1)
		return mk_fail(&m->why, MK_E_REFUSED, "delete", "the last "
		    "administrator cannot be deleted: nobody could change "
		    "the profile any more");
	return mk_fail(&m->why, MK_E_REFUSED, "delete", "this device is an "
	    "administrator: to delete it needs the master key, and this "
	    "version does not do that");
}

static int
change(struct meshman *m, struct mk_draft *draft, void *arg)
{
	return mk_draft_delete(draft, arg, &m->why);
}

static void
tell(struct meshman *m, const struct mk_udf *device)
{
	const int64_t t = m->profile.view->version.personal_time;

	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"delete\"");
		show_json_udf(&m->out, "device", device);
		show_json_time(&m->out, "version", t);
		mk_buf_puts(&m->out, "}\n");
		return;
	}
	mk_buf_puts(&m->out, "deleted in the version of ");
	show_time(&m->out, t);
	mk_buf_puts(&m->out, m->state.has_account ? ";\nhosts follow when "
	    "they next ask the portal, and what is logged in there stays\n"
	    "so until it is ended\n" : "; it is published nowhere, so hand "
	    "the profile on with /export\n");
}

int
meshman_delete(struct meshman *m)
{
	struct mk_udf device;
	int e;

	if ((e = meshman_find_device(m, m->args[0], &device)) != 0 ||
	    (e = check(m, &device)) != 0)
		return e;
	if (!m->opt.json && (e = show(m, &device)) != 0)
		return e;
	if ((e = meshman_confirm(m, "Delete this device, for good? "
	    "[y/N] ")) != 0 || (e = meshman_publish(m, change,
	    &device)) != 0)
		return e;
	tell(m, &device);
	return 0;
}
