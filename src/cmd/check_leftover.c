/* SPDX-License-Identifier: ISC */
/*
 * Keys that let her in beside the helper.  sshd asks AuthorizedKeysFile
 * before AuthorizedKeysCommand, so a key of a device that is left there
 * survives the deletion of the device.
 *
 * Her files, read in check_keyfiles.c, are compared with what the owner of
 * the stores knows by a child of that.
 */
#include <config.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check.h"
#include "core/arena.h"
#include "core/keylog.h"
#include "core/limits.h"
#include "core/seen.h"
#include "core/sshkey.h"
#include "core/verify.h"
#include "edge/cache.h"
#include "edge/keeper.h"

#define REPAIR_MAX	8192u
#define TOLD_MAX	20u
#define TAIL		43u		/* characters that tell a key */

static const char name[] = CHECK_KEYFILES;
static const char *const names[] = { name, NULL };

/* What is known of a key that is or was hers; the worse the higher. */
enum state {
	HERS,			/* and would survive its deletion */
	UNSURE,			/* no set here that could be asked */
	REPLACED,		/* the device has another key now */
	GONE			/* the device is deleted, or not listed */
};

struct known {
	char *base64;
	size_t len;
	struct mk_udf device;
	enum state state;
};

struct leftover {
	struct check *c;
	const struct check_person *person;
	struct check_keyfiles files;
	struct known *known;
	size_t n_known, room;
	size_t told[CHECK_FAIL + 1];
	/* Of the profile that is looked at. */
	const struct mk_verified_view *view;	/* NULL: no good set */
	const struct mk_seen *seen;		/* NULL: no memory */
};

/* What the profile says of a key of that device now. */
static enum state
state_of(const struct leftover *l, const struct mk_udf *device,
    const struct mk_sshkey *key)
{
	const struct mk_verified_key *k;
	size_t i;

	if (l->seen != NULL && mk_seen_deleted(l->seen, device))
		return GONE;
	if (l->view == NULL)
		return UNSURE;
	if (mk_personal_device(l->view->personal, device) == NULL)
		return GONE;
	for (i = 0; i < l->view->n_keys; i++) {
		k = &l->view->keys[i];
		if (k->verdict != MK_KEY_HOST &&
		    mk_udf_cmp(&k->ssh->device, device) == 0 &&
		    k->ssh->key.len == key->len &&
		    memcmp(k->ssh->key.blob, key->blob, key->len) == 0)
			return k->verdict == MK_KEY_TOMBSTONE ||
			    k->verdict == MK_KEY_NOT_LISTED ? GONE : HERS;
	}
	return REPLACED;
}

static void
see_key(void *arg, const struct mk_keylog_line *line,
    const struct mk_sshkey *key)
{
	struct leftover *l = arg;
	const char *base64 = memchr(line->text, ' ', line->len);
	size_t room = l->room == 0 ? 64 : 2 * l->room;
	struct known *k;

	if (base64 == NULL)
		return;
	if (l->n_known == l->room) {
		k = reallocarray(l->known, room, sizeof(*k));
		if (k == NULL) {
			l->c->failed = MK_E_SYSTEM;
			return;
		}
		l->known = k;
		l->room = room;
	}
	k = &l->known[l->n_known];
	k->len = line->len - (size_t)(++base64 - line->text);
	k->base64 = strndup(base64, k->len);
	k->device = line->device;
	k->state = state_of(l, &line->device, key);
	if (k->base64 != NULL)
		l->n_known++;
	else
		l->c->failed = MK_E_SYSTEM;
}

static void
read_keys(struct leftover *l, const struct mk_store *store,
    const struct mk_udf *udf)
{
	const struct mk_keylog_reader reader = { see_key, l };
	struct mk_file file = { .data = NULL };
	struct mk_bytes bytes;
	struct mk_why why;
	int e;

	e = mk_store_keys(store, udf, &file, &why);
	if (e == 0) {
		bytes = (struct mk_bytes){ file.data, file.len };
		e = mk_keylog_each(&bytes, &reader, &why);
	}
	if (e != 0 && e != MK_E_ABSENT)
		check_tell_why(l->c, CHECK_WARN, name, &why);
	mk_file_release(&file);
}

/* Her set as far as it can be believed, then the keys that are known. */
static void
learn(struct leftover *l, const struct mk_store *store,
    const struct mk_udf *udf)
{
	const struct mk_config *config = &l->person->site.config;
	struct mk_file set = { .data = NULL }, memory = { .data = NULL };
	struct mk_demand demand = { .udf = *udf,
	    .now = l->person->site.now, .build_time = MK_BUILD_TIME,
	    .max_set = config->max_set, .max_devices = config->max_devices,
	    .key_types = MK_SSH_ALL, .open_all = true };
	const struct mk_verified *verified;
	struct mk_arena a, b;
	struct mk_seen seen;

	l->view = NULL;
	l->seen = NULL;
	mk_arena_init(&a, mk_verify_memory(config->max_set));
	mk_arena_init(&b, mk_verify_memory(MK_SEEN_MAX));
	if (mk_store_seen(store, udf, &memory, NULL) == 0 &&
	    mk_seen_parse(&b, memory.data, memory.len, &seen, NULL) == 0)
		demand.seen = l->seen = &seen;
	if (mk_store_set(store, udf, config->max_set, &set, NULL) == 0) {
		demand.set = set.data;
		demand.set_len = set.len;
		if (mk_verify(&a, &demand, &verified, NULL) == 0)
			l->view = mk_verified_view(verified);
	}
	read_keys(l, store, udf);
	mk_file_release(&set);
	mk_file_release(&memory);
	mk_arena_release(&a);
	mk_arena_release(&b);
}

/* The best that any of her profiles says of it. */
static const struct known *
find_known(const struct leftover *l, const struct check_key *key)
{
	const struct known *best = NULL, *k;
	size_t i;

	for (i = 0; i < l->n_known; i++) {
		k = &l->known[i];
		if (k->len == key->base64_len &&
		    memcmp(k->base64, key->base64, k->len) == 0 &&
		    (best == NULL || k->state < best->state))
			best = k;
	}
	return best;
}

/*
 * By the end of the key and not by the number, so that a second command
 * still hits its line; as her where the file is hers.
 */
static void
put_repair(struct mk_buf *out, const struct leftover *l,
    const struct check_keyfile *file, const struct check_key *key)
{
	const size_t tail = key->base64_len < TAIL ? key->base64_len : TAIL;

	if (file->hers && l->person->uid != 0) {
		mk_buf_puts(out, "runuser -u ");
		show_quoted(out, l->person->name);
		mk_buf_puts(out, " -- ");
	}
	mk_buf_puts(out, "sed -i '\\|");
	show_clean(out, key->base64 + key->base64_len - tail, tail);
	mk_buf_puts(out, "|d' ");
	show_quoted(out, file->path);
}

static void
tell_key(struct leftover *l, const struct check_keyfile *file, unsigned line,
    const struct check_key *key, const struct known *k)
{
	static const char *const what[] = {
		[HERS] = "is there too, and lets in after it is deleted",
		[UNSURE] = "is there too; no set here says whether it is "
		    "still hers",
		[REPLACED] = "is an old one and lets in all the same: it "
		    "bypasses the profile",
		[GONE] = "which is deleted, still lets in: it bypasses the "
		    "deletion",
	};
	const enum check_level level = k->state == HERS ||
	    k->state == UNSURE ? CHECK_WARN : CHECK_FAIL;
	char udf[MK_UDF_TEXT + 1];
	struct mk_buf repair;

	if (l->told[level]++ >= TOLD_MAX)
		return;
	mk_udf_format(&k->device, udf);
	mk_buf_init(&repair, REPAIR_MAX);
	put_repair(&repair, l, file, key);
	check_tell(l->c, level, name, repair.failed == 0 ? repair.data :
	    NULL, "%s:%u: the key of device %s%s %s", file->path, line, udf,
	    k->state == GONE ? "," : "", what[k->state]);
	mk_buf_release(&repair);
}

static void
look_through(struct leftover *l, const struct check_keyfile *file)
{
	const char *s = file->text.data, *end = s + file->text.len, *lf;
	const struct known *k;
	struct check_key key;
	unsigned line = 0;
	size_t others = 0;

	for (; s < end; s = lf + 1) {
		line++;
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		if (!check_line_key(s, (size_t)(lf - s), &key))
			continue;
		k = find_known(l, &key);
		if (k != NULL)
			tell_key(l, file, line, &key, k);
		else
			others++;
	}
	if (others > 0)
		check_tell(l->c, CHECK_NOTE, name, NULL, "'%s' has %zu key%s "
		    "that no profile governs", file->path, others,
		    others == 1 ? "" : "s");
}

/* In the child. */
static void
look(struct check *c, void *arg)
{
	struct leftover *l = arg;
	struct mk_identity identity;
	struct mk_store store;
	enum check_level level;
	size_t i;

	l->c = c;
	if (mk_identity_find(&l->person->site.root, &l->person->site.config,
	    l->person->name, &identity, NULL) != 0)
		return;
	mk_store_open(&l->person->site.root, &store);
	for (i = 0; i < identity.n; i++)
		learn(l, &store, &identity.profiles[i].udf);
	mk_store_close(&store);
	mk_identity_release(&identity);
	for (i = 0; i < l->files.n; i++)
		if (l->files.files[i].text.len > 0)
			look_through(l, &l->files.files[i]);
	for (level = CHECK_WARN; level <= CHECK_FAIL; level++)
		if (l->told[level] > TOLD_MAX)
			check_tell(c, level, name, NULL, "and %zu more such "
			    "keys", l->told[level] - TOLD_MAX);
	if (l->told[CHECK_WARN] + l->told[CHECK_FAIL] == 0 &&
	    !l->files.partly)
		check_tell(c, CHECK_OK, name, NULL, "no key of a device is "
		    "left over in a file of hers");
	for (i = 0; i < l->n_known; i++)
		free(l->known[i].base64);
	free(l->known);
}

/* sshd refuses every key if it cannot read that file. */
static void
check_revoked(struct check *c)
{
	const char *path = mk_sshd_get(c->settings, "revokedkeys", 0);
	struct stat st;
	int fd;

	if (path == NULL || strcmp(path, "none") == 0)
		return;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		check_tell(c, CHECK_FAIL, "revoked-keys", NULL, "RevokedKeys "
		    "'%s' cannot be read: sshd refuses every key until it "
		    "can, make it or take the setting away", path);
	else
		check_tell(c, CHECK_OK, "revoked-keys", NULL, "RevokedKeys "
		    "'%s' can be read", path);
	if (fd != -1)
		close(fd);
}

static void
check_authorities(struct check *c)
{
	const char *path = mk_sshd_get(c->settings, "trustedusercakeys", 0);

	if (path != NULL && strcmp(path, "none") != 0)
		check_tell(c, CHECK_NOTE, "ca-keys", NULL, "certificates of "
		    "TrustedUserCAKeys '%s' let in, whatever the profile "
		    "says", path);
}

void
check_leftover(struct check *c, const struct check_person *person)
{
	struct leftover l = { .c = c, .person = person };
	const struct check_apart apart = { names, look, &l };
	struct mk_why why;

	check_keyfiles_read(c, person, &l.files);
	if (check_apart(c, &apart, &why) != 0)
		check_tell_why(c, CHECK_FAIL, name, &why);
	check_keyfiles_release(&l.files);
	check_revoked(c);
	check_authorities(c);
}
