/* SPDX-License-Identifier: ISC */
/* Opening, judging, reading and replacing files. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>

#include "core/err.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define CONF	MK_CONFDIR
#define STORE	MK_CACHEDIR

static struct mk_root root;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
	memset(&why, 0, sizeof(why));
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

/* Reads CONF/name and gives the result; the text must be 'text' if any. */
static int
read_conf(const char *name, size_t max, const char *text)
{
	struct mk_file file;
	struct mk_dir dir;
	int r;

	r = mk_dir_open(&root, CONF, MK_OWNED_BY_ROOT, &dir, &why);
	if (r != 0)
		return r;
	r = mk_dir_read(&dir, name, max, &file, &why);
	mk_dir_close(&dir);
	if (r != 0)
		return r;
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(file.len, strlen(text));
	ck_assert_str_eq((char *)file.data, text);
	mk_file_release(&file);
	return 0;
}

START_TEST(reads)
{
	tree_text(CONF "/map", "alice -\n");
	ck_assert_int_eq(read_conf("map", 8, "alice -\n"), 0);
	tree_text(CONF "/map", "");
	ck_assert_int_eq(read_conf("map", 8, ""), 0);
	ck_assert_int_eq(read_conf("absent", 8, NULL), MK_E_ABSENT);
	ck_assert_int_eq(read_conf("../map", 8, NULL), MK_E_BUG);
}
END_TEST

START_TEST(too_big)
{
	tree_text(CONF "/map", "123456789");
	ck_assert_int_eq(read_conf("map", 9, "123456789"), 0);
	ck_assert_int_eq(read_conf("map", 8, NULL), MK_E_TOOBIG);
	ck_assert_str_eq(why.detail,
	    "cannot use '" CONF "/map': larger than 8 bytes");
}
END_TEST

/* A file of /proc claims to be empty: only what is read counts. */
START_TEST(size_is_a_hint)
{
	struct mk_root none;
	struct mk_file file;
	struct mk_dir dir;

	ck_assert_int_eq(mk_root_open(NULL, &none, &why), 0);
	if (mk_dir_open(&none, "/proc/sys/kernel", MK_OWNED_BY_ROOT, &dir,
	    &why) != 0)
		return;
	ck_assert_int_eq(mk_dir_read(&dir, "ostype", 6, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "Linux\n");
	mk_file_release(&file);
	ck_assert_int_eq(mk_dir_read(&dir, "ostype", 5, &file, &why),
	    MK_E_TOOBIG);
	mk_dir_close(&dir);
}
END_TEST

START_TEST(time_of_file)
{
	const struct timespec times[2] = { { 1000, 0 }, { 2000, 5 } };
	struct mk_file file;

	tree_text("/x", "x");
	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path("/x"), times, 0), 0);
	ck_assert_int_eq(mk_file_read(tree_path("/x"), 1, &file, &why), 0);
	ck_assert_int_eq(file.mtime, 2000);
	mk_file_release(&file);
}
END_TEST

START_TEST(not_regular)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkfifo(tree_path(CONF "/fifo"), 0644), 0);
	ck_assert_int_eq(read_conf("fifo", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail,
	    "cannot use '" CONF "/fifo': not a regular file");
	ck_assert_int_eq(read_conf("users", 9, NULL), MK_E_PERM);
	strcpy(sun.sun_path, tree_path(CONF "/socket"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(read_conf("socket", 9, NULL), MK_E_PERM);
	close(fd);
	tree_text(CONF "/real", "x");
	ck_assert_int_eq(symlink("real", tree_path(CONF "/link")), 0);
	ck_assert_int_eq(read_conf("link", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail,
	    "cannot use '" CONF "/link': is a symbolic link");
}
END_TEST

START_TEST(writable)
{
	static const struct {
		mode_t mode;
		const char *detail;
	} cases[] = {
		{ 0664, "cannot use '" CONF "/map': writable by group; "
		    "run: chmod g-w " CONF "/map" },
		{ 0646, "cannot use '" CONF "/map': writable by others; "
		    "run: chmod o-w " CONF "/map" },
		{ 0666, "cannot use '" CONF "/map': writable by group and "
		    "others; run: chmod go-w " CONF "/map" }
	};
	size_t i;

	tree_text(CONF "/map", "");
	for (i = 0; i < 3; i++) {
		chmod(tree_path(CONF "/map"), cases[i].mode);
		ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
		ck_assert_str_eq(why.detail, cases[i].detail);
		ck_assert_int_eq(why.code, MK_E_PERM);
	}
}
END_TEST

START_TEST(directory)
{
	tree_text(CONF "/map", "x");
	chmod(tree_path(CONF), 0777);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '" CONF "': writable by "
	    "group and others; run: chmod go-w " CONF);
	chmod(tree_path(CONF), 0755);
	chmod(tree_path("/etc"), 0775);
	if (strcmp(CONF, "/etc/meshkeys") == 0) {
		ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
		ck_assert_str_eq(why.detail, "cannot use '/etc': writable "
		    "by group; run: chmod g-w /etc");
	}
	chmod(tree_path("/etc"), 0755);
	/* What lies above the root is the caller's business. */
	chmod(tree_dir, 0777);
	ck_assert_int_eq(read_conf("map", 9, "x"), 0);
}
END_TEST

/* A repair command below a root must not change the system's own file. */
START_TEST(rooted_message)
{
	char want[3 * PATH_MAX];

	root.name = tree_dir;
	tree_text(CONF "/map", "x");
	chmod(tree_path(CONF "/map"), 0664);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	snprintf(want, sizeof(want), "cannot use '%s" CONF "/map': writable "
	    "by group; run: chmod g-w %s" CONF "/map", tree_dir, tree_dir);
	ck_assert_str_eq(why.detail, want);
	chmod(tree_path(CONF), 0775);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, tree_dir));
	chmod(tree_path(CONF), 0755);
	chmod(tree_path("/etc"), 0775);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, tree_dir));
}
END_TEST

START_TEST(no_directory)
{
	struct mk_dir dir;

	ck_assert_int_eq(mk_dir_open(&root, CONF "/none", MK_OWNED_BY_ROOT,
	    &dir, &why), MK_E_ABSENT);
	tree_text(CONF "/file", "");
	ck_assert_int_eq(mk_dir_open(&root, CONF "/file", MK_OWNED_BY_ROOT,
	    &dir, &why), MK_E_PERM);
	ck_assert_str_eq(why.detail,
	    "cannot use '" CONF "/file': not a directory");
	ck_assert_int_eq(mk_root_open(tree_path("/none"), &root, &why),
	    MK_E_CONFIG);
}
END_TEST

/* Links lead inside the root, and the real parents are judged. */
START_TEST(linked_directory)
{
	struct mk_dir dir;

	tree_mkdir("/srv/deep/conf");
	tree_text("/srv/deep/conf/map", "x");
	ck_assert_int_eq(rmdir(tree_path(CONF "/users")), 0);
	ck_assert_int_eq(rmdir(tree_path(CONF)), 0);
	ck_assert_int_eq(symlink("/srv/deep/conf", tree_path(CONF)), 0);
	ck_assert_int_eq(read_conf("map", 9, "x"), 0);
	chmod(tree_path("/srv"), 0757);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '/srv': writable by others; "
	    "run: chmod o-w /srv");
	chmod(tree_path("/srv"), 0755);
	ck_assert_int_eq(mk_dir_open(&root, CONF, MK_OWNED_BY_ANYONE, &dir,
	    &why), MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '" CONF "': reached "
	    "through a symbolic link");
	/* What is not mounted is not absent. */
	ck_assert_int_eq(rename(tree_path("/srv/deep"), tree_path("/away")),
	    0);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '" CONF "': a symbolic link "
	    "that leads nowhere");
}
END_TEST

START_TEST(owners)
{
	struct mk_file file;
	struct mk_dir dir;

	if (geteuid() != 0)
		return;
	tree_text(CONF "/map", "x");
	ck_assert_int_eq(chown(tree_path(CONF "/map"), 1234, 0), 0);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '" CONF "/map': owned by "
	    "uid 1234; run: chown 0 " CONF "/map");
	ck_assert_int_eq(chown(tree_path(CONF), 1234, 0), 0);
	ck_assert_int_eq(read_conf("map", 9, NULL), MK_E_PERM);

	tree_text(STORE "/mine", "x");
	tree_text(STORE "/hers", "x");
	ck_assert_int_eq(chown(tree_path(STORE), 1234, 0), 0);
	ck_assert_int_eq(chown(tree_path(STORE "/mine"), 1234, 0), 0);
	ck_assert_int_eq(chown(tree_path(STORE "/hers"), 1235, 0), 0);
	ck_assert_int_eq(mk_dir_open(&root, STORE, MK_OWNED_BY_ROOT, &dir,
	    &why), MK_E_PERM);
	ck_assert_int_eq(mk_dir_open(&root, STORE, MK_OWNED_BY_ANYONE, &dir,
	    &why), 0);
	ck_assert_uint_eq(dir.owner, 1234);
	ck_assert_int_eq(mk_dir_read(&dir, "mine", 9, &file, &why), 0);
	mk_file_release(&file);
	ck_assert_int_eq(mk_dir_read(&dir, "hers", 9, &file, &why),
	    MK_E_PERM);
	mk_dir_close(&dir);
	/* The owner of a parent could put another store there. */
	if (strncmp(STORE, "/var/", 5) == 0) {
		ck_assert_int_eq(chown(tree_path("/var"), 1234, 0), 0);
		ck_assert_int_eq(mk_dir_open(&root, STORE,
		    MK_OWNED_BY_ANYONE, &dir, &why), MK_E_PERM);
	}
}
END_TEST

/* In a child without privileges; gives what the test returns. */
static int
unprivileged(int (*test)(void))
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		if (setgid(4321) != 0 || setuid(4321) != 0)
			_exit(99);
		_exit(test());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
denied(void)
{
	if (read_conf("map", 9, NULL) != MK_E_PERM)
		return 1;
	if (strcmp(why.detail, "cannot use '" CONF "/map': permission "
	    "denied; run: chmod a+r " CONF "/map") != 0)
		return 2;
	if (read_conf("open", 9, "x") != 0)
		return 3;
	return 0;
}

/* Below a --root the caller trusts herself, and nobody else. */
static int
own_root(void)
{
	struct mk_root own;

	if (mk_root_open(tree_path("/own"), &own, &why) != 0)
		return 1;
	mk_root_close(&root);
	root = own;
	if (own.self != 4321 || read_conf("mine", 9, "x") != 0)
		return 2;
	if (read_conf("hers", 9, NULL) != MK_E_PERM)
		return 3;
	return 0;
}

START_TEST(caller)
{
	if (geteuid() != 0)
		return;
	tree_text(CONF "/map", "x");
	tree_text(CONF "/open", "x");
	chmod(tree_path(CONF "/map"), 0640);
	ck_assert_int_eq(unprivileged(denied), 0);

	tree_mkdir("/own" CONF);
	tree_text("/own" CONF "/mine", "x");
	tree_text("/own" CONF "/hers", "x");
	ck_assert_int_eq(chown(tree_path("/own" CONF), 4321, 0), 0);
	ck_assert_int_eq(chown(tree_path("/own" CONF "/mine"), 4321, 0), 0);
	ck_assert_int_eq(chown(tree_path("/own" CONF "/hers"), 4322, 0), 0);
	ck_assert_int_eq(unprivileged(own_root), 0);
}
END_TEST

START_TEST(system_root)
{
	struct mk_root none;
	struct mk_file file;
	struct mk_dir dir;
	struct stat st;

	ck_assert_int_eq(mk_root_open(NULL, &none, &why), 0);
	ck_assert_int_eq(mk_dir_open(&none, "/etc", MK_OWNED_BY_ROOT, &dir,
	    &why), 0);
	ck_assert_int_eq(mk_dir_read(&dir, "passwd", 1 << 20, &file, &why),
	    0);
	mk_file_release(&file);
	mk_dir_close(&dir);
	ck_assert_int_eq(stat("/tmp", &st), 0);
	if ((st.st_mode & 02) != 0)
		ck_assert_int_eq(mk_dir_open(&none, "/tmp",
		    MK_OWNED_BY_ANYONE, &dir, &why), MK_E_PERM);
	mk_root_close(&none);
}
END_TEST

static unsigned
count_entries(const char *name)
{
	DIR *d = opendir(tree_path(name));
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static int
replace(const char *path, const char *name, const char *text, int64_t mtime)
{
	const struct mk_content content = {
		(const uint8_t *)text, strlen(text), mtime
	};
	struct mk_dir dir;
	int r;

	r = mk_dir_open(&root, path, MK_OWNED_BY_ROOT, &dir, &why);
	ck_assert_int_eq(r, 0);
	r = mk_dir_replace(&dir, name, &content, &why);
	mk_dir_close(&dir);
	return r;
}

START_TEST(replaces)
{
	struct stat st;

	umask(077);
	ck_assert_int_eq(replace(CONF, "map", "one", 12345), 0);
	ck_assert_int_eq(read_conf("map", 9, "one"), 0);
	ck_assert_int_eq(stat(tree_path(CONF "/map"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(st.st_mtime, 12345);
	ck_assert_int_eq(replace(CONF, "map", "two", -1), 0);
	ck_assert_int_eq(read_conf("map", 9, "two"), 0);
	ck_assert_int_eq(stat(tree_path(CONF "/map"), &st), 0);
	ck_assert_int_ne(st.st_mtime, 12345);
	ck_assert_uint_eq(count_entries(CONF), 2);
}
END_TEST

START_TEST(replace_keeps_old)
{
	char name[300];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(replace(CONF, name, "x", -1), MK_E_SYSTEM);
	/* A directory in its place cannot be renamed over. */
	ck_assert_int_eq(replace(CONF, "users", "x", -1), MK_E_SYSTEM);
	ck_assert_int_eq(replace(CONF, "a/b", "x", -1), MK_E_BUG);
	ck_assert_uint_eq(count_entries(CONF), 1);
}
END_TEST

START_TEST(replace_not_through_links)
{
	tree_mkdir("/srv");
	ck_assert_int_eq(rename(tree_path(CONF), tree_path("/srv/conf")), 0);
	ck_assert_int_eq(symlink("/srv/conf", tree_path(CONF)), 0);
	ck_assert_int_eq(replace(CONF, "map", "x", -1), MK_E_PERM);
	ck_assert_uint_eq(count_entries("/srv/conf"), 1);
}
END_TEST

START_TEST(replace_gives_to_owner)
{
	const struct mk_content content = { (const uint8_t *)"x", 1, -1 };
	struct mk_dir dir;
	struct stat st;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(tree_path(STORE), 1234, 0), 0);
	ck_assert_int_eq(mk_dir_open(&root, STORE, MK_OWNED_BY_ANYONE, &dir,
	    &why), 0);
	ck_assert_int_eq(mk_dir_replace(&dir, "x", &content, &why), 0);
	mk_dir_close(&dir);
	ck_assert_int_eq(stat(tree_path(STORE "/x"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 1234);
}
END_TEST

START_TEST(as_it_stands)
{
	struct mk_file file;

	tree_text("/x", "x");
	chmod(tree_dir, 0777);
	ck_assert_int_eq(mk_file_read(tree_path("/x"), 1, &file, &why), 0);
	mk_file_release(&file);
	chmod(tree_path("/x"), 0666);
	ck_assert_int_eq(mk_file_read(tree_path("/x"), 1, &file, &why),
	    MK_E_PERM);
	ck_assert_int_eq(mk_file_read(tree_path("/y"), 1, &file, &why),
	    MK_E_ABSENT);
}
END_TEST

START_TEST(programs)
{
	struct mk_root none;

	ck_assert_int_eq(mk_root_open(NULL, &none, &why), 0);
	ck_assert_int_eq(mk_program_check(&none, "/bin/sh", &why), 0);
	ck_assert_int_eq(mk_program_check(&none, "sh", &why), MK_E_CONFIG);
	ck_assert_int_eq(mk_program_check(&none, "/bin", &why), MK_E_CONFIG);
	ck_assert_int_eq(mk_program_check(&none, "/none", &why),
	    MK_E_CONFIG);
	ck_assert_int_eq(mk_program_check(&none, "/etc/passwd", &why),
	    MK_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.detail, "chmod a+x /etc/passwd"));

	tree_mkdir("/opt/bin");
	tree_text("/opt/bin/x", "#!/bin/sh\n");
	chmod(tree_path("/opt/bin/x"), 0755);
	ck_assert_int_eq(mk_program_check(&root, "/opt/bin/x", &why), 0);
	ck_assert_int_eq(symlink("/opt/bin/x", tree_path("/x")), 0);
	ck_assert_int_eq(mk_program_check(&root, "/x", &why), 0);
	chmod(tree_path("/opt"), 0775);
	ck_assert_int_eq(mk_program_check(&root, "/x", &why), MK_E_CONFIG);
	ck_assert_int_eq(why.code, MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "cannot use '/opt': writable by group; "
	    "run: chmod g-w /opt");
	chmod(tree_path("/opt"), 0755);
	chmod(tree_path("/opt/bin"), 0757);
	ck_assert_int_eq(mk_program_check(&root, "/x", &why), MK_E_CONFIG);
	chmod(tree_path("/opt/bin"), 0755);
	chmod(tree_path("/opt/bin/x"), 0775);
	ck_assert_int_eq(mk_program_check(&root, "/x", &why), MK_E_CONFIG);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("root");
	TCase *t = tcase_create("root");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads);
	tcase_add_test(t, too_big);
	tcase_add_test(t, size_is_a_hint);
	tcase_add_test(t, time_of_file);
	tcase_add_test(t, not_regular);
	tcase_add_test(t, writable);
	tcase_add_test(t, directory);
	tcase_add_test(t, rooted_message);
	tcase_add_test(t, no_directory);
	tcase_add_test(t, linked_directory);
	tcase_add_test(t, owners);
	tcase_add_test(t, caller);
	tcase_add_test(t, system_root);
	tcase_add_test(t, replaces);
	tcase_add_test(t, replace_keeps_old);
	tcase_add_test(t, replace_not_through_links);
	tcase_add_test(t, replace_gives_to_owner);
	tcase_add_test(t, as_it_stands);
	tcase_add_test(t, programs);
	suite_add_tcase(s, t);
	return s;
}
