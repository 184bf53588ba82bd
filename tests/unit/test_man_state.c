/* SPDX-License-Identifier: ISC */
/* state.json: read as it was written, and nothing else. */
#include <sodium.h>

#include "cmd/meshman.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define MASTER	"MBBLY-AAT6S-AYM4Q-UEX7V-IMKQ6-VKT25"
#define DEVICE	"MDOYK-ZIPTD-CVVSM-4ZQOF-UPUBK-RRQU2"

static struct meshman m;

static void
set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	tree_setup();
	memset(&m, 0, sizeof(m));
	ck_assert_int_eq(mk_home_open(tree_path("/home"), true, &m.home,
	    &m.why), 0);
}

static void
tear_down(void)
{
	free(m.state.portal);
	mk_home_close(&m.home);
	tree_teardown();
}

static void
put(const char *text)
{
	ck_assert_int_eq(mk_home_write(&m.home, "state.json", text,
	    strlen(text), &m.why), 0);
}

static void
refused(const char *text, const char *reason)
{
	put(text);
	memset(&m.why, 0, sizeof(m.why));
	ck_assert_int_eq(meshman_state_read(&m), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(m.why.detail, "state.json"));
	ck_assert_msg(strstr(m.why.detail, reason) != NULL, "'%s': %s",
	    text, m.why.detail);
	ck_assert(!m.state.has_profile);
	ck_assert_ptr_null(m.state.portal);
}

static struct mk_udf
udf(const char *text)
{
	struct mk_udf u;

	ck_assert(mk_udf_parse(text, MK_UDF_TEXT, &u));
	return u;
}

START_TEST(absent)
{
	ck_assert_int_eq(meshman_state_read(&m), 0);
	ck_assert(!m.state.has_profile);
	ck_assert(!m.state.has_device);
	ck_assert(!m.state.has_account);
	ck_assert(!m.state.admin);
}
END_TEST

static void
fill(struct meshman_state *s)
{
	s->has_profile = s->has_account = s->has_device = s->admin = true;
	s->master = udf(MASTER);
	s->device = udf(DEVICE);
	ck_assert(mk_account_parse("alice@example.com", 17, &s->account));
	s->portal = strdup("https://portal.example");
	memcpy(s->name, "a \"b\"", 6);
}

START_TEST(all_of_it)
{
	const struct mk_udf master = udf(MASTER), device = udf(DEVICE);

	fill(&m.state);
	ck_assert_int_eq(meshman_state_write(&m), 0);
	free(m.state.portal);
	memset(&m.state, 0, sizeof(m.state));
	ck_assert_int_eq(meshman_state_read(&m), 0);
	ck_assert(m.state.has_profile && m.state.admin);
	ck_assert_int_eq(mk_udf_cmp(&m.state.master, &master), 0);
	ck_assert_int_eq(mk_udf_cmp(&m.state.device, &device), 0);
	ck_assert_str_eq(m.state.account.text, "alice@example.com");
	ck_assert_str_eq(m.state.portal, "https://portal.example");
	ck_assert_str_eq(m.state.name, "a \"b\"");
}
END_TEST

/* The next start asks DNS again. */
START_TEST(discovered)
{
	fill(&m.state);
	m.state.portal_found = true;
	ck_assert_int_eq(meshman_state_write(&m), 0);
	ck_assert_int_eq(meshman_state_read(&m), 0);
	ck_assert_ptr_null(m.state.portal);
}
END_TEST

START_TEST(damaged)
{
	refused("", "");
	refused("{", "");
	refused("[]", "");
	refused("{\"Version\":2,\"Administrator\":false}", "version");
	refused("{\"Administrator\":false}", "Version");
	refused("{\"Version\":1}", "Administrator");
	refused("{\"Version\":1,\"Administrator\":1}", "Administrator");
	refused("{\"Version\":1,\"Administrator\":false,\"Else\":1}",
	    "not allowed");
	refused("{\"Version\":1,\"Administrator\":false,\"Master\":\"M\"}",
	    "UDF");
	refused("{\"Version\":1,\"Administrator\":false,\"Master\":null}",
	    "Master");
	refused("{\"Version\":1,\"Administrator\":false,\"Account\":\"a\"}",
	    "Account");
	refused("{\"Version\":1,\"Administrator\":false,"
	    "\"Administrator\":false}", "");
	refused("{\"Version\":1,\"Administrator\":false,\"Name\":\""
	    "123456789012345678901234567890123456789012345678901234567890"
	    "12345\"}", "Name");
	refused("{\"Version\":1,\"Portal\":\"http://a\","
	    "\"Administrator\":false,\"Device\":\"x\"}", "UDF");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("man_state");
	TCase *tc = tcase_create("man_state");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, absent);
	tcase_add_test(tc, all_of_it);
	tcase_add_test(tc, discovered);
	tcase_add_test(tc, damaged);
	suite_add_tcase(s, tc);
	return s;
}
