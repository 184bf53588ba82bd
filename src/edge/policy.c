/* SPDX-License-Identifier: ISC */
#include "edge/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/sshkey.h"
#include "core/sshopt.h"
#include "core/timestamp.h"
#include "edge/words.h"

#define PORTAL_MAX	1024

int
mk_value_fail(const char *value, const char *is_not, struct mk_why *why)
{
	return mk_fail(why, MK_E_CONFIG, "config", "'%s' is not %s", value,
	    is_not);
}

static int
set_string(char **field, const char *value, struct mk_why *why)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return mk_fail(why, MK_E_SYSTEM, "config", "out of memory");
	free(*field);
	*field = copy;
	return MK_OK;
}

/* A host and perhaps a port, and nothing that nobody sends to a portal. */
static bool
is_server(const char *s)
{
	size_t n = strcspn(s, "/");

	return n > 0 && s[0] != ':' && memchr(s, '@', n) == NULL &&
	    strpbrk(s, "?#") == NULL;
}

/* file:/DIR or file:///DIR: the host of file://HOST/DIR would be lost. */
static bool
is_directory(const char *s)
{
	return s[0] == '/' && s[1] != '\0' && (s[1] != '/' || (s[2] == '/' &&
	    s[3] != '\0' && s[3] != '/'));
}

/* Decoration and blanks in a URL are mistakes, never meant. */
static bool
is_portal(const char *s)
{
	const char *p;

	if (strlen(s) > PORTAL_MAX)
		return false;
	for (p = s; *p != '\0'; p++) {
		if (*p <= 0x20 || *p >= 0x7f)
			return false;
	}
	if (strncasecmp(s, "https://", 8) == 0)
		return is_server(s + 8);
	if (strncasecmp(s, "http://", 7) == 0)
		return is_server(s + 7);
	return strncasecmp(s, "file:", 5) == 0 && is_directory(s + 5);
}

static int
set_portal(struct mk_policy *policy, const char *value, struct mk_why *why)
{
	if (strcasecmp(value, "none") == 0) {
		free(policy->portal);
		policy->portal = NULL;
		return MK_OK;
	}
	if (!is_portal(value))
		return mk_value_fail(value, "https://HOST/PATH, "
		    "http://HOST/PATH, file:/DIR or none, without a user, ? "
		    "and #",
		    why);
	return set_string(&policy->portal, value, why);
}

static int
set_options(struct mk_policy *policy, const char *value, struct mk_why *why)
{
	int r;

	if (strcasecmp(value, "none") == 0)
		value = "";
	r = mk_sshopt_check(value, why);
	return r != MK_OK ? r : set_string(&policy->options, value, why);
}

static int
set_key_types(struct mk_policy *policy, const char *value, struct mk_why *why)
{
	enum mk_sshkey_type type;
	unsigned types = 0;
	size_t n;

	for (;; value += n + 1) {
		n = strcspn(value, ",");
		type = mk_sshkey_type_of(value, n);
		if (type == MK_SSH_OTHER)
			return mk_value_fail(value, "a list by comma of "
			    "ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, "
			    "ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, "
			    "sk-ssh-ed25519@openssh.com and "
			    "sk-ecdsa-sha2-nistp256@openssh.com", why);
		types |= type;
		if (value[n] == '\0')
			break;
	}
	policy->key_types = types;
	return MK_OK;
}

static int
set_when_stale(struct mk_policy *policy, const char *value,
    struct mk_why *why)
{
	if (strcasecmp(value, "allow") == 0)
		policy->when_stale = MK_STALE_ALLOW;
	else if (strcasecmp(value, "restrict") == 0)
		policy->when_stale = MK_STALE_RESTRICT;
	else if (strcasecmp(value, "deny") == 0)
		policy->when_stale = MK_STALE_DENY;
	else
		return mk_value_fail(value, "allow, restrict or deny", why);
	return MK_OK;
}

static int
set_max_signed_age(struct mk_policy *policy, const char *value,
    struct mk_why *why)
{
	if (strcasecmp(value, "none") == 0)
		policy->max_signed_age = -1;
	else if (!mk_duration_parse(value, &policy->max_signed_age))
		return mk_value_fail(value, "none or a duration as 12h, 30d "
		    "or 4w of at most ten years", why);
	return MK_OK;
}

static int
set_not_before(struct mk_policy *policy, const char *value,
    struct mk_why *why)
{
	if (!mk_time_parse(value, strlen(value), &policy->not_before))
		return mk_value_fail(value,
		    "a time as 2026-01-31T12:00:00Z", why);
	return MK_OK;
}

static const struct {
	const char *name;
	int (*set)(struct mk_policy *, const char *, struct mk_why *);
	bool in_file;
} settings[] = {
	{ "portal",		set_portal,		true },
	{ "options",		set_options,		true },
	{ "key-types",		set_key_types,		true },
	{ "when-stale",		set_when_stale,		true },
	{ "max-signed-age",	set_max_signed_age,	true },
	{ "not-before",		set_not_before,		false }
};

#define N_SETTINGS	((int)(sizeof(settings) / sizeof(settings[0])))

int
mk_setting_find(const char *name)
{
	int i;

	for (i = 0; i < N_SETTINGS; i++) {
		if (strcasecmp(name, settings[i].name) == 0)
			return i;
	}
	return -1;
}

bool
mk_setting_in_file(int setting)
{
	return settings[setting].in_file;
}

int
mk_setting_set(struct mk_policy *policy, int setting, const char *value,
    struct mk_why *why)
{
	struct mk_why reason;
	int r;

	r = settings[setting].set(policy, value, &reason);
	if (r == MK_OK)
		return MK_OK;
	return mk_fail(why, r, "config", "%s: %s", settings[setting].name,
	    reason.detail);
}

/* One "option=value"; 'seen' are the bits of those before it. */
static int
set_option(struct mk_policy *policy, const char *option, unsigned *seen,
    struct mk_why *why)
{
	const char *equals = strchr(option, '=');
	char name[sizeof("max-signed-age") + 1];
	int setting = -1;

	if (equals != NULL && (size_t)(equals - option) < sizeof(name)) {
		memcpy(name, option, (size_t)(equals - option));
		name[equals - option] = '\0';
		setting = mk_setting_find(name);
	}
	if (setting == -1)
		return mk_value_fail(option, "portal=, options=, key-types=, "
		    "when-stale=, max-signed-age= or not-before=", why);
	/* Two values: whichever we took, one reader would be wrong. */
	if ((*seen & 1u << setting) != 0)
		return mk_fail(why, MK_E_CONFIG, "config", "%s= stands twice",
		    settings[setting].name);
	*seen |= 1u << setting;
	return mk_setting_set(policy, setting, equals + 1, why);
}

int
mk_policy_option(struct mk_policy *policy, const char *option,
    struct mk_why *why)
{
	unsigned seen = 0;

	return set_option(policy, option, &seen, why);
}

int
mk_policy_options(struct mk_policy *policy, char *const *word, unsigned n,
    struct mk_why *why)
{
	unsigned i, seen = 0;
	int r;

	for (i = 0; i < n; i++) {
		r = set_option(policy, word[i], &seen, why);
		if (r != MK_OK)
			return r;
	}
	return MK_OK;
}

int
mk_policy_defaults(struct mk_policy *ret_policy, struct mk_why *why)
{
	static char none[] = "";
	const struct mk_policy policy = {
		.portal = NULL,
		.options = none,
		.key_types = MK_SSH_ALL,
		.when_stale = MK_STALE_ALLOW,
		.max_signed_age = -1,
		.not_before = MK_TIME_NONE
	};

	return mk_policy_copy(&policy, ret_policy, why);
}

int
mk_policy_copy(const struct mk_policy *from, struct mk_policy *ret_policy,
    struct mk_why *why)
{
	struct mk_policy to = *from;

	to.portal = from->portal == NULL ? NULL : strdup(from->portal);
	to.options = strdup(from->options == NULL ? "" : from->options);
	if (to.options == NULL ||
	    (to.portal == NULL && from->portal != NULL)) {
		mk_policy_release(&to);
		return mk_fail(why, MK_E_SYSTEM, "config", "out of memory");
	}
	*ret_policy = to;
	return MK_OK;
}

void
mk_policy_release(struct mk_policy *policy)
{
	free(policy->portal);
	free(policy->options);
	policy->portal = NULL;
	policy->options = NULL;
}
