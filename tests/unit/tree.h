/* SPDX-License-Identifier: ISC */
/*
 * A directory for one test that stands for a host's root, and what lies
 * below it.  Any failure fails the test.
 */
#ifndef MK_TESTS_TREE_H
#define MK_TESTS_TREE_H

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char tree_dir[PATH_MAX];

/* The path of 'name' on this machine; four may be in use at a time. */
static inline const char *
tree_path(const char *name)
{
	static char path[4][2 * PATH_MAX];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s%s", tree_dir, name);
	return path[n];
}

static inline void
tree_mkdir(const char *name)
{
	char path[2 * PATH_MAX], *p;

	snprintf(path, sizeof(path), "%s%s/", tree_dir, name);
	for (p = path + strlen(tree_dir) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	ck_assert_int_eq(access(path, F_OK), 0);
}

static inline void
tree_bytes(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(tree_path(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(tree_path(name), 0644), 0);
}

static inline void
tree_text(const char *name, const char *text)
{
	tree_bytes(name, text, strlen(text));
}

static inline void
tree_setup(void)
{
	const char *tmp = getenv("TMPDIR");

	umask(022);
	snprintf(tree_dir, sizeof(tree_dir), "%s/mk-test-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(tree_dir));
	ck_assert_int_eq(chmod(tree_dir, 0755), 0);
	tree_mkdir(MK_CONFDIR "/users");
	tree_mkdir(MK_CACHEDIR);
	tree_mkdir(MK_STATEDIR);
	tree_mkdir("/etc");
}

static inline int
tree_remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void
tree_teardown(void)
{
	ck_assert_int_eq(nftw(tree_dir, tree_remove_one, 16,
	    FTW_DEPTH | FTW_PHYS), 0);
}

#endif
