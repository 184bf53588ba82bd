/* SPDX-License-Identifier: ISC */
/*
 * What lies in ~/.ssh and /etc/ssh beside the profile.  A new key takes the
 * place of the old one only when the verified profile has it, so that a
 * login that worked goes on working whenever this program is killed.
 */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/man_sshkey.h"
#include "core/ssh_block.h"
#include "edge/ssh_dir.h"

#define PUB_MAX		(64u << 10)
#define HOST_KEYS	"/etc/ssh/ssh_host_*_key.pub"
#define IN_CONFIG	"~/.ssh/"	/* as ssh_config(5) names it */
#define KEY_IN_CONFIG	IN_CONFIG MK_SSH_KEY
#define OLD_IN_CONFIG	IN_CONFIG MK_SSH_KEY_OLD
#define OLD_KEPT	(7 * MK_DAY)	/* for hosts to follow */

/* What ssh tries without any IdentityFile, in its order. */
static const char *const defaults[] = {
	IN_CONFIG "id_rsa", IN_CONFIG "id_ecdsa", IN_CONFIG "id_ecdsa_sk",
	IN_CONFIG "id_ed25519", IN_CONFIG "id_ed25519_sk"
};

#define DEFAULTS	(sizeof(defaults) / sizeof(defaults[0]))

/* Whether a public key of ~/.ssh is this device's in the profile. */
static bool
listed(struct meshman *m, const struct mk_ssh_dir *dir, const char *pub)
{
	struct mk_file file;
	struct mk_sshkey key;
	struct mk_arena a;
	bool is = false;

	if (mk_ssh_dir_read(dir, pub, PUB_MAX, &file, NULL) != 0)
		return false;
	mk_arena_init(&a, MK_ARENA_FLOOR);
	if (meshman_ssh_public(&a, (const char *)file.data, file.len, &key,
	    NULL) == 0)
		is = meshman_ssh_listed(m->profile.view, &m->state.device,
		    &key);
	mk_arena_release(&a);
	mk_file_release(&file);
	return is;
}

/* Killed between the renames, half of the pair has its name already. */
static bool
to_adopt(struct meshman *m, const struct mk_ssh_dir *dir)
{
	if (mk_ssh_dir_has(dir, MK_SSH_KEY_NEW ".pub"))
		return listed(m, dir, MK_SSH_KEY_NEW ".pub");
	return mk_ssh_dir_has(dir, MK_SSH_KEY_NEW) &&
	    listed(m, dir, MK_SSH_KEY ".pub");
}

static int
read_config(struct meshman *m, const struct mk_ssh_dir *dir,
    struct mk_file *ret_file)
{
	int e = mk_ssh_dir_read(dir, "config", MK_SSH_CONFIG_MAX, ret_file,
	    &m->why);

	if (e == MK_E_ABSENT) {
		*ret_file = (struct mk_file){ 0 };
		return 0;
	}
	if (e == MK_E_TOOBIG)
		return mk_fail(&m->why, MK_E_REFUSED, "ssh", "'%s/config' "
		    "is over the limit of %u bytes", dir->path,
		    MK_SSH_CONFIG_MAX);
	return e;
}

/* Of one in the agent, or on a token, there may be the public half alone. */
static bool
exists(const struct mk_ssh_dir *dir, const char *in_config)
{
	const char *name = in_config + strlen(IN_CONFIG);
	char pub[64];

	(void)snprintf(pub, sizeof(pub), "%s.pub", name);
	return mk_ssh_dir_has(dir, name) || mk_ssh_dir_has(dir, pub);
}

/* The key of the profile, the one before it, and those of the user. */
static void
list_identities(const struct mk_ssh_dir *dir, const char *list[DEFAULTS + 3])
{
	size_t n = 0, i;

	list[n++] = KEY_IN_CONFIG;
	if (mk_ssh_dir_has(dir, MK_SSH_KEY_OLD))
		list[n++] = OLD_IN_CONFIG;
	for (i = 0; i < DEFAULTS; i++) {
		if (exists(dir, defaults[i]))
			list[n++] = defaults[i];
	}
	list[n] = NULL;
}

static int
set_block(struct meshman *m, const struct mk_ssh_dir *dir)
{
	const char *list[DEFAULTS + 3];
	struct mk_file file;
	struct mk_bytes old;
	struct mk_buf text;
	bool changed = false;
	int e;

	if ((e = read_config(m, dir, &file)) != 0)
		return e;
	old = (struct mk_bytes){ file.data, file.len };
	list_identities(dir, list);
	mk_buf_init(&text, 2 * MK_SSH_CONFIG_MAX);
	if ((e = mk_ssh_block_set(&old, list, &text, &changed,
	    &m->why)) == 0 && changed &&
	    (e = mk_buf_check(&text, &m->why, "ssh")) == 0)
		e = mk_ssh_dir_write(dir, "config", text.data, text.len,
		    &m->why);
	if (e == 0 && changed && !m->opt.json)
		mk_buf_puts(&m->out, "~/.ssh/config names " KEY_IN_CONFIG
		    " now\n");
	mk_buf_release(&text);
	mk_file_release(&file);
	return e;
}

static void
tell_adopted(struct meshman *m, const struct mk_ssh_dir *dir)
{
	if (m->opt.json)
		return;
	mk_buf_puts(&m->out, "the new key is " KEY_IN_CONFIG " now\n");
	if (mk_ssh_dir_has(dir, MK_SSH_KEY_OLD))
		mk_buf_puts(&m->out, "the one before stays as "
		    OLD_IN_CONFIG " for a week,\nfor hosts that have "
		    "not followed yet\n");
}

static int
settle(struct meshman *m, const struct mk_ssh_dir *dir)
{
	int e;

	if (to_adopt(m, dir)) {
		if ((e = mk_ssh_dir_adopt(dir, &m->why)) != 0)
			return e;
		tell_adopted(m, dir);
	}
	if (!mk_ssh_dir_has(dir, MK_SSH_KEY) ||
	    !listed(m, dir, MK_SSH_KEY ".pub"))
		return 0;
	if ((e = mk_ssh_dir_expire(dir, meshman_now() - OLD_KEPT,
	    &m->why)) != 0)
		return e;
	return set_block(m, dir);
}

int
meshman_ssh_settle(struct meshman *m)
{
	struct mk_ssh_dir dir;
	int e;

	if (m->profile.view == NULL || !m->state.has_device)
		return 0;
	e = mk_ssh_dir_open(false, &dir, &m->why);
	if (e == MK_E_ABSENT)
		return 0;
	if (e != 0)
		return e;
	e = settle(m, &dir);
	mk_ssh_dir_close(&dir);
	return e;
}

int
meshman_ssh_own(struct meshman *m, struct meshman_ssh_own *ret_own)
{
	const struct mk_verified_view *view = m->profile.view;
	struct meshman_ssh_own own = { 0 };
	struct mk_ssh_dir dir;
	size_t i;
	int e;

	for (i = 0; i < view->n_keys; i++) {
		const struct mk_ssh_device *ssh = view->keys[i].ssh;

		if (mk_udf_cmp(&ssh->device, &m->state.device) != 0)
			continue;
		own.host = own.host || ssh->host;
		own.keys += !ssh->host;
	}
	e = mk_ssh_dir_open(false, &dir, &m->why);
	if (e == 0) {
		own.mesh = listed(m, &dir, MK_SSH_KEY ".pub");
		mk_ssh_dir_close(&dir);
	}
	if (e == 0 || e == MK_E_ABSENT) {
		*ret_own = own;
		return 0;
	}
	return e;
}

/* "type SP base64" of a host's public key; left out if it is none. */
static void
add_host_key(struct mk_arena *a, const char *path, struct mk_text *list,
    size_t *n)
{
	struct mk_sshkey key;
	struct mk_file file;
	const char *copy, *space;
	struct mk_text text;

	if (*n == MK_HOSTKEYS_MAX ||
	    mk_file_read(path, PUB_MAX, &file, NULL) != 0)
		return;
	copy = mk_arena_dup(a, (const char *)file.data, file.len);
	mk_file_release(&file);
	if (copy == NULL || meshman_ssh_public(a, copy, strlen(copy), &key,
	    NULL) != 0)
		return;
	text = (struct mk_text){ copy, strcspn(copy, "\n") };
	space = memchr(copy, ' ', text.len);
	space = memchr(space + 1, ' ', text.len - (size_t)(space + 1 - copy));
	if (space != NULL)
		text.len = (size_t)(space - copy);
	if (text.len <= MK_STRING_LONG)
		list[(*n)++] = text;
}

static int
add_host_keys(struct meshman *m, struct mk_arena *a,
    struct mk_ssh_device *ssh)
{
	struct mk_text *list;
	glob_t found;
	size_t i;

	list = mk_arena_array(a, MK_HOSTKEYS_MAX, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, &m->why);
	if (glob(HOST_KEYS, 0, NULL, &found) == 0) {
		for (i = 0; i < found.gl_pathc; i++)
			add_host_key(a, found.gl_pathv[i], list,
			    &ssh->n_hostkeys);
		globfree(&found);
	}
	ssh->hostkeys = list;
	return 0;
}

static bool
is_host_name(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++) {
		if (s[n] <= ' ' || s[n] > '~' || s[n] == ',')
			return false;
	}
	return n > 0 && n <= MK_HOSTNAME_LEN;
}

/* As this machine calls itself; no name server is asked. */
static int
add_host_name(struct meshman *m, struct mk_arena *a,
    struct mk_ssh_device *ssh)
{
	char name[HOST_NAME_MAX + 1];
	struct mk_text *list;

	if (gethostname(name, sizeof(name)) == -1)
		return 0;
	name[sizeof(name) - 1] = '\0';
	if (!is_host_name(name))
		return 0;
	list = mk_arena_array(a, 1, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, &m->why);
	list->s = mk_arena_dup(a, name, strlen(name));
	list->len = strlen(name);
	if (list->s == NULL)
		return mk_arena_fail(a, &m->why);
	ssh->hostnames = list;
	ssh->n_hostnames = 1;
	return 0;
}

int
meshman_ssh_host(struct meshman *m, struct mk_arena *a,
    struct mk_ssh_device *ret_ssh)
{
	struct mk_ssh_device ssh = { .device = m->state.device,
	    .host = true };
	int e;

	if ((e = add_host_keys(m, a, &ssh)) != 0 ||
	    (e = add_host_name(m, a, &ssh)) != 0)
		return e;
	*ret_ssh = ssh;
	return 0;
}
