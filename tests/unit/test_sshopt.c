/* SPDX-License-Identifier: ISC */
/*
 * authorized_keys options: which lists are taken, a table of meets, and
 * thousands of short lists against a second reading of what sshd makes of
 * them.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/sshopt.h"
#include "unit.h"

static const char *const good[] = {
	"",
	"restrict",
	"restrict,pty,command=\"ls -l, \\\"a b\\\"\"",
	"from=\"10.0.0.0/8,!10.1.0.1\"",
	"expiry-time=\"20300101Z\",no-X11-forwarding",
	"command=\"\"",
	"command=\"printf 'a\\tb\\\\n'\"",
	"RESTRICT,No-Pty"
};

static const char *const bad[] = {
	",",
	"restrict,",
	",restrict",
	"restrict,,pty",
	"restrict pty",
	"restrict, pty",
	" restrict",
	"restrict ",
	"restrict\n",
	"command=ls",
	"command=",
	"command=\"ls",
	"command=\"ls\\\"",
	"command=\"ls\\\\\"",
	"command=\"ls\"x",
	"command=\"ls\"\"x\"",
	"command=\"a\nb\"",
	"command=\"a\tb\"",
	"command=\"\xc3\xa9\"",
	"command=\"\x7f\"",
	"=\"x\"",
	"pty_x",
	"cert-authority",
	"restrict,CERT-Authority",
	"principals=\"alice\"",
	"pty,Principals=\"alice\"",
	"principals"
};

static const struct {
	const char *a, *b, *want;
} meets[] = {
	{ "", "", "" },
	{ "pty,restrict", "pty,restrict", "pty,restrict" },
	{ "restrict,PTY", "", "restrict,PTY" },
	{ "", "command=\"x\",no-pty", "command=\"x\",no-pty" },
	/* What may only stand if both have it. */
	{ "no-touch-required", "", "" },
	{ "", "no-pty,no-touch-required", "no-pty" },
	{ "no-touch-required,no-pty", "no-touch-required",
	    "no-pty,no-touch-required" },
	{ "no-touch-required,touch-required", "no-touch-required", "" },
	/* The order of either list must not undo a restriction. */
	{ "restrict", "pty", "restrict" },
	{ "pty", "restrict", "restrict" },
	{ "restrict,pty", "restrict,pty,user-rc", "restrict,pty" },
	{ "restrict,pty", "no-pty", "restrict" },
	{ "restrict,pty", "no-user-rc", "restrict,pty" },
	{ "restrict,X11-FORWARDING", "pty", "restrict,X11-forwarding" },
	{ "no-pty", "no-x11-forwarding", "no-X11-forwarding,no-pty" },
	{ "no-pty,pty", "user-rc", "" },
	{ "no-port-forwarding,no-agent-forwarding",
	    "no-x11-forwarding,no-pty,no-user-rc", "restrict" },
	{ "verify-required", "no-verify-required", "verify-required" },
	{ "no-verify-required", "verify-required", "verify-required" },
	/* Restrictions of both. */
	{ "from=\"a\"", "command=\"x\"", "from=\"a\",command=\"x\"" },
	{ "from=\"a\",no-pty", "From=\"a\"", "no-pty,from=\"a\"" },
	{ "from=\"a\"", "from=\"A\"", "from=\"a\",from=\"A\"" },
	{ "command=\"x\",command=\"x\"", "no-pty,command=\"x\"",
	    "no-pty,command=\"x\",command=\"x\"" },
	{ "no-pty,command=\"x\"", "command=\"x\",command=\"x\"",
	    "no-pty,command=\"x\",command=\"x\"" },
	{ "command=\"a,restrict,\\\"\"", "no-pty",
	    "no-pty,command=\"a,restrict,\\\"\"" },
	{ "tunnel=\"1\"", "tunnel=\"1\",no-pty", "no-pty,tunnel=\"1\"" },
	{ "tunnel=\"1\"", "tunnel=\"2\"",
	    "tunnel=\"1\",tunnel=\"2\",tunnel=\"none\"" },
	/* Destinations. */
	{ "permitopen=\"a:1\"", "no-pty", "no-pty,permitopen=\"a:1\"" },
	{ "permitopen=\"a:1\",permitopen=\"b:1\"",
	    "permitopen=\"b:1\",permitopen=\"c:1\"", "permitopen=\"b:1\"" },
	{ "permitopen=\"a:1\"", "PermitOpen=\"b:1\"",
	    "no-port-forwarding" },
	{ "restrict,port-forwarding,permitopen=\"a:1\"",
	    "permitopen=\"b:1\"", "restrict" },
	{ "permitlisten=\"1\",permitopen=\"a:1\"", "permitlisten=\"2\"",
	    "no-port-forwarding,permitopen=\"a:1\"" },
	{ "permitopen=\"1\"", "permitlisten=\"1\"",
	    "permitopen=\"1\",permitlisten=\"1\"" },
	/* Nothing that sshd would refuse becomes something it takes. */
	{ "pty=\"x\"", "no-pty", "no-pty,pty=\"x\"" },
	{ "no-restrict", "pty", "no-restrict" },
	{ "unknown", "restrict", "restrict,unknown" }
};

#define NGOOD	(sizeof(good) / sizeof(good[0]))
#define NBAD	(sizeof(bad) / sizeof(bad[0]))
#define NMEETS	(sizeof(meets) / sizeof(meets[0]))

START_TEST(check_takes)
{
	ck_assert_int_eq(mk_sshopt_check(good[_i], NULL), 0);
}
END_TEST

START_TEST(check_refuses)
{
	struct mk_why why;

	ck_assert_int_eq(mk_sshopt_check(bad[_i], &why), MK_E_CONFIG);
	ck_assert_int_eq(strncmp(why.detail, "option ", 7), 0);
}
END_TEST

/* The meet as a string in 'text'. */
static const char *
meet(const char *a, const char *b, char text[512])
{
	struct mk_buf out;

	mk_buf_init(&out, 511);
	mk_sshopt_meet(a, b, &out);
	ck_assert_int_eq(mk_buf_check(&out, NULL, "options"), 0);
	memcpy(text, out.len == 0 ? "" : out.data, out.len);
	text[out.len] = '\0';
	mk_buf_release(&out);
	return text;
}

START_TEST(meet_table)
{
	char text[512];

	ck_assert_int_eq(mk_sshopt_check(meets[_i].a, NULL), 0);
	ck_assert_int_eq(mk_sshopt_check(meets[_i].b, NULL), 0);
	ck_assert_str_eq(meet(meets[_i].a, meets[_i].b, text),
	    meets[_i].want);
	ck_assert_int_eq(mk_sshopt_check(text, NULL), 0);
}
END_TEST

START_TEST(meet_appends)
{
	struct mk_buf out;

	mk_buf_init(&out, 64);
	mk_buf_puts(&out, "x ");
	mk_sshopt_meet("no-pty", "from=\"a\"", &out);
	ck_assert_str_eq(out.data, "x no-pty,from=\"a\"");
	mk_buf_release(&out);
}
END_TEST

/* A second reading of sshd(8), word by word; no comma inside quotes. */
enum { PORT, AGENT, X11, PTY, RC, NOVERIFY, NOTOUCH, COMMAND, FROM, NWHAT };

static const struct {
	const char *word;
	int what;
	bool on;
} words[] = {
	{ "restrict", NWHAT, false },
	{ "port-forwarding", PORT, true },
	{ "no-port-forwarding", PORT, false },
	{ "agent-forwarding", AGENT, true },
	{ "no-agent-forwarding", AGENT, false },
	{ "X11-forwarding", X11, true },
	{ "no-x11-forwarding", X11, false },
	{ "pty", PTY, true },
	{ "no-pty", PTY, false },
	{ "user-rc", RC, true },
	{ "no-user-rc", RC, false },
	{ "verify-required", NOVERIFY, false },
	{ "no-verify-required", NOVERIFY, true },
	{ "no-touch-required", NOTOUCH, true },
	{ "touch-required", NOTOUCH, false },
	{ "command=\"c\"", COMMAND, false },
	{ "from=\"f\"", FROM, false }
};

#define NWORDS	(sizeof(words) / sizeof(words[0]))

struct reading {
	bool can[NWHAT];	/* COMMAND, FROM: not bound by it */
	bool restricted;
};

static void
read_word(const char *word, struct reading *r)
{
	size_t i;

	for (i = 0; i < NWORDS && strcasecmp(words[i].word, word) != 0; i++)
		continue;
	ck_assert_uint_lt(i, NWORDS);
	if (words[i].what != NWHAT) {
		r->can[words[i].what] = words[i].on;
		return;
	}
	r->can[PORT] = r->can[AGENT] = r->can[X11] = false;
	r->can[PTY] = r->can[RC] = false;
	r->restricted = true;
}

static struct reading
read_list(const char *list)
{
	struct reading r;
	char copy[512], *word, *rest;
	int i;

	for (i = 0; i < NWHAT; i++)
		r.can[i] = i != NOTOUCH;
	r.restricted = false;
	strcpy(copy, list);
	for (word = strtok_r(copy, ",", &rest); word != NULL;
	    word = strtok_r(NULL, ",", &rest))
		read_word(word, &r);
	return r;
}

static void
compare(const char *a, const char *b)
{
	struct reading ra = read_list(a), rb = read_list(b), rm;
	char text[512], back[512];
	int i;

	meet(a, b, text);
	ck_assert_int_eq(mk_sshopt_check(text, NULL), 0);
	rm = read_list(text);
	for (i = 0; i < NWHAT; i++) {
		ck_assert_msg(rm.can[i] == (ra.can[i] && rb.can[i]),
		    "'%s' and '%s' gave '%s'", a, b, text);
		ck_assert_int_eq(read_list(meet(b, a, back)).can[i],
		    rm.can[i]);
	}
	ck_assert(!(ra.restricted || rb.restricted) || rm.restricted);
	/* Once more changes nothing, whichever list comes again. */
	ck_assert_str_eq(meet(text, text, back), text);
	meet(text, a, back);
	for (i = 0; i < NWHAT; i++)
		ck_assert_int_eq(read_list(back).can[i], rm.can[i]);
}

/* List number 'n': up to three words, 0 standing for none. */
static void
nth_list(size_t n, char list[128])
{
	list[0] = '\0';
	for (; n > 0; n /= NWORDS + 1) {
		if (n % (NWORDS + 1) == 0)
			continue;
		if (list[0] != '\0')
			strcat(list, ",");
		strcat(list, words[n % (NWORDS + 1) - 1].word);
	}
}

START_TEST(meet_of_short_lists)
{
	const size_t lists = (NWORDS + 1) * (NWORDS + 1);
	char a[128], b[128];
	size_t i, k;

	for (i = 0; i < lists; i++) {
		nth_list(i, a);
		for (k = 0; k < lists; k += 17) {
			nth_list((k + i) % lists, b);
			compare(a, b);
		}
	}
}
END_TEST

START_TEST(meet_of_longer_lists)
{
	const size_t lists = (NWORDS + 1) * (NWORDS + 1) * (NWORDS + 1);
	char a[128], b[128];
	size_t i, k;

	for (i = 7; i < lists; i += 211) {
		nth_list(i, a);
		for (k = i % 197; k < lists; k += 197) {
			nth_list(k, b);
			compare(a, b);
		}
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("sshopt");
	TCase *c = tcase_create("sshopt");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, check_takes, 0, (int)NGOOD);
	tcase_add_loop_test(c, check_refuses, 0, (int)NBAD);
	tcase_add_loop_test(c, meet_table, 0, (int)NMEETS);
	tcase_add_test(c, meet_appends);
	tcase_add_test(c, meet_of_short_lists);
	tcase_add_test(c, meet_of_longer_lists);
	suite_add_tcase(suite, c);
	return suite;
}
