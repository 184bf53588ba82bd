/* SPDX-License-Identifier: ISC */
/* sshd's files, and its answers; the programs are made up. */
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/sshd.h"
#include "edge/sshd_config.h"
#include "unit/tree.h"
#include "unit/unit.h"

static struct mk_sshd_lines lines;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	memset(&why, 0, sizeof(why));
	memset(&lines, 0, sizeof(lines));
}

static void
teardown(void)
{
	mk_sshd_lines_release(&lines);
	tree_teardown();
}

static int
read_lines(void)
{
	mk_sshd_lines_release(&lines);
	return mk_sshd_lines_read(tree_path("/etc/config"), &lines, &why);
}

/* A file in which @ stands for the directory of the test. */
static void
write_file(const char *name, const char *text)
{
	struct mk_buf b;

	mk_buf_init(&b, 1u << 21);
	for (; *text != '\0'; text++)
		if (*text == '@')
			mk_buf_puts(&b, tree_dir);
		else
			mk_buf_putc(&b, *text);
	tree_bytes(name, b.data, b.len);
	mk_buf_release(&b);
}

static void
read_text(const char *text)
{
	write_file("/etc/config", text);
	ck_assert_int_eq(read_lines(), 0);
}

/* The i-th line, "FILE:LINE KEYWORD=VALUE [MATCH:LINE]". */
static void
assert_line(size_t i, const char *expected)
{
	const struct mk_sshd_line *l;
	char text[1024];

	ck_assert_uint_lt(i, lines.n);
	l = &lines.lines[i];
	ck_assert_int_eq(strncmp(l->file, tree_dir, strlen(tree_dir)), 0);
	snprintf(text, sizeof(text), "%s:%u %s=%s", l->file +
	    strlen(tree_dir), l->line, l->keyword, l->value);
	if (l->match != NULL)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    " [%s:%u]", l->match, l->match_line);
	ck_assert_str_eq(text, expected);
}

START_TEST(keywords)
{
	read_text("# a comment\n"
	    "\n"
	    "  Port 22  \r\n"
	    "PORT=23\n"
	    "Port = 24\n"
	    "\tBanner\t\"/a b\" # told\n"
	    "\"UsePAM\" yes\n"
	    "Alone\n"
	    "AuthorizedKeysCommand /x %u # note");
	ck_assert_uint_eq(lines.n, 7);
	assert_line(0, "/etc/config:3 port=22");
	assert_line(1, "/etc/config:4 port=23");
	assert_line(2, "/etc/config:5 port=24");
	assert_line(3, "/etc/config:6 banner=\"/a b\" # told");
	assert_line(4, "/etc/config:7 usepam=yes");
	assert_line(5, "/etc/config:8 alone=");
	assert_line(6, "/etc/config:9 authorizedkeyscommand=/x %u # note");
	ck_assert(!lines.includes);
	ck_assert_uint_eq(lines.n_files, 1);
}
END_TEST

START_TEST(blocks)
{
	read_text("A 1\nMatch User bob\nB 2\nmatch=All\nC 3\n");
	assert_line(0, "/etc/config:1 a=1");
	assert_line(1, "/etc/config:2 match=User bob [User bob:2]");
	assert_line(2, "/etc/config:3 b=2 [User bob:2]");
	assert_line(3, "/etc/config:4 match=All [All:4]");
	assert_line(4, "/etc/config:5 c=3 [All:4]");
}
END_TEST

/* In its place, sorted by byte; a Match ends with its file. */
START_TEST(included)
{
	tree_mkdir("/etc/d");
	tree_text("/etc/d/2.conf", "Two 1\nMatch User x\nTwo 2\n");
	tree_text("/etc/d/10.conf", "Ten 1\n");
	tree_text("/etc/d/Z.conf", "Z 1\n");
	tree_text("/etc/d/a.conf", "A 1\n");
	tree_text("/etc/d/.hidden.conf", "Hidden 1\n");
	tree_text("/etc/d/other", "Other 1\n");
	read_text("First 1\n"
	    "Include @/etc/d/*.conf @/etc/absent \"@/etc/d/oth\"er # x\n"
	    "Last 1\n");
	ck_assert_uint_eq(lines.n, 10);
	assert_line(0, "/etc/config:1 first=1");
	assert_line(2, "/etc/d/10.conf:1 ten=1");
	assert_line(3, "/etc/d/2.conf:1 two=1");
	assert_line(5, "/etc/d/2.conf:3 two=2 [User x:2]");
	assert_line(6, "/etc/d/Z.conf:1 z=1");
	assert_line(7, "/etc/d/a.conf:1 a=1");
	assert_line(8, "/etc/d/other:1 other=1");
	assert_line(9, "/etc/config:3 last=1");
	ck_assert_uint_eq(lines.n_files, 6);
	ck_assert_str_eq(lines.files[0], tree_path("/etc/config"));
}
END_TEST

/* All that is included stands in the block where the Include stands. */
START_TEST(included_in_block)
{
	tree_text("/etc/in", "In 1\nMatch User y\nIn 2\n");
	read_text("Match User x\nInclude @/etc/in\nAfter 1\n");
	assert_line(2, "/etc/in:1 in=1 [User x:1]");
	assert_line(4, "/etc/in:3 in=2 [User y:2]");
	assert_line(5, "/etc/config:3 after=1 [User x:1]");
}
END_TEST

START_TEST(drop_ins)
{
	static const char *const good[] = {
		"Include /etc/ssh/sshd_config.d/*.conf\n",
		"Include sshd_config.d/*.conf\n",
		"include = \"/etc/ssh/sshd_config.d/*\"\n",
		"Include /nowhere /etc/ssh/sshd_config.d/*.conf\n",
		"Include /etc/ssh/sshd_config.d/10-*\nMatch all\nX 1\n"
	};
	static const char *const bad[] = {
		"#Include /etc/ssh/sshd_config.d/*.conf\n",
		"Include /etc/ssh/sshd_config.d\n",
		"Include /etc/ssh/sshd_config.d/50-*.conf\n",
		"Include /etc/ssh/*.conf\n",
		"Include /nowhere # /etc/ssh/sshd_config.d/*.conf\n",
		"Match User x\nInclude /etc/ssh/sshd_config.d/*.conf\n",
		"Include \"/etc/ssh/sshd_config.d/*.conf\n"
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		read_text(good[i]);
		ck_assert_msg(lines.includes, "%s", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_text(bad[i]);
		ck_assert_msg(!lines.includes, "%s", bad[i]);
	}
	read_text(bad[5]);
	ck_assert(!mk_sshd_line_includes(&lines.lines[0]));
	ck_assert(mk_sshd_line_includes(&lines.lines[1]));
}
END_TEST

/* Sixteen levels below the first file are read, the next one is not. */
START_TEST(levels)
{
	char name[32], text[2 * PATH_MAX];
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "/etc/%d", i);
		snprintf(text, sizeof(text), "Include @/etc/%d\n", i + 1);
		write_file(name, text);
	}
	read_text("Include @/etc/0\n");
	ck_assert_uint_eq(lines.n, 17);
	snprintf(text, sizeof(text), "/etc/15:1 include=%s",
	    tree_path("/etc/16"));
	assert_line(16, text);
}
END_TEST

/* Itself, and many of themselves, without end. */
START_TEST(loops)
{
	char name[32];
	int i;

	read_text("X 1\nInclude @/etc/config\n");
	ck_assert_uint_eq(lines.n, 2 * 17);
	tree_mkdir("/etc/d");
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "/etc/d/%d", i);
		write_file(name, "Include @/etc/d/*\n");
	}
	ck_assert_int_eq(read_lines(), 0);
	write_file("/etc/config", "Include @/etc/d/*\n");
	ck_assert_int_eq(read_lines(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "files are included"));
}
END_TEST

static void
large_file(const char *name, size_t len)
{
	char *data = malloc(len);

	ck_assert_ptr_nonnull(data);
	memset(data, '#', len);
	tree_bytes(name, data, len);
	free(data);
}

START_TEST(limits)
{
	char *text = malloc(600000);
	size_t i;

	ck_assert_ptr_nonnull(text);
	large_file("/etc/config", 1u << 20);
	ck_assert_int_eq(read_lines(), 0);
	large_file("/etc/config", (1u << 20) + 1);
	ck_assert_int_eq(read_lines(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "larger than 1 MiB"));
	large_file("/etc/large", 1u << 20);
	for (text[0] = '\0', i = 0; i < 16; i++)
		strcat(text, "Include @/etc/large\n");
	write_file("/etc/config", text);
	ck_assert_int_eq(read_lines(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "more than 16 MiB"));
	for (i = 0; i < 200001; i++)
		memcpy(text + 2 * i, "x\n", 2);
	tree_bytes("/etc/config", text, 400000);
	ck_assert_int_eq(read_lines(), 0);
	tree_bytes("/etc/config", text, 400002);
	ck_assert_int_eq(read_lines(), MK_E_REFUSED);
	free(text);
}
END_TEST

/* What sshd would not get past is its own to tell; nothing holds us up. */
START_TEST(not_files)
{
	ck_assert_int_eq(read_lines(), MK_E_ABSENT);
	ck_assert_ptr_nonnull(strstr(why.detail, "there is no '"));
	tree_mkdir("/etc/d/dir");
	ck_assert_int_eq(symlink("nowhere", tree_path("/etc/d/gone")), 0);
	ck_assert_int_eq(symlink("loop", tree_path("/etc/d/loop")), 0);
	ck_assert_int_eq(mkfifo(tree_path("/etc/d/pipe"), 0644), 0);
	tree_text("/etc/d/zz", "Good 1\n");
	read_text("Include @/etc/d/*\n");
	ck_assert_uint_eq(lines.n, 2);
	assert_line(1, "/etc/d/zz:1 good=1");
	ck_assert_int_eq(mk_sshd_lines_read(tree_path("/etc/d/pipe"),
	    &lines, &why), MK_E_PERM);
}
END_TEST

static void
assert_words(const char *value, const char *expected)
{
	char **argv, text[256] = "";
	size_t i;

	ck_assert_int_eq(mk_sshd_split(value, &argv, &why), 0);
	for (i = 0; argv[i] != NULL; i++) {
		strcat(text, argv[i]);
		strcat(text, "|");
	}
	ck_assert_str_eq(text, expected);
	free(argv);
}

START_TEST(words)
{
	char **argv;

	assert_words("", "");
	assert_words("/x %u\t%t  %k ", "/x|%u|%t|%k|");
	assert_words("a \"b c\" 'd e'f", "a|b c|d ef|");
	assert_words("a\\ b \"c\\\"d\" 'e\\'f' \\g \\\\",
	    "a b|c\"d|e'f|\\g|\\|");
	assert_words("\"a\\ b\" \"\" '\"'", "a\\ b||\"|");
	assert_words("/x %u # note", "/x|%u|#|note|");
	assert_words("\"/x %u %t\"", "/x %u %t|");
	ck_assert_int_eq(mk_sshd_split("/x \"a", &argv, &why), MK_E_CONFIG);
	ck_assert_int_eq(mk_sshd_split("/x it's", &argv, &why), MK_E_CONFIG);
}
END_TEST

START_TEST(known)
{
	ck_assert_str_eq(mk_sshd_command_name(
	    "/usr/bin/sss_ssh_authorizedkeys %u"),
	    "SSSD (FreeIPA, Active Directory)");
	ck_assert_str_eq(mk_sshd_command_name("/usr/bin/userdbctl "
	    "ssh-authorized-keys %u"), "systemd-userdb");
	ck_assert_ptr_null(mk_sshd_command_name("/usr/bin/userdbctl2 %u"));
	ck_assert_ptr_null(mk_sshd_command_name("/opkssh/x verify"));
	ck_assert_ptr_null(mk_sshd_command_name(""));
}
END_TEST

static struct mk_sshd sshd;

static void
make_sshd(const char *script)
{
	write_file("/sshd", script);
	ck_assert_int_eq(chmod(tree_path("/sshd"), 0755), 0);
	sshd.program = (char *)(uintptr_t)tree_path("/sshd");
}

/* Keywords in either spelling, lines of one keyword in their order. */
START_TEST(settings)
{
	const struct mk_sshd_ask ask = { .config = "/x/config",
	    .user = "alice" };
	struct mk_sshd_settings *s;

	make_sshd("#!/bin/sh\nprintf '%s\\n' 'port 22' 'Port 23' empty "
	    "\"AuthorizedKeysCommand $*\" \"env $(env | grep -c ^HOME=)\"\n");
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why), 0);
	ck_assert_str_eq(mk_sshd_get(s, "port", 0), "22");
	ck_assert_str_eq(mk_sshd_get(s, "port", 1), "23");
	ck_assert_ptr_null(mk_sshd_get(s, "port", 2));
	ck_assert_str_eq(mk_sshd_get(s, "empty", 0), "");
	ck_assert_ptr_null(mk_sshd_get(s, "absent", 0));
	ck_assert_str_eq(mk_sshd_get(s, "env", 0), "0");
	ck_assert_str_eq(mk_sshd_get(s, "authorizedkeyscommand", 0),
	    "-T -f /x/config -C user=alice,host=localhost,addr=127.0.0.1");
	mk_sshd_settings_free(s);
}
END_TEST

/* An sshd of before 8.2 or so wants to know all that a Match asks for. */
START_TEST(settings_of_old)
{
	struct mk_sshd_ask ask = { .user = "alice" };
	struct mk_sshd_settings *s;

	make_sshd("#!/bin/sh\n"
	    "case \"$*\" in *lport=22) echo \"args $*\" ;;\n"
	    "*) echo \"'Match LocalPort' in configuration but 'lport' not "
	    "in connection test specification.\" >&2; exit 255 ;; esac\n");
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why), 0);
	ck_assert_str_eq(mk_sshd_get(s, "args", 0), "-T -C user=alice,"
	    "host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22");
	mk_sshd_settings_free(s);
	ask.user = NULL;
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why), 0);
	ck_assert_ptr_nonnull(strstr(mk_sshd_get(s, "args", 0),
	    "-C user=meshkeys-"));
	mk_sshd_settings_free(s);
	/* One of today is not told of a user then. */
	make_sshd("#!/bin/sh\necho \"args $*\"\n");
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why), 0);
	ck_assert_str_eq(mk_sshd_get(s, "args", 0), "-T");
	mk_sshd_settings_free(s);
}
END_TEST

START_TEST(refusals)
{
	const struct mk_sshd_ask comma = { .user = "a,addr=1.2.3.4" };
	const struct mk_sshd_ask ask = { .user = "alice" };
	struct mk_sshd_settings *s;

	make_sshd("#!/bin/sh\nprintf 'one\\r\\ntwo\\r\\n' >&2\nexit 255\n");
	ck_assert_int_eq(mk_sshd_test(&sshd, NULL, &why), MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "one, two");
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why),
	    MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "one, two");
	make_sshd("#!/bin/sh\nexit 1\n");
	ck_assert_int_eq(mk_sshd_test(&sshd, NULL, &why), MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "it does not say why");
	make_sshd("#!/bin/sh\nprintf 'Missing privilege separation directory"
	    ": /run/sshd\\r\\n' >&2\nexit 255\n");
	ck_assert_int_eq(mk_sshd_test(&sshd, NULL, &why), MK_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.detail,
	    "/run/sshd; run: mkdir -m 0755 /run/sshd"));
	make_sshd("#!/bin/sh\nexec yes\n");
	ck_assert_int_eq(mk_sshd_settings(&sshd, &ask, &s, &why),
	    MK_E_REFUSED);
	ck_assert_int_eq(mk_sshd_settings(&sshd, &comma, &s, &why),
	    MK_E_USAGE);
	make_sshd("#!/bin/sh\n[ \"$*\" = '-t -f /c' ]\n");
	ck_assert_int_eq(mk_sshd_test(&sshd, "/c", &why), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("sshd_config");
	TCase *t = tcase_create("sshd_config");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, keywords);
	tcase_add_test(t, blocks);
	tcase_add_test(t, included);
	tcase_add_test(t, included_in_block);
	tcase_add_test(t, drop_ins);
	tcase_add_test(t, levels);
	tcase_add_test(t, loops);
	tcase_add_test(t, limits);
	tcase_add_test(t, not_files);
	tcase_add_test(t, words);
	tcase_add_test(t, known);
	/* Only root can ask it. */
	if (geteuid() == 0) {
		tcase_add_test(t, settings);
		tcase_add_test(t, settings_of_old);
		tcase_add_test(t, refusals);
	}
	suite_add_tcase(s, t);
	return s;
}
