/* SPDX-License-Identifier: ISC */
/* A command run as sshd runs it. */
#include <pwd.h>

#include "core/err.h"
#include "edge/akc_run.h"
#include "unit/tree.h"
#include "unit/unit.h"

static const char key[] =
	"AAAAC3NzaC1lZDI1NTE5AAAAIHrOSu4ECc4HT9vb3nJzQ1I9WwIoENDZ71PXk/cO"
	"rvPM";
/* Of the same key. */
static const char certificate[] =
	"AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIPDgQf9iMK4c"
	"mTa++/38Qj3dOWfQWgR1FzxkBRLWZ5JvAAAAIHrOSu4ECc4HT9vb3nJzQ1I9WwIo"
	"ENDZ71PXk/cOrvPMAAAAAAAAAAAAAAABAAAAAmlkAAAACQAAAAVhbGljZQAAAAAA"
	"AAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAA"
	"AAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1m"
	"b3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1y"
	"YwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACCYnUOUu4yq8JmTIo/63mdS"
	"/euXfVN3d7JRr3kXlgX6ZAAAAFMAAAALc3NoLWVkMjU1MTkAAABAqWIhAjkErPch"
	"BhqvxZ17jDYjKGCiIYZw9XzU7pOXe9baBAdytpxdjnQe2Gx8OVPv/QgHmuP4gscn"
	"DwDu5SrkDw==";
#define FINGERPRINT	"SHA256:lPCO02PzCmYzltZwYjdSsJHm7hmhQ4bE15Q0bPOdqHA"

static struct mk_why why;
static struct mk_akc_result result;

static void
setup(void)
{
	tree_setup();
	memset(&why, 0, sizeof(why));
	memset(&result, 0, sizeof(result));
}

static void
teardown(void)
{
	mk_akc_result_release(&result);
	tree_teardown();
}

/* What the command is, in sh; each argument stands in a line. */
static void
script(const char *text)
{
	tree_text("/command", text);
	ck_assert_int_eq(chmod(tree_path("/command"), 0755), 0);
}

static int
run_as(const char *arguments, const char *as)
{
	char line[PATH_MAX + 256];
	struct mk_akc_ask ask = { .command = line, .as = as,
	    .user = "daemon", .type = "ssh-ed25519", .key = key };

	snprintf(line, sizeof(line), "%s%s", tree_path("/command"),
	    arguments);
	mk_akc_result_release(&result);
	return mk_akc_run(&ask, &result, &why);
}

static void
assert_prints(const char *arguments, const char *text)
{
	ck_assert_int_eq(run_as(arguments, "nobody"), 0);
	ck_assert_int_eq(result.status, 0);
	ck_assert_str_eq(result.out.data, text);
}

START_TEST(tokens)
{
	const struct passwd *pw = getpwnam("daemon");
	char text[1024], about[512];

	ck_assert_ptr_nonnull(pw);
	snprintf(about, sizeof(about), "%lu=%s", (unsigned long)pw->pw_uid,
	    pw->pw_dir);
	script("#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
	snprintf(text, sizeof(text), "daemon\nssh-ed25519\n%s\n", key);
	assert_prints(" %u %t %k", text);
	snprintf(text, sizeof(text), "%s\n" FINGERPRINT "\n%%u\n", about);
	assert_prints(" %U=%h %f %%u", text);
	assert_prints(" 'a  b' \"%u c\" $HOME;id # x",
	    "a  b\ndaemon c\n$HOME;id\n#\nx\n");
	/* Without any, her name. */
	assert_prints("", "daemon\n");
}
END_TEST

/* The key inside, as sshd has it. */
START_TEST(fingerprint_of_certificate)
{
	char line[PATH_MAX + 16];
	const struct mk_akc_ask ask = { line, "nobody", "daemon",
	    "ssh-ed25519-cert-v01@openssh.com", certificate };

	script("#!/bin/sh\necho \"$*\"\n");
	snprintf(line, sizeof(line), "%s %%f", tree_path("/command"));
	ck_assert_int_eq(mk_akc_run(&ask, &result, &why), 0);
	ck_assert_str_eq(result.out.data, FINGERPRINT "\n");
}
END_TEST

START_TEST(environment)
{
	const struct mk_akc_ask ask = { "/usr/bin/env -u X", "nobody",
	    "daemon", "ssh-ed25519", key };
	const struct passwd *pw = getpwnam("nobody");
	char text[1024];

	ck_assert_ptr_nonnull(pw);
	snprintf(text, sizeof(text), "PATH=/usr/local/bin:/usr/bin:/bin:"
	    "/usr/games\nUSER=nobody\nLOGNAME=nobody\nHOME=%s\n",
	    pw->pw_dir);
	ck_assert_int_eq(setenv("SSH_CONNECTION", "x", 1), 0);
	ck_assert_int_eq(mk_akc_run(&ask, &result, &why), 0);
	ck_assert_str_eq(result.out.data, text);
}
END_TEST

START_TEST(surroundings)
{
	const struct passwd *pw = getpwnam("nobody");
	char text[256];

	ck_assert_ptr_nonnull(pw);
	snprintf(text, sizeof(text), "Uid: %lu %lu %lu %lu\n%lu\n/\n0022\n"
	    "/dev/null\n", (unsigned long)pw->pw_uid,
	    (unsigned long)pw->pw_uid, (unsigned long)pw->pw_uid,
	    (unsigned long)pw->pw_uid, (unsigned long)pw->pw_gid);
	(void)umask(0);
	script("#!/bin/sh\ngrep ^Uid: /proc/self/status | tr '\\t' ' '\n"
	    "id -G\npwd\numask\nreadlink /proc/self/fd/0\n");
	assert_prints("", text);
}
END_TEST

START_TEST(ends)
{
	script("#!/bin/sh\necho out\necho err >&2\nexit 77\n");
	ck_assert_int_eq(run_as(" %u", "nobody"), 0);
	ck_assert_int_eq(result.status, 77);
	ck_assert_str_eq(result.out.data, "out\n");
	ck_assert_str_eq(result.err.data, "err\n");
	/* Its user may have a name that sshd expands. */
	script("#!/bin/sh\nid -un\n");
	ck_assert_int_eq(run_as(" %u", "%u"), 0);
	ck_assert_str_eq(result.out.data, "daemon\n");
	script("#!/bin/sh\nexec yes\n");
	ck_assert_int_eq(run_as(" %u", "nobody"), MK_E_REFUSED);
}
END_TEST

/* Each of them sshd does not run either. */
START_TEST(refused)
{
	static const char *const bad[] = { " %z", " %i", " %C", " 100%",
	    " \"a", " it's" };
	struct mk_akc_ask ask = { "command %u", "nobody", "daemon",
	    "ssh-ed25519", key };
	size_t i;

	script("#!/bin/sh\necho run\n");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(run_as(bad[i], "nobody"), MK_E_CONFIG);
	ck_assert_int_eq(mk_akc_run(&ask, &result, &why), MK_E_CONFIG);
	ck_assert_int_eq(run_as("-absent", "nobody"), MK_E_ABSENT);
	ck_assert_int_eq(run_as("", "no-such-user"), MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "no user 'no-such-user'");
	ask.user = "no-such-user";
	ck_assert_int_eq(mk_akc_run(&ask, &result, &why), MK_E_ABSENT);
	/* No shell reads what is not a program. */
	script("echo run\n");
	ck_assert_int_eq(run_as(" %u", "nobody"), MK_E_SYSTEM);
	ck_assert_int_eq(chmod(tree_path("/command"), 0700), 0);
	ck_assert_int_eq(run_as(" %u", "nobody"), MK_E_SYSTEM);
}
END_TEST

START_TEST(not_root)
{
	script("#!/bin/sh\necho run\n");
	ck_assert_int_eq(run_as(" %u", "nobody"), MK_E_PERM);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("akc_run");
	TCase *t = tcase_create("akc_run");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	if (geteuid() == 0) {
		tcase_add_test(t, tokens);
		tcase_add_test(t, fingerprint_of_certificate);
		tcase_add_test(t, environment);
		tcase_add_test(t, surroundings);
		tcase_add_test(t, ends);
		tcase_add_test(t, refused);
	} else {
		tcase_add_test(t, not_root);
	}
	suite_add_tcase(s, t);
	return s;
}
