/* SPDX-License-Identifier: ISC */
/* ~/.ssh: configuration and keys of a user. */
#include <sys/wait.h>

#include <sodium.h>

#include <dirent.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/child.h"
#include "edge/ssh_dir.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define KEY	"/.ssh/" MK_SSH_KEY
#define NEW	"/.ssh/" MK_SSH_KEY_NEW
#define OLD	"/.ssh/" MK_SSH_KEY_OLD

static struct mk_ssh_dir dir;
static struct mk_why why;

static void
setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	tree_setup();
	memset(&why, 0, sizeof(why));
	ck_assert_int_eq(setenv("HOME", tree_dir, 1), 0);
	ck_assert_int_eq(mk_ssh_dir_open(true, &dir, &why), 0);
}

static void
teardown(void)
{
	mk_ssh_dir_close(&dir);
	tree_teardown();
}

static int
reopen(bool make)
{
	mk_ssh_dir_close(&dir);
	return mk_ssh_dir_open(make, &dir, &why);
}

static struct stat
look(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(tree_path(name), &st), 0);
	return st;
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(tree_path(name), &st) == 0;
}

static void
assert_text(const char *name, const char *text)
{
	char got[256];
	FILE *f = fopen(tree_path(name), "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	fclose(f);
	ck_assert_str_eq(got, text);
}

START_TEST(opened)
{
	char *name;

	ck_assert_int_eq(look("/.ssh").st_mode & 07777, 0700);
	ck_assert_str_eq(dir.path, tree_path("/.ssh"));
	name = mk_ssh_dir_name(&dir, "x");
	ck_assert_str_eq(name, tree_path("/.ssh/x"));
	free(name);
	ck_assert(!mk_ssh_dir_has(&dir, "x"));
	ck_assert_int_eq(chmod(tree_path("/.ssh"), 0755), 0);
	ck_assert_int_eq(reopen(false), 0);
	ck_assert_int_eq(look("/.ssh").st_mode & 07777, 0755);
	ck_assert_int_eq(chmod(tree_path("/.ssh"), 0775), 0);
	ck_assert_int_eq(reopen(true), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail,
	    "writable by group; run: chmod g-w "));
	ck_assert_int_eq(rmdir(tree_path("/.ssh")), 0);
	why.detail[0] = '\0';
	ck_assert_int_eq(reopen(false), MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "");
	ck_assert_int_eq(symlink("/nowhere/at/all", tree_path("/.ssh")), 0);
	ck_assert_int_eq(reopen(true), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "leads nowhere"));
}
END_TEST

START_TEST(linked_dir)
{
	ck_assert_int_eq(rename(tree_path("/.ssh"), tree_path("/dots")), 0);
	ck_assert_int_eq(symlink("dots", tree_path("/.ssh")), 0);
	ck_assert_int_eq(reopen(true), 0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "x", 1, &why), 0);
	assert_text("/dots/config", "x");
	ck_assert(S_ISLNK(look("/.ssh").st_mode));
}
END_TEST

START_TEST(of_another)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(tree_path("/.ssh"), 4711, (gid_t)-1), 0);
	ck_assert_int_eq(reopen(true), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "owned by uid 4711"));
}
END_TEST

START_TEST(config)
{
	struct mk_file file;

	why.detail[0] = '\0';
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 9, &file, &why),
	    MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "");
	umask(0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "one", 3, &why),
	    0);
	ck_assert_int_eq(look("/.ssh/config").st_mode & 07777, 0600);
	ck_assert_int_eq(chmod(tree_path("/.ssh/config"), 0644), 0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "three", 5, &why),
	    0);
	ck_assert_int_eq(look("/.ssh/config").st_mode & 07777, 0644);
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 5, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "three");
	mk_file_release(&file);
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 4, &file, &why),
	    MK_E_TOOBIG);
	ck_assert_int_eq(chmod(tree_path("/.ssh/config"), 0664), 0);
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 5, &file, &why),
	    MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "; run: chmod g-w "));
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "x", 1, &why),
	    MK_E_PERM);
	assert_text("/.ssh/config", "three");
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "../x", "x", 1, &why),
	    MK_E_BUG);
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "../x", 5, &file, &why),
	    MK_E_BUG);
}
END_TEST

START_TEST(config_linked)
{
	struct mk_file file;

	tree_mkdir("/dots");
	tree_text("/dots/conf", "old");
	ck_assert_int_eq(chmod(tree_path("/dots/conf"), 0640), 0);
	ck_assert_int_eq(symlink("conf", tree_path("/dots/middle")), 0);
	ck_assert_int_eq(symlink("../dots/middle",
	    tree_path("/.ssh/config")), 0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "new", 3, &why),
	    0);
	ck_assert(S_ISLNK(look("/.ssh/config").st_mode));
	ck_assert(S_ISLNK(look("/dots/middle").st_mode));
	ck_assert_int_eq(look("/dots/conf").st_mode, S_IFREG | 0640);
	assert_text("/dots/conf", "new");
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 9, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "new");
	mk_file_release(&file);
	/* Others could put another file there. */
	ck_assert_int_eq(chmod(tree_path("/dots"), 0777), 0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "x", 1, &why),
	    MK_E_PERM);
	ck_assert_int_eq(unlink(tree_path("/dots/conf")), 0);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "x", 1, &why),
	    MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "leads nowhere"));
}
END_TEST

START_TEST(not_a_file)
{
	struct mk_file file;

	ck_assert_int_eq(mkfifo(tree_path("/.ssh/config"), 0600), 0);
	ck_assert_int_eq(mk_ssh_dir_read(&dir, "config", 9, &file, &why),
	    MK_E_PERM);
	ck_assert_int_eq(mk_ssh_dir_write(&dir, "config", "x", 1, &why),
	    MK_E_PERM);
}
END_TEST

static unsigned
count_files(void)
{
	DIR *d = opendir(tree_path("/.ssh"));
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/* Both files are there, and belong together. */
static void
assert_pair(const char *name)
{
	const char *const argv[] = { "ssh-keygen", "-y", "-P", "", "-f",
	    tree_path(name), NULL };
	const struct mk_child child = { .argv = argv, .seconds = 20 };
	char pub[2 * PATH_MAX], text[1024];
	struct mk_buf out;
	int status;
	FILE *f;

	snprintf(pub, sizeof(pub), "%s.pub", tree_path(name));
	f = fopen(pub, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	fclose(f);
	mk_buf_init(&out, 4096);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(out.data, text);
	mk_buf_release(&out);
}

START_TEST(keys)
{
	ino_t first;

	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "-a word", false, &why), 0);
	ck_assert_int_eq(look(NEW).st_mode, S_IFREG | 0600);
	ck_assert_uint_eq(count_files(), 2);
	assert_pair(NEW);
	first = look(NEW).st_ino;
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "b", false, &why), 0);
	ck_assert(look(NEW).st_ino != first);
	assert_pair(NEW);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_uint_eq(count_files(), 2);
	assert_pair(KEY);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_uint_eq(count_files(), 2);
	first = look(KEY).st_ino;
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert(look(KEY).st_ino != first);
	ck_assert_uint_eq(count_files(), 4);
	assert_pair(KEY);
	ck_assert(look(OLD).st_ino == first);
	assert_pair(OLD);
}
END_TEST

/* The key before stays, one of them, and not for ever. */
START_TEST(old_key)
{
	const struct timespec then[2] = { { .tv_sec = 1000 },
	    { .tv_sec = 1000 } };
	const time_t begun = time(NULL);
	ino_t second;

	ck_assert_int_eq(mk_ssh_dir_expire(&dir, begun, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "a", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert(!is_there(OLD));
	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(KEY), then, 0), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "b", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	second = look(KEY).st_ino;
	/* Its age is that of its being put aside. */
	ck_assert_int_eq(mk_ssh_dir_expire(&dir, begun - 1, &why), 0);
	assert_pair(OLD);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert(look(OLD).st_ino == second);
	assert_pair(OLD);
	ck_assert_uint_eq(look(OLD).st_mode & 0777, 0600);
	ck_assert_int_eq(mk_ssh_dir_expire(&dir, begun + 3600, &why), 0);
	ck_assert_uint_eq(count_files(), 2);
	assert_pair(KEY);
}
END_TEST

START_TEST(no_keys)
{
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), MK_E_ABSENT);
	ck_assert_ptr_nonnull(strstr(why.detail, MK_SSH_KEY_NEW));
	ck_assert_int_eq(setenv("PATH", tree_dir, 1), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why),
	    MK_E_ABSENT);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

/* What a killed one left does not stay, and is not in the way. */
START_TEST(leftover)
{
	tree_mkdir("/.ssh/.mk-keygen");
	tree_text("/.ssh/.mk-keygen/key", "half");
	tree_text(NEW ".pub", "of no key");
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why), 0);
	assert_pair(NEW);
	ck_assert_uint_eq(count_files(), 2);
	ck_assert_int_eq(symlink(tree_dir, tree_path("/.ssh/.mk-keygen")),
	    0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why),
	    MK_E_PERM);
	assert_pair(NEW);
}
END_TEST

/* One that fails leaves the new pair of before. */
START_TEST(keygen_fails)
{
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why), 0);
	tree_mkdir("/bin");
	tree_text("/bin/ssh-keygen", "#!/bin/sh\nexit 3\n");
	ck_assert_int_eq(chmod(tree_path("/bin/ssh-keygen"), 0755), 0);
	ck_assert_int_eq(setenv("PATH", tree_path("/bin"), 1), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why),
	    MK_E_SYSTEM);
	ck_assert_str_eq(why.detail, "ssh-keygen failed with exit status 3");
	tree_text("/bin/ssh-keygen", "#!/bin/sh\nexit 0\n");
	ck_assert_int_eq(chmod(tree_path("/bin/ssh-keygen"), 0755), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "c", false, &why),
	    MK_E_SYSTEM);
	ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
	ck_assert_uint_eq(count_files(), 2);
	assert_pair(NEW);
}
END_TEST

/*
 * Every place where adopting can have been killed: which files there are
 * then, and whether it goes on.
 */
static void
stop_after(int step)
{
	if (step > 0)
		ck_assert_int_eq(link(tree_path(KEY), tree_path(OLD)), 0);
	if (step > 1)
		ck_assert_int_eq(rename(tree_path(KEY ".pub"),
		    tree_path(OLD ".pub")), 0);
	if (step > 2)
		ck_assert_int_eq(rename(tree_path(NEW), tree_path(KEY)), 0);
	if (step > 3)
		ck_assert_int_eq(rename(tree_path(NEW ".pub"),
		    tree_path(KEY ".pub")), 0);
}

START_TEST(adopted_again)
{
	ino_t made, before;

	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "a", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "b", false, &why), 0);
	made = look(NEW).st_ino;
	before = look(KEY).st_ino;
	stop_after(_i);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert(look(KEY).st_ino == made);
	assert_pair(KEY);
	ck_assert(look(OLD).st_ino == before);
	/* The public half of the old one may be lost, ssh(1) does without. */
	if (_i != 2)
		assert_pair(OLD);
	ck_assert_uint_eq(count_files(), _i == 2 ? 3 : 4);
}
END_TEST

/* No public half is better than that of another key. */
START_TEST(adopts_without_half)
{
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "a", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "b", false, &why), 0);
	ck_assert_int_eq(unlink(tree_path(NEW ".pub")), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_uint_eq(count_files(), 3);
	ck_assert(is_there(KEY));
}
END_TEST

/* The public half of a pair that was never whole is not taken. */
START_TEST(adopts_no_half)
{
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "a", false, &why), 0);
	ck_assert_int_eq(unlink(tree_path(NEW)), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), MK_E_ABSENT);
	ck_assert(!is_there(KEY ".pub"));
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "a", false, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	ck_assert_int_eq(mk_ssh_dir_keygen(&dir, "b", false, &why), 0);
	ck_assert_int_eq(unlink(tree_path(NEW)), 0);
	ck_assert_int_eq(mk_ssh_dir_adopt(&dir, &why), 0);
	assert_pair(KEY);
	ck_assert_uint_eq(count_files(), 2);
}
END_TEST

/* Types at the terminal of ssh-keygen; the result of the making. */
static int
with_person(const char *typed)
{
	char shown[4096] = "";
	int master, status, asked = 0;
	size_t len = 0, seen = 0;
	ssize_t n;
	char *at;
	pid_t pid;

	pid = forkpty(&master, NULL, NULL, NULL);
	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL);
		(void)alarm(20);
		(void)setenv("DISPLAY", ":99", 1);
		(void)setenv("SSH_ASKPASS", "/bin/false", 1);
		_exit(-mk_ssh_dir_keygen(&dir, "c", true, &why));
	}
	while (len < sizeof(shown) - 1 && (n = read(master, shown + len,
	    sizeof(shown) - 1 - len)) > 0) {
		len += (size_t)n;
		shown[len] = '\0';
		/* "Enter passphrase ...:", "Enter same passphrase ...:" */
		at = strstr(shown + seen, ": ");
		if (at == NULL || asked == 2)
			continue;
		seen = len;
		asked++;
		ck_assert_int_eq(write(master, typed, strlen(typed)),
		    (ssize_t)strlen(typed));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(master);
	ck_assert_int_eq(asked, 2);
	ck_assert_ptr_null(strstr(shown, "sesame"));
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

START_TEST(passphrase)
{
	const char *const argv[] = { "ssh-keygen", "-y", "-P", "sesame",
	    "-f", tree_path(NEW), NULL };
	const char *const none[] = { "sh", "-c",
	    "exec ssh-keygen -y -P '' -f $0 2>/dev/null", tree_path(NEW),
	    NULL };
	struct mk_child child = { .argv = argv, .seconds = 20 };
	struct mk_buf out;
	int status;

	ck_assert_int_eq(with_person("sesame\n"), 0);
	ck_assert_uint_eq(count_files(), 2);
	mk_buf_init(&out, 4096);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_int_eq(status, 0);
	child.argv = none;
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_int_ne(status, 0);
	mk_buf_release(&out);
}
END_TEST

START_TEST(passphrase_empty)
{
	ck_assert_int_eq(with_person("\n"), MK_E_USAGE);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(passphrase_unasked)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)setsid();
		_exit(-mk_ssh_dir_keygen(&dir, "c", true, &why));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), -MK_E_USAGE);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("ssh_dir");
	TCase *t = tcase_create("files"), *k = tcase_create("keys");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, opened);
	tcase_add_test(t, linked_dir);
	tcase_add_test(t, of_another);
	tcase_add_test(t, config);
	tcase_add_test(t, config_linked);
	tcase_add_test(t, not_a_file);
	suite_add_tcase(s, t);
	if (access("/usr/bin/ssh-keygen", X_OK) != 0)
		return s;
	tcase_add_checked_fixture(k, setup, teardown);
	tcase_set_timeout(k, 60);
	tcase_add_test(k, keys);
	tcase_add_test(k, old_key);
	tcase_add_test(k, no_keys);
	tcase_add_test(k, leftover);
	tcase_add_test(k, keygen_fails);
	tcase_add_loop_test(k, adopted_again, 0, 5);
	tcase_add_test(k, adopts_without_half);
	tcase_add_test(k, adopts_no_half);
	tcase_add_test(k, passphrase);
	tcase_add_test(k, passphrase_empty);
	tcase_add_test(k, passphrase_unasked);
	suite_add_tcase(s, k);
	return s;
}
