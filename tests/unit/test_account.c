/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/buf.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define L63	"abcdefghijklmnopqrstuvwxyz0123456789" \
		"abcdefghijklmnopqrstuvwxyz0"

static struct mk_account account;

/* Reads a copy of exactly this size, so that reading on would be seen. */
static bool
reads(bool (*read)(const char *, size_t, struct mk_account *),
    const char *s, size_t n)
{
	struct mk_account before;
	char *copy = malloc(n == 0 ? 1 : n);
	bool good;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, n);
	memset(&account, 'x', sizeof(account));
	before = account;
	good = read(copy, n, &account);
	free(copy);
	/* What fails gives nothing away. */
	ck_assert(good || memcmp(&account, &before, sizeof(before)) == 0);
	return good;
}

static bool
parses(const char *s)
{
	return reads(mk_account_parse, s, strlen(s));
}

START_TEST(names)
{
	static const struct {
		const char *typed, *text, *domain;
	} v[] = {
		{ "alice@example.com", "alice@example.com", "example.com" },
		{ "Alice.B@EXAMPLE.Com", "alice.b@example.com",
		    "example.com" },
		{ "a@b", "a@b", "b" },
		{ "a_b+c-d.e9@x-y.9z", "a_b+c-d.e9@x-y.9z", "x-y.9z" },
		{ "0--__++1@a--b.c", "0--__++1@a--b.c", "a--b.c" },
		{ L63 "a@" L63 ".c", L63 "a@" L63 ".c", L63 ".c" }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_msg(parses(v[i].typed), "%s", v[i].typed);
		ck_assert_str_eq(account.text, v[i].text);
		ck_assert_str_eq(mk_account_domain(&account), v[i].domain);
		ck_assert_uint_eq(account.local,
		    strlen(v[i].text) - strlen(v[i].domain) - 1);
	}
}
END_TEST

START_TEST(no_names)
{
	static const char *const v[] = { "", "@", "alice", "alice@",
	    "@example.com", "alice@@example.com", "alice@exa@mple.com",
	    " alice@example.com", "alice@example.com ", "alice@example.com\n",
	    "al ice@example.com", ".alice@example.com",
	    "alice.@example.com", "a..b@example.com", "-a@example.com",
	    "a-@example.com", "_a@example.com", "a+@example.com",
	    "a/b@example.com", "a%2Fb@example.com", "a\\b@example.com",
	    "a\"b@example.com", "a'b@example.com", "a,b@example.com",
	    "a:b@example.com", "a#b@example.com", "a?b@example.com",
	    "al\303\251@example.com", "alice@ex\303\251mple.com",
	    "alice@.example.com", "alice@example.com.", "alice@a..b",
	    "alice@-a.b", "alice@a-.b", "alice@a_b.c", "alice@a+b.c",
	    "alice@[::1]", "alice@a:443", "alice@a/b",
	    L63 "ab@example.com", "a@" L63 "a.c", "a@b." L63 "a" };
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		ck_assert_msg(!parses(v[i]), "%s", v[i]);
	ck_assert(!reads(mk_account_parse, "al\0ice@example.com", 18));
	ck_assert(!reads(mk_account_parse, "alice@example.com\0", 18));
	ck_assert(!reads(mk_account_parse, "alice@exa\0mple.com", 18));
}
END_TEST

/* No other byte than the rules name, in the middle of either part. */
START_TEST(characters)
{
	static const char local[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._+-@";
	char s[] = "a?b@c.de", t[] = "a@b?c.de";
	unsigned c;

	for (c = 0; c < 256; c++) {
		s[1] = t[3] = (char)c;
		ck_assert_msg(reads(mk_account_parse, s, 8) == (c != 0 &&
		    c != '@' && strchr(local, (int)c) != NULL), "%u", c);
		ck_assert_msg(reads(mk_account_parse, t, 8) == (c != 0 &&
		    strchr("_+@", (int)c) == NULL &&
		    strchr(local, (int)c) != NULL), "%u", c);
	}
}
END_TEST

START_TEST(lengths)
{
	char s[MK_ACCOUNT_MAX + 2];
	size_t i;

	memset(s, 'a', sizeof(s));
	s[1] = '@';
	for (i = 3; i < sizeof(s) - 2; i += 2)
		s[i] = '.';
	ck_assert(reads(mk_account_parse, s, MK_ACCOUNT_MAX - 1));
	s[MK_ACCOUNT_MAX - 1] = 'a';
	ck_assert(reads(mk_account_parse, s, MK_ACCOUNT_MAX));
	s[MK_ACCOUNT_MAX] = 'a';
	ck_assert(!reads(mk_account_parse, s, MK_ACCOUNT_MAX + 1));
}
END_TEST

START_TEST(urls)
{
	static const struct {
		const char *name, *url;
	} v[] = {
		{ "Alice@Example.com", "https://portal.example/.well-known/"
		    "mmm/account/alice@example.com.json" },
		{ "a.b_c-d+e@x.org", "https://portal.example/.well-known/"
		    "mmm/account/a.b_c-d%2Be@x.org.json" }
	};
	struct mk_account again;
	const char *last;
	struct mk_buf out;
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert(parses(v[i].name));
		mk_buf_init(&out, 1024);
		mk_account_url("https://portal.example/", &account, &out);
		ck_assert_str_eq(out.data, v[i].url);
		again = account;
		last = strrchr(out.data, '/') + 1;
		ck_assert(reads(mk_account_from_url, last,
		    strlen(last) - strlen(".json")));
		ck_assert_mem_eq(&again, &account, sizeof(again));
		mk_buf_release(&out);
	}
}
END_TEST

static bool
from_url(const char *s)
{
	return reads(mk_account_from_url, s, strlen(s));
}

START_TEST(escapes)
{
	static const char *const wrong[] = { "", "%", "%4", "a%4", "a@b%",
	    "a@b%6", "%6G@b", "%G1@b", "% 1@b", "%+1@b", "%0x@b",
	    "a%2Fb@c", "a%00b@c", "a@b%00", "%2561@b", "a%252Fb@c",
	    "%C3%A9@b", "%C0%AF@b", "%c1%81@b", "%2E%2E@b", "..@b",
	    "a%20b@c", "a%40b%40c", "a@b.json%0A" };
	char s[3 * MK_ACCOUNT_MAX + 3];
	size_t i;

	ck_assert(from_url("%61%6C%69%63e@example.com"));
	ck_assert_str_eq(account.text, "alice@example.com");
	ck_assert(from_url("%41LICE%40example%2Ecom"));
	ck_assert_str_eq(account.text, "alice@example.com");
	ck_assert(from_url("a+b%2bc@d"));
	ck_assert_str_eq(account.text, "a+b+c@d");
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(!from_url(wrong[i]), "%s", wrong[i]);
	for (i = 0; i < sizeof(s); i += 3)
		memcpy(s + i, i % 2 == 1 ? "%2e" : "%61", 3);
	memcpy(s + 3, "%40", 3);
	ck_assert(reads(mk_account_from_url, s, sizeof(s) - 6));
	ck_assert_uint_eq(strlen(account.text), MK_ACCOUNT_MAX - 1);
	ck_assert(!reads(mk_account_from_url, s, sizeof(s)));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("account");
	TCase *c = tcase_create("account");

	tcase_add_test(c, names);
	tcase_add_test(c, no_names);
	tcase_add_test(c, characters);
	tcase_add_test(c, lengths);
	tcase_add_test(c, urls);
	tcase_add_test(c, escapes);
	suite_add_tcase(suite, c);
	return suite;
}
