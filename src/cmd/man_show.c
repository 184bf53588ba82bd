/* SPDX-License-Identifier: ISC */
/*
 * meshman /list, /dump, /device and /fingerprint: what there is.  Text of
 * the set is shown cleaned and cut; /dump alone shows it whole, as JSON
 * escapes it.
 */
#include <config.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/man_sshkey.h"
#include "cmd/meshman.h"
#include "core/timestamp.h"

static void
put_profile(struct meshman *m)
{
	const struct mk_verified_view *view = m->profile.view;
	struct mk_buf *out = &m->out;

	mk_buf_puts(out, "profile:  ");
	show_udf(out, &m->state.master);
	if (m->state.has_account) {
		mk_buf_puts(out, "\naccount:  ");
		mk_buf_puts(out, m->state.account.text);
	}
	if (m->state.portal != NULL) {
		mk_buf_puts(out, "\nportal:   ");
		show_clean(out, m->state.portal, strlen(m->state.portal));
	}
	mk_buf_puts(out, "\nsigned:   ");
	show_time(out, view->version.personal_time);
	if (view->expires != MK_TIME_NONE) {
		mk_buf_puts(out, m->profile.expired ? "\nEXPIRED:  " :
		    "\nexpires:  ");
		show_time(out, view->expires);
	}
	mk_buf_putc(out, '\n');
}

/* Whether this is the very device that the program runs on. */
static bool
is_this(const struct meshman *m, const struct mk_udf *device)
{
	return m->state.has_device &&
	    mk_udf_cmp(&m->state.device, device) == 0;
}

static int
put_device(struct meshman *m, const struct mk_udf *device)
{
	int e;

	mk_buf_puts(&m->out, "    ");
	show_udf(&m->out, device);
	mk_buf_puts(&m->out, "  ");
	if ((e = meshman_device_name(m, device, &m->out)) != 0)
		return e;
	if (is_this(m, device))
		mk_buf_puts(&m->out, "  (this device)");
	if (meshman_is_admin(m, device))
		mk_buf_puts(&m->out, "  (administrator)");
	mk_buf_putc(&m->out, '\n');
	meshman_put_keys(m, device, "        ");
	return 0;
}

static int
list_text(struct meshman *m)
{
	const struct mk_personal *p = m->profile.view->personal;
	size_t i;
	int e = 0;

	put_profile(m);
	mk_buf_puts(&m->out, "devices:  ");
	mk_buf_putu(&m->out, p->n_devices);
	if (p->n_deleted > 0) {
		mk_buf_puts(&m->out, ", and ");
		mk_buf_putu(&m->out, p->n_deleted);
		mk_buf_puts(&m->out, " deleted");
	}
	mk_buf_putc(&m->out, '\n');
	for (i = 0; e == 0 && i < p->n_devices; i++)
		e = put_device(m, &p->devices[i].id);
	return e;
}

/* An array; the comma that each member begins with is for objects. */
static void
json_keys(struct meshman *m, const struct mk_udf *device)
{
	const struct mk_verified_view *view = m->profile.view;
	struct mk_buf text;
	size_t i, n = 0;

	mk_buf_puts(&m->out, ",\"ssh\":[");
	for (i = 0; i < view->n_keys; i++) {
		if (mk_udf_cmp(&view->keys[i].ssh->device, device) != 0)
			continue;
		mk_buf_init(&text, MESHMAN_OUT_MAX);
		meshman_put_ssh(&text, view->keys[i].ssh);
		mk_buf_puts(&m->out, n++ > 0 ? ",{\"host\":" : "{\"host\":");
		mk_buf_puts(&m->out, view->keys[i].ssh->host ? "true" :
		    "false");
		if (!view->keys[i].ssh->host)
			show_json_string(&m->out, "key", text.data,
			    text.len);
		mk_buf_putc(&m->out, '}');
		mk_buf_release(&text);
	}
	mk_buf_putc(&m->out, ']');
}

static int
json_device(struct meshman *m, const struct mk_udf *device)
{
	char udf[MK_UDF_TEXT + 1];
	struct mk_buf name;
	int e;

	mk_udf_format(device, udf);
	mk_buf_puts(&m->out, "{\"device\":\"");
	mk_buf_puts(&m->out, udf);
	mk_buf_putc(&m->out, '"');
	mk_buf_init(&name, MESHMAN_OUT_MAX);
	if ((e = meshman_device_name(m, device, &name)) == 0) {
		show_json_string(&m->out, "name", name.data, name.len);
		show_json_bool(&m->out, "this", is_this(m, device));
		show_json_bool(&m->out, "administrator",
		    meshman_is_admin(m, device));
		json_keys(m, device);
		mk_buf_putc(&m->out, '}');
	}
	mk_buf_release(&name);
	return e;
}

static void
json_profile(struct meshman *m)
{
	const struct mk_verified_view *view = m->profile.view;

	show_json_udf(&m->out, "fingerprint", &m->state.master);
	if (m->state.has_account)
		show_json_string(&m->out, "account", m->state.account.text,
		    strlen(m->state.account.text));
	if (m->state.portal != NULL)
		show_json_string(&m->out, "portal", m->state.portal,
		    strlen(m->state.portal));
	show_json_time(&m->out, "signed", view->version.personal_time);
	show_json_time(&m->out, "master", view->version.master_time);
	show_json_time(&m->out, "expires", view->expires);
	show_json_bool(&m->out, "expired", m->profile.expired);
}

static int
list_json(struct meshman *m)
{
	const struct mk_personal *p = m->profile.view->personal;
	size_t i;
	int e = 0;

	mk_buf_puts(&m->out, "{\"word\":\"list\"");
	json_profile(m);
	show_json_number(&m->out, "deleted", p->n_deleted);
	mk_buf_puts(&m->out, ",\"devices\":[");
	for (i = 0; e == 0 && i < p->n_devices; i++) {
		if (i > 0)
			mk_buf_putc(&m->out, ',');
		e = json_device(m, &p->devices[i].id);
	}
	mk_buf_puts(&m->out, "]}\n");
	return e;
}

int
meshman_list(struct meshman *m)
{
	return m->opt.json ? list_json(m) : list_text(m);
}

static void
device_json(struct meshman *m, bool member, bool admin)
{
	const struct meshman_state *s = &m->state;

	mk_buf_puts(&m->out, "{\"word\":\"device\"");
	if (s->has_device) {
		show_json_udf(&m->out, "device", &s->device);
		show_json_string(&m->out, "name", s->name, strlen(s->name));
	}
	if (s->has_profile)
		show_json_udf(&m->out, "profile", &s->master);
	show_json_bool(&m->out, "member", member);
	show_json_bool(&m->out, "administrator", admin);
	show_json_string(&m->out, "directory", m->home.path,
	    strlen(m->home.path));
	mk_buf_puts(&m->out, "}\n");
}

static void
device_text(struct meshman *m, bool member, bool admin)
{
	const struct meshman_state *s = &m->state;
	struct mk_buf *out = &m->out;

	mk_buf_puts(out, "device:   ");
	if (s->has_device) {
		show_udf(out, &s->device);
		mk_buf_puts(out, "  ");
		meshman_put_clean(out, s->name, strlen(s->name));
	} else {
		mk_buf_puts(out, "none yet");
	}
	mk_buf_puts(out, "\nprofile:  ");
	if (s->has_profile)
		show_udf(out, &s->master);
	else
		mk_buf_puts(out, "none yet");
	if (s->has_profile)
		mk_buf_puts(out, admin ? "\nmember:   yes, administrator" :
		    member ? "\nmember:   yes" : "\nmember:   no");
	mk_buf_puts(out, "\nfiles:    ");
	show_clean(out, m->home.path, strlen(m->home.path));
	mk_buf_putc(out, '\n');
	if (member)
		meshman_put_keys(m, &s->device, "        ");
}

int
meshman_device(struct meshman *m)
{
	bool member = false, admin = false;
	int e;

	if (!m->state.has_device && !m->state.has_profile)
		return mk_fail(&m->why, MK_E_NOPROFILE, "device",
		    "this device has no key yet; /personal or /connect makes "
		    "one");
	if (m->state.has_profile) {
		if ((e = meshman_profile_read(m)) != 0)
			return e;
		member = m->state.has_device &&
		    meshman_is_member(m, &m->state.device);
		admin = m->state.admin &&
		    meshman_is_admin(m, &m->state.device);
	}
	if (m->opt.json)
		device_json(m, member, admin);
	else
		device_text(m, member, admin);
	return 0;
}

int
meshman_fingerprint(struct meshman *m)
{
	char udf[MK_UDF_TEXT + 1];
	int e;

	mk_udf_format(&m->state.master, udf);
	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"fingerprint\"");
		show_json_udf(&m->out, "fingerprint", &m->state.master);
		mk_buf_puts(&m->out, "}\n");
		return 0;
	}
	if ((e = meshman_put_qr(m, udf)) != 0)
		return e;
	mk_buf_puts(&m->out, udf);
	mk_buf_putc(&m->out, '\n');
	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	mk_buf_puts(&m->out, "\nfor the administrator of a host:\n"
	    "    meshkeys map add YOUR-NAME-THERE ");
	mk_buf_puts(&m->out, udf);
	mk_buf_putc(&m->out, '\n');
	return 0;
}
