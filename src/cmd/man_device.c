/* SPDX-License-Identifier: ISC */
/*
 * device.key and the DeviceProfile that it signs.  The profile follows from
 * the key and the name in state.json, so that it is the same each time.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/meshman.h"

#define PAYLOAD_MAX	8192u

/* Others see it in lists and in logs. */
static bool
is_name(const char *s)
{
	size_t n = strnlen(s, MK_TEXT_MAX + 1), i;

	for (i = 0; i < n; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return n > 0 && n <= MK_TEXT_MAX && s[0] != ' ' && s[n - 1] != ' ';
}

/* The first label of the host's name. */
static void
host_name(char out[MK_TEXT_MAX + 1])
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) == 0)
		name[strcspn(name, ".")] = '\0';
	if (!is_name(name))
		(void)strcpy(name, "device");
	(void)memcpy(out, name, strlen(name) + 1);
}

static int
choose_name(struct meshman *m, bool *ret_changed)
{
	struct meshman_state *s = &m->state;

	*ret_changed = false;
	if (m->opt.name != NULL && !is_name(m->opt.name))
		return mk_fail(&m->why, MK_E_USAGE, "device", "a name of a "
		    "device has 1 to %u printable characters of ASCII",
		    MK_TEXT_MAX);
	if (m->opt.name != NULL)
		*ret_changed = strcmp(s->name, m->opt.name) != 0;
	else
		*ret_changed = s->name[0] == '\0';
	if (!*ret_changed)
		return 0;
	if (m->opt.name != NULL)
		(void)strcpy(s->name, m->opt.name);
	else
		host_name(s->name);
	return 0;
}

/* The key that is there, also if a crash kept it out of state.json. */
static int
have_key(struct meshman *m, struct mk_secret *ret_secret)
{
	struct mk_keyfile_info info;
	struct mk_secret secret;
	int e;

	e = mk_keyfile_look(&m->home, MESHMAN_DEVICE, &info, &m->why);
	if (e == 0)
		return meshman_key(m, MESHMAN_DEVICE, ret_secret);
	if (e != MK_E_ABSENT)
		return e;
	if (m->state.has_device)
		return mk_fail(&m->why, MK_E_NOPROFILE, "key", "'%s/"
		    MESHMAN_DEVICE "' is gone, and with it this device; "
		    "restore it from a backup", m->home.path);
	if ((e = mk_secret_new(&secret, &m->why)) != 0)
		return e;
	e = mk_keyfile_write(&m->home, MESHMAN_DEVICE, &secret, NULL,
	    &m->why);
	if (e == 0)
		*ret_secret = secret;
	else
		mk_secret_free(&secret);
	return e;
}

static int
sign(struct meshman *m, struct mk_arena *a, const struct mk_secret *secret,
    struct mk_envelope *ret_envelope)
{
	const struct mk_device device = { .id = secret->pub.udf,
	    .key = secret->pub, .name = { m->state.name,
	    strlen(m->state.name) } };
	struct mk_buf out;
	int e;

	mk_buf_init(&out, PAYLOAD_MAX);
	mk_device_write(&device, &out);
	e = meshman_seal(m, a, secret, &out, ret_envelope);
	mk_buf_release(&out);
	return e;
}

int
meshman_device_have(struct meshman *m, struct mk_arena *a,
    struct mk_secret *ret_secret, struct mk_envelope *ret_envelope)
{
	struct mk_secret secret;
	bool changed;
	int e;

	if ((e = choose_name(m, &changed)) != 0 ||
	    (e = have_key(m, &secret)) != 0)
		return e;
	if (m->state.has_device && mk_udf_cmp(&m->state.device,
	    &secret.pub.udf) != 0) {
		e = mk_fail(&m->why, MK_E_SYSTEM, "key", "'%s/"
		    MESHMAN_DEVICE "' is not the key of the device in "
		    "state.json", m->home.path);
		goto out;
	}
	if (!m->state.has_device || changed) {
		m->state.has_device = true;
		m->state.device = secret.pub.udf;
		if ((e = meshman_state_write(m)) != 0)
			goto out;
	}
	e = sign(m, a, &secret, ret_envelope);
out:
	if (e == 0)
		*ret_secret = secret;
	else
		mk_secret_free(&secret);
	return e;
}
