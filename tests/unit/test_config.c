/* SPDX-License-Identifier: ISC */
/* meshkeys.conf, and the policies that map lines override. */
#include <syslog.h>

#include "core/err.h"
#include "core/limits.h"
#include "core/sshkey.h"
#include "core/timestamp.h"
#include "edge/config.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define FILE_PATH	MK_CONFDIR "/meshkeys.conf"

static struct mk_root root;
static struct mk_config config;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

static int
load(const char *text)
{
	tree_text(FILE_PATH, text);
	return mk_config_load(&root, NULL, &config, &why);
}

static void
check_defaults(void)
{
	ck_assert_uint_eq(config.n_identity, 2);
	ck_assert_int_eq(config.identity[0], MK_SOURCE_MAP);
	ck_assert_int_eq(config.identity[1], MK_SOURCE_PASSWD);
	ck_assert_ptr_null(config.policy.portal);
	ck_assert_str_eq(config.policy.options, "");
	ck_assert_uint_eq(config.policy.key_types, MK_SSH_ALL);
	ck_assert_int_eq(config.policy.when_stale, MK_STALE_ALLOW);
	ck_assert_int_eq(config.policy.max_signed_age, -1);
	ck_assert(config.policy.not_before == MK_TIME_NONE);
	ck_assert_int_eq(config.fresh_for, 900);
	ck_assert_int_eq(config.stale_for, 604800);
	ck_assert_ptr_null(config.chain);
	ck_assert(!config.chain_on_refusal);
	ck_assert_uint_eq(config.max_set, MK_SET_MAX);
	ck_assert_uint_eq(config.max_devices, MK_DEVICES_MAX);
	ck_assert_int_eq(config.log_level, LOG_INFO);
	ck_assert(!config.log_matches);
	mk_config_release(&config);
}

START_TEST(defaults)
{
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
	check_defaults();
	ck_assert_int_eq(load("# nothing\n\n"), 0);
	check_defaults();
	/* No directory at all is the same. */
	ck_assert_int_eq(unlink(tree_path(FILE_PATH)), 0);
	ck_assert_int_eq(rmdir(tree_path(MK_CONFDIR "/users")), 0);
	ck_assert_int_eq(rmdir(tree_path(MK_CONFDIR)), 0);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
	check_defaults();
}
END_TEST

START_TEST(every_keyword)
{
	ck_assert_int_eq(load(
	    "identity nss, map passwd\n"
	    "Portal https://portal.example/\n"
	    "fresh-for 5m\n"
	    "STALE-FOR never\n"
	    "when-stale restrict\n"
	    "max-signed-age 90d\n"
	    "key-types ssh-ed25519,ecdsa-sha2-nistp256\n"
	    "options \"from=\\\"10.0.0.0/8\\\",restrict\"\n"
	    "chain /usr/bin/other --user %u \"%k %%\" # behind\n"
	    "chain-on-refusal yes\n"
	    "max-set 8M\n"
	    "max-devices 65536\n"
	    "log-level debug\n"
	    "log-matches yes"), 0);
	ck_assert_uint_eq(config.n_identity, 3);
	ck_assert_int_eq(config.identity[0], MK_SOURCE_NSS);
	ck_assert_int_eq(config.identity[2], MK_SOURCE_PASSWD);
	ck_assert_str_eq(config.policy.portal, "https://portal.example/");
	ck_assert_int_eq(config.fresh_for, 300);
	ck_assert_int_eq(config.stale_for, -1);
	ck_assert_int_eq(config.policy.when_stale, MK_STALE_RESTRICT);
	ck_assert_int_eq(config.policy.max_signed_age, 90 * MK_DAY);
	ck_assert_uint_eq(config.policy.key_types,
	    MK_SSH_ED25519 | MK_SSH_ECDSA_256);
	ck_assert_str_eq(config.policy.options,
	    "from=\"10.0.0.0/8\",restrict");
	ck_assert_str_eq(config.chain[0], "/usr/bin/other");
	ck_assert_str_eq(config.chain[2], "%u");
	ck_assert_str_eq(config.chain[3], "%k %%");
	ck_assert_ptr_null(config.chain[4]);
	ck_assert(config.chain_on_refusal);
	ck_assert_uint_eq(config.max_set, 8 << 20);
	ck_assert_uint_eq(config.max_devices, 65536);
	ck_assert_int_eq(config.log_level, LOG_DEBUG);
	ck_assert(config.log_matches);
	mk_config_release(&config);
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = {
		"prot https://x/", "not-before 2026-01-01T00:00:00Z",
		"identity", "identity map map", "identity ldap",
		"identity ,", "identity map passwd nss map",
		"portal", "portal ftp://x/", "portal https://", "portal x",
		"portal \"https://x/ y\"", "portal a b",
		"fresh-for", "fresh-for 1y", "fresh-for never",
		"stale-for -1", "when-stale maybe", "max-signed-age never",
		"key-types ssh-dss", "key-types \"\"",
		"key-types ssh-ed25519,", "key-types ssh-ed25519, ssh-rsa",
		"options from=\"10.0.0.0/8\"", "options cert-authority",
		"chain", "chain other", "chain /x %h", "chain /x %",
		"chain /%u", "chain /x%%",
		"chain /x %%%", "chain /x 50%C",
		"chain-on-refusal 1", "log-matches maybe",
		"max-set 0", "max-set 65M", "max-set 1G", "max-set M",
		"max-set 67108865", "max-set -1", "max-devices 0",
		"max-devices 65537", "max-devices 1k",
		"log-level info2", "log-level emerg",
		"fresh-for 1m\nfresh-for 2m", "portal none\nPORTAL none",
		"fresh-for \"1m", "fresh-for 1m\r", "\r", "fresh\x01"
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(load(bad[i]) == MK_E_CONFIG, "%s", bad[i]);
		ck_assert_msg(strncmp(why.detail, FILE_PATH ":",
		    strlen(FILE_PATH) + 1) == 0, "%s", why.detail);
	}
	ck_assert_int_eq(load("\n\nwhen-stale x\n"), MK_E_CONFIG);
	ck_assert_str_eq(why.detail, FILE_PATH ":3: when-stale: 'x' is not "
	    "allow, restrict or deny");
	tree_bytes(FILE_PATH, "log-level\0 x", 12);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why),
	    MK_E_CONFIG);
}
END_TEST

START_TEST(limits)
{
	ck_assert_int_eq(load("max-set 64m\nmax-devices 1"), 0);
	ck_assert_uint_eq(config.max_set, MK_SET_CEILING);
	mk_config_release(&config);
	ck_assert_int_eq(load("max-set 512K"), 0);
	ck_assert_uint_eq(config.max_set, 512 << 10);
	mk_config_release(&config);
	ck_assert_int_eq(load("chain none\nportal none\noptions none\n"
	    "max-signed-age none"), 0);
	check_defaults();
}
END_TEST

START_TEST(files)
{
	char big[MK_CONFIG_MAX + 2];

	memset(big, '\n', sizeof(big));
	tree_bytes(FILE_PATH, big, MK_CONFIG_MAX);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
	mk_config_release(&config);
	tree_bytes(FILE_PATH, big, MK_CONFIG_MAX + 1);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why),
	    MK_E_CONFIG);
	chmod(tree_path(FILE_PATH), 0666);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why),
	    MK_E_PERM);
	/* A file that somebody named is not below the root, and is there. */
	tree_text("/own.conf", "fresh-for 1s");
	ck_assert_int_eq(mk_config_load(&root, tree_path("/own.conf"),
	    &config, &why), 0);
	ck_assert_int_eq(config.fresh_for, 1);
	mk_config_release(&config);
	ck_assert_int_eq(mk_config_load(&root, tree_path("/none.conf"),
	    &config, &why), MK_E_CONFIG);
}
END_TEST

START_TEST(policies)
{
	struct mk_policy copy;

	ck_assert_int_eq(load("options restrict\nportal https://x/"), 0);
	ck_assert_int_eq(mk_policy_copy(&config.policy, &copy, &why), 0);
	ck_assert_int_eq(mk_policy_option(&copy, "options=no-pty", &why), 0);
	ck_assert_int_eq(mk_policy_option(&copy, "portal=none", &why), 0);
	ck_assert_int_eq(mk_policy_option(&copy, "key-types=ssh-rsa", &why),
	    0);
	ck_assert_int_eq(mk_policy_option(&copy, "when-stale=deny", &why),
	    0);
	ck_assert_int_eq(mk_policy_option(&copy, "max-signed-age=1d", &why),
	    0);
	ck_assert_int_eq(mk_policy_option(&copy,
	    "not-before=1970-01-01T00:00:00Z", &why), MK_E_CONFIG);
	ck_assert_int_eq(mk_policy_option(&copy,
	    "not-before=2026-01-01T00:00:00Z", &why), 0);
	ck_assert_str_eq(copy.options, "no-pty");
	ck_assert_ptr_null(copy.portal);
	ck_assert_uint_eq(copy.key_types, MK_SSH_RSA);
	ck_assert_int_eq(copy.when_stale, MK_STALE_DENY);
	ck_assert_int_eq(copy.max_signed_age, MK_DAY);
	ck_assert_int_eq(copy.not_before, 1767225600);
	ck_assert_str_eq(config.policy.options, "restrict");
	ck_assert_str_eq(config.policy.portal, "https://x/");
	ck_assert_int_eq(mk_policy_option(&copy, "fresh-for=1m", &why),
	    MK_E_CONFIG);
	ck_assert_int_eq(mk_policy_option(&copy, "options", &why),
	    MK_E_CONFIG);
	ck_assert_int_eq(mk_policy_option(&copy, "=x", &why), MK_E_CONFIG);
	mk_policy_release(&copy);
	mk_config_release(&config);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, defaults);
	tcase_add_test(t, every_keyword);
	tcase_add_test(t, refuses);
	tcase_add_test(t, limits);
	tcase_add_test(t, files);
	tcase_add_test(t, policies);
	suite_add_tcase(s, t);
	return s;
}
