/* SPDX-License-Identifier: ISC */
/* The state directory of a user. */
#include <sys/wait.h>

#include <sodium.h>

#include <dirent.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "core/err.h"
#include "edge/home.h"
#include "unit/tree.h"
#include "unit/unit.h"

static struct mk_home home;
static struct mk_why why;

static void
setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	tree_setup();
	memset(&why, 0, sizeof(why));
	ck_assert_int_eq(mk_home_open(tree_path("/a/b/mesh"), true, &home,
	    &why), 0);
}

static void
teardown(void)
{
	mk_home_close(&home);
	tree_teardown();
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* The reason names 'path', and once more in a command if 'again'. */
static void
assert_said(const char *before, const char *path, const char *after,
    bool again)
{
	char out[4 * PATH_MAX];

	snprintf(out, sizeof(out), "%s%s%s%s", before, path, after,
	    again ? path : "");
	ck_assert_str_eq(why.detail, out);
}

/* Opens another one at 'path' and gives the result. */
static int
try_open(const char *path, bool make)
{
	struct mk_home other;
	int r = mk_home_open(path, make, &other, &why);

	if (r == 0)
		mk_home_close(&other);
	return r;
}

START_TEST(paths)
{
	struct passwd *pw = getpwuid(getuid());
	char *path;

	ck_assert_ptr_nonnull(pw);
	ck_assert_int_eq(setenv("HOME", tree_dir, 1), 0);
	ck_assert_int_eq(setenv("XDG_DATA_HOME", "/some/where", 1), 0);
	ck_assert_int_eq(mk_home_path(&path, &why), 0);
	ck_assert_str_eq(path, "/some/where/meshkeys");
	free(path);
	ck_assert_int_eq(setenv("XDG_DATA_HOME", "not/absolute", 1), 0);
	ck_assert_int_eq(mk_home_path(&path, &why), 0);
	ck_assert_str_eq(path, tree_path("/.local/share/meshkeys"));
	free(path);
	ck_assert_int_eq(setenv("XDG_DATA_HOME", "", 1), 0);
	ck_assert_int_eq(mk_home_path(&path, &why), 0);
	ck_assert_str_eq(path, tree_path("/.local/share/meshkeys"));
	free(path);
	/* Neither what is no directory nor what is not absolute. */
	ck_assert_int_eq(setenv("HOME", tree_path("/none"), 1), 0);
	ck_assert_int_eq(mk_home_of_user(&path, &why), 0);
	ck_assert_str_eq(path, pw->pw_dir);
	free(path);
	ck_assert_int_eq(unsetenv("HOME"), 0);
	ck_assert_int_eq(mk_home_of_user(&path, &why), 0);
	ck_assert_str_eq(path, pw->pw_dir);
	free(path);
}
END_TEST

/* A user's HOME that root took over is not root's. */
START_TEST(path_of_another)
{
	char *path;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(tree_dir, 4711, (gid_t)-1), 0);
	ck_assert_int_eq(setenv("HOME", tree_dir, 1), 0);
	ck_assert_int_eq(mk_home_of_user(&path, &why), 0);
	ck_assert_str_ne(path, tree_dir);
	free(path);
}
END_TEST

START_TEST(made)
{
	ck_assert_int_eq(mode_of(tree_path("/a")), 0700);
	ck_assert_int_eq(mode_of(tree_path("/a/b")), 0700);
	ck_assert_int_eq(mode_of(tree_path("/a/b/mesh")), 0700);
	ck_assert_str_eq(home.path, tree_path("/a/b/mesh"));
	ck_assert_int_eq(fcntl(home.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(try_open(tree_path("/a/b/mesh"), false), 0);
	ck_assert_int_eq(try_open(tree_path("/a/b/mesh//"), true), 0);
	ck_assert_int_eq(try_open("a/b/mesh", true), MK_E_CONFIG);
	why.detail[0] = '\0';
	ck_assert_int_eq(try_open(tree_path("/a/c"), false), MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "");
	ck_assert_int_eq(access(tree_path("/a/c"), F_OK), -1);
	tree_text("/file", "");
	ck_assert_int_ne(try_open(tree_path("/file"), true), 0);
	ck_assert_int_ne(try_open(tree_path("/file/x"), true), 0);
}
END_TEST

START_TEST(open_to_others)
{
	const char *path = tree_path("/a/b/mesh");
	static const mode_t bad[] = { 0701, 0710, 0704, 0755, 0770 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(chmod(path, bad[i]), 0);
		ck_assert_int_eq(try_open(path, true), MK_E_PERM);
	}
	assert_said("cannot use '", path, "': group or others may use it "
	    "too; run: chmod go= ", true);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(path, 0700), 0);
	ck_assert_int_eq(chown(path, 4711, (gid_t)-1), 0);
	ck_assert_int_eq(try_open(path, true), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "owned by uid 4711"));
}
END_TEST

START_TEST(linked)
{
	ck_assert_int_eq(symlink(tree_path("/a/b/mesh"),
	    tree_path("/link")), 0);
	ck_assert_int_eq(try_open(tree_path("/link"), true), MK_E_PERM);
	assert_said("cannot use '", tree_path("/link"), "': it is a symbolic "
	    "link", false);
	ck_assert_int_eq(try_open(tree_path("/link/"), true), MK_E_PERM);
	/* Parents are the user's own affair. */
	ck_assert_int_eq(symlink(tree_path("/a/b"), tree_path("/dir")), 0);
	ck_assert_int_eq(try_open(tree_path("/dir/mesh"), true), 0);
}
END_TEST

START_TEST(written)
{
	struct mk_file file;
	struct mk_guarded secret;

	umask(0);
	ck_assert_int_eq(mk_home_write(&home, "f", "one", 3, &why), 0);
	ck_assert_int_eq(mode_of(tree_path("/a/b/mesh/f")), 0600);
	ck_assert_int_eq(mk_home_write(&home, "f", "three", 5, &why), 0);
	ck_assert_int_eq(mk_home_read(&home, "f", 5, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "three");
	mk_file_release(&file);
	ck_assert_int_eq(mk_home_read(&home, "f", 4, &file, &why),
	    MK_E_TOOBIG);
	ck_assert_int_eq(mk_home_read_secret(&home, "f", 5, &secret,
	    &why), 0);
	ck_assert_uint_eq(secret.len, 5);
	ck_assert_str_eq((char *)secret.data, "three");
	sodium_free(secret.data);
	ck_assert_int_eq(mk_home_read_secret(&home, "f", 4, &secret,
	    &why), MK_E_TOOBIG);
	ck_assert_int_eq(mk_home_remove(&home, "f", &why), 0);
	ck_assert_int_eq(mk_home_remove(&home, "f", &why), 0);
	why.detail[0] = '\0';
	ck_assert_int_eq(mk_home_read(&home, "f", 5, &file, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_home_read_secret(&home, "f", 5, &secret,
	    &why), MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "");
	ck_assert_int_eq(mk_home_write(&home, "../f", "", 0, &why), MK_E_BUG);
	ck_assert_int_eq(mk_home_read(&home, "../f", 5, &file, &why),
	    MK_E_BUG);
	ck_assert_int_eq(mk_home_remove(&home, "../f", &why), MK_E_BUG);
}
END_TEST

/* Reads "f" both ways; they agree. */
static int
read_both(void)
{
	struct mk_file file;
	struct mk_guarded secret;
	int r, s;

	r = mk_home_read(&home, "f", 16, &file, &why);
	s = mk_home_read_secret(&home, "f", 16, &secret, &why);
	ck_assert_int_eq(r, s);
	if (r == 0) {
		mk_file_release(&file);
		sodium_free(secret.data);
	}
	return r;
}

START_TEST(hostile_files)
{
	static const mode_t bad[] = { 0601, 0640, 0604, 0620, 0602, 0666 };
	char name[2 * PATH_MAX];
	size_t i;

	snprintf(name, sizeof(name), "%s", tree_path("/a/b/mesh/f"));
	ck_assert_int_eq(mk_home_write(&home, "f", "x", 1, &why), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(chmod(name, bad[i]), 0);
		ck_assert_int_eq(read_both(), MK_E_PERM);
	}
	assert_said("cannot use '", name, "': group or others may use it "
	    "too; run: chmod 600 ", true);
	ck_assert_int_eq(chmod(name, 0400), 0);
	ck_assert_int_eq(read_both(), 0);
	ck_assert_int_eq(link(name, tree_path("/second")), 0);
	ck_assert_int_eq(read_both(), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "it has 2 names"));
	ck_assert_int_eq(rename(name, tree_path("/second")), 0);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(symlink(tree_path("/second"), name), 0);
	ck_assert_int_eq(read_both(), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "symbolic link"));
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	ck_assert_int_eq(read_both(), MK_E_PERM);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(mkdir(name, 0700), 0);
	ck_assert_int_eq(read_both(), MK_E_PERM);
	ck_assert_int_eq(rmdir(name), 0);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mk_home_write(&home, "f", "x", 1, &why), 0);
	ck_assert_int_eq(chown(name, 4711, (gid_t)-1), 0);
	ck_assert_int_eq(read_both(), MK_E_PERM);
}
END_TEST

/* What is replaced is the name, never what a link leads to. */
START_TEST(write_through_link)
{
	char name[2 * PATH_MAX];
	struct mk_file file;

	snprintf(name, sizeof(name), "%s", tree_path("/a/b/mesh/f"));
	tree_text("/target", "untouched");
	ck_assert_int_eq(symlink(tree_path("/target"), name), 0);
	ck_assert_int_eq(mk_home_write(&home, "f", "new", 3, &why), 0);
	ck_assert_int_eq(mk_home_read(&home, "f", 9, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "new");
	mk_file_release(&file);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(symlink(tree_path("/target"), name), 0);
	ck_assert_int_eq(mk_home_remove(&home, "f", &why), 0);
	ck_assert_int_eq(access(tree_path("/target"), F_OK), 0);
}
END_TEST

static unsigned
count_files(void)
{
	DIR *d = opendir(home.path);
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

START_TEST(failed_write)
{
	char name[2 * PATH_MAX];

	snprintf(name, sizeof(name), "%s", tree_path("/a/b/mesh/f"));
	ck_assert_int_eq(mkdir(name, 0700), 0);
	ck_assert_int_eq(mk_home_write(&home, "f", "x", 1, &why),
	    MK_E_SYSTEM);
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(swept)
{
	tree_text("/a/b/mesh/.mk-12-3.tmp", "half");
	tree_text("/a/b/mesh/.mk-keep", "other");
	tree_text("/a/b/mesh/f", "mine");
	ck_assert_int_eq(mk_home_lock(&home, &why), 0);
	ck_assert_uint_eq(count_files(), 3);
	ck_assert_int_eq(access(tree_path("/a/b/mesh/.mk-12-3.tmp"), F_OK),
	    -1);
}
END_TEST

/* Holds the lock in another process for a while. */
static pid_t
hold(unsigned ms)
{
	int ready[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct mk_home other;

		(void)alarm(30);
		if (mk_home_open(home.path, false, &other, &why) != 0 ||
		    mk_home_lock(&other, &why) != 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		(void)usleep(ms * 1000);
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

START_TEST(waits)
{
	const time_t begun = time(NULL);
	pid_t pid = hold(300);

	ck_assert_int_eq(mk_home_lock(&home, &why), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), pid);
	ck_assert_int_eq(mk_home_lock(&home, &why), 0);
	ck_assert_int_lt(time(NULL) - begun, 5);
	ck_assert_int_eq(fcntl(home.lock, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(waits_no_longer)
{
	const time_t begun = time(NULL);
	pid_t pid = hold(20000);

	ck_assert_int_eq(mk_home_lock(&home, &why), MK_E_STALE);
	ck_assert_int_ge(time(NULL) - begun, 9);
	ck_assert_int_le(time(NULL) - begun, 12);
	assert_said("cannot lock '", home.path, "/.lock': another process "
	    "holds it, and may be waiting for its user", false);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(mk_home_lock(&home, &why), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("home");
	TCase *t = tcase_create("home");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, paths);
	tcase_add_test(t, path_of_another);
	tcase_add_test(t, made);
	tcase_add_test(t, open_to_others);
	tcase_add_test(t, linked);
	tcase_add_test(t, written);
	tcase_add_test(t, hostile_files);
	tcase_add_test(t, write_through_link);
	tcase_add_test(t, failed_write);
	tcase_add_test(t, swept);
	tcase_add_test(t, waits);
	tcase_add_test(t, waits_no_longer);
	suite_add_tcase(s, t);
	return s;
}
