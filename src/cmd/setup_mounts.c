/* SPDX-License-Identifier: ISC */
/*
 * The places of the configuration and the stores, empty, in a namespace of
 * mounts of our own: file systems in memory that the host never sees and
 * that end with the last process in it, also if that is killed.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/setup_trial.h"
#include "core/limits.h"
#include "edge/cache.h"
#include "edge/words.h"

#define LABEL_MAX	4096u
#define OPTIONS_MAX	(LABEL_MAX + 256u)

static int
impossible(const char *what, struct mk_why *why)
{
	return mk_fail(why, MK_E_ABSENT, "trial", "no trial login with a "
	    "profile: cannot %s: %s", what, strerror(errno));
}

/*
 * What is mounted below must reach nobody else: without this the host
 * itself would get an empty configuration.
 */
static int
enter_namespace(struct mk_why *why)
{
	if (unshare(CLONE_NEWNS) != 0)
		return impossible("have mounts of its own", why);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	if (errno == EINVAL)
		return mk_fail(why, MK_E_ABSENT, "trial", "no trial login "
		    "with a profile: the root directory is no mount, as in a "
		    "chroot(2), and mounts could not be kept private");
	return impossible("keep mounts private", why);
}

/* With SELinux a place keeps its label, or sshd could not look into it. */
static void
put_label(const char *path, struct mk_buf *options)
{
	char label[LABEL_MAX];
	ssize_t n;

	if (access("/sys/fs/selinux/enforce", F_OK) != 0)
		return;
	n = getxattr(path, "security.selinux", label, sizeof(label) - 1);
	if (n <= 0)
		return;
	label[n] = '\0';
	mk_buf_puts(options, ",rootcontext=\"");
	mk_buf_puts(options, label);
	mk_buf_putc(options, '"');
}

/* An empty file system with the owner and the mode of what it covers. */
static int
cover(const char *path, struct mk_why *why)
{
	struct mk_buf options;
	char head[128];
	struct stat st;
	int e;

	if (stat(path, &st) != 0)
		return mk_fail(why, MK_E_CONFIG, "trial",
		    "cannot use '%s': %s", path, strerror(errno));
	(void)snprintf(head, sizeof(head), "size=32m,mode=0%o,uid=%u,gid=%u",
	    (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid,
	    (unsigned)st.st_gid);
	mk_buf_init(&options, OPTIONS_MAX);
	mk_buf_puts(&options, head);
	put_label(path, &options);
	if ((e = mk_buf_check(&options, why, "trial")) == 0 &&
	    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    options.data) != 0)
		e = impossible("mount a file system in memory", why);
	mk_buf_release(&options);
	return e;
}

static int
put_file(const struct mk_root *root, const char *path, const char *name,
    const struct mk_buf *text, struct mk_why *why)
{
	const struct mk_content content = { .data = (uint8_t *)text->data,
	    .len = text->len, .mtime = -1, .sync = MK_SYNC_NEVER };
	struct mk_dir dir;
	int e;

	if ((e = mk_buf_check(text, why, "trial")) != 0)
		return e;
	e = mk_dir_open(root, path, strcmp(path, MK_CONFDIR) == 0 ?
	    MK_OWNED_BY_ROOT : MK_OWNED_BY_ANYONE, &dir, why);
	if (e != 0)
		return e;
	e = mk_dir_replace(&dir, name, &content, why);
	mk_dir_close(&dir);
	return e;
}

/* Who a user is, the trial says; in all else it is the host's own. */
static int
is_identity(const char *line, size_t len, bool *ret_is, struct mk_why *why)
{
	char *copy = strndup(line, len);
	struct mk_words words;
	int e;

	if (copy == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	if ((e = mk_words_split(copy, &words, why)) == 0)
		*ret_is = words.n > 0 &&
		    strcasecmp(words.word[0], "identity") == 0;
	free(copy);
	return e;
}

static int
read_config(const struct mk_root *root, struct mk_buf *text,
    struct mk_why *why)
{
	struct mk_file file = { 0 };
	struct mk_dir dir;
	const char *p;
	bool skip = false;
	size_t n;
	int e;

	if ((e = mk_dir_open(root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir,
	    why)) != 0)
		return e == MK_E_ABSENT ? mk_fail(why, MK_E_CONFIG, "trial",
		    "there is no '" MK_CONFDIR "'") : e;
	e = mk_dir_read(&dir, "meshkeys.conf", MK_CONFIG_MAX, &file, why);
	mk_dir_close(&dir);
	if (e != 0 && e != MK_E_ABSENT)
		return e == MK_E_TOOBIG ? MK_E_CONFIG : e;
	e = 0;
	for (p = (const char *)file.data; p != NULL && *p != '\0' && e == 0;
	    p += n + (p[n] == '\n' ? 1 : 0)) {
		n = strcspn(p, "\n");
		if ((e = is_identity(p, n, &skip, why)) != 0 || skip)
			continue;
		mk_buf_put(text, p, n);
		mk_buf_putc(text, '\n');
	}
	mk_buf_puts(text, "identity map\n");
	mk_file_release(&file);
	return e;
}

int
setup_mounts_enter(const struct mk_root *root, struct mk_why *why)
{
	struct mk_buf config;
	int e;

	mk_buf_init(&config, MK_CONFIG_MAX + 64u);
	if ((e = read_config(root, &config, why)) == 0 &&
	    (e = enter_namespace(why)) == 0 &&
	    (e = cover(MK_CONFDIR, why)) == 0 &&
	    (e = cover(MK_CACHEDIR, why)) == 0 &&
	    (e = cover(MK_STATEDIR, why)) == 0)
		e = put_file(root, MK_CONFDIR, "meshkeys.conf", &config, why);
	mk_buf_release(&config);
	return e;
}

static int
put_map(const struct mk_root *root, const char *user,
    const struct mk_udf *udf, struct mk_why *why)
{
	char text[MK_UDF_TEXT + 1];
	struct mk_buf line;
	char *name;
	int e;

	name = malloc(3 * strlen(user) + 1);
	if (name == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	mk_name_encode(user, name);
	mk_udf_format(udf, text);
	mk_buf_init(&line, 4u * MK_USERNAME_MAX);
	mk_buf_puts(&line, name);
	mk_buf_putc(&line, ' ');
	mk_buf_puts(&line, text);
	mk_buf_putc(&line, '\n');
	e = put_file(root, MK_CONFDIR, "map", &line, why);
	mk_buf_release(&line);
	free(name);
	return e;
}

int
setup_mounts_fill(const struct mk_root *root, const char *user,
    const struct setup_profile *profile, struct mk_why *why)
{
	char name[MK_STORE_NAME];
	int e;

	if ((e = put_map(root, user, &profile->udf, why)) != 0)
		return e;
	mk_store_name(&profile->udf, ".json", name);
	return put_file(root, MK_CACHEDIR, name, &profile->set, why);
}
