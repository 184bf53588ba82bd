/* SPDX-License-Identifier: ISC */
#include "edge/identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/policy.h"
#include "edge/source.h"
#include "edge/words.h"

bool
mk_asked_skip(const struct mk_asked *ask, const struct mk_why *why)
{
	if (ask->teller == NULL || why->code != MK_E_CONFIG)
		return false;
	ask->teller->tell(ask->teller->arg, why);
	return true;
}

void
mk_asked_tell(const struct mk_asked *ask, const struct mk_where *where,
    const struct mk_udf *udf, char *const *option, unsigned n)
{
	const struct mk_told_line line = {
		.source = ask->identity.source,
		.path = where->path,
		.line = where->line,
		.user = ask->user,
		.passed = ask->passed,
		.udf = udf,
		.options = option,
		.n_options = n
	};

	if (ask->lines != NULL && ask->lines->line != NULL)
		ask->lines->line(ask->lines->arg, &line);
}

/* The line that was taken last. */
static void
tell_taken(const struct mk_asked *ask, const struct mk_where *where,
    char *const *word, unsigned n)
{
	const struct mk_identity *identity = &ask->identity;

	if (identity->denied)
		mk_asked_tell(ask, where, NULL, NULL, 0);
	else
		mk_asked_tell(ask, where,
		    &identity->profiles[identity->n - 1].udf, word + 1,
		    n - 1);
}

/* "-", alone for its user. */
static int
deny(struct mk_asked *ask, unsigned n, struct mk_why *why)
{
	if (n > 1)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "'-' takes no options");
	/* Whichever line we believed, the other one is not what it says. */
	if (ask->identity.denied || ask->identity.n > 0)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "'-' beside other lines of the same user");
	ask->identity.denied = true;
	return MK_OK;
}

static int
parse_fingerprint(const char *word, struct mk_udf *ret_udf,
    struct mk_why *why)
{
	struct mk_udf udf;

	if (!mk_udf_parse_typed(word, strlen(word), &udf))
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "'%s' is not a fingerprint", word);
	if (mk_udf_type(&udf) != MK_UDF_KEY)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "'%s' is not the fingerprint of a key", word);
	*ret_udf = udf;
	return MK_OK;
}

/* Whether there may be another profile, and that it is another one. */
static int
check_new(const struct mk_identity *identity, const struct mk_udf *udf,
    struct mk_why *why)
{
	size_t i;

	if (identity->denied)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "a fingerprint beside '-' for the same user");
	if (identity->n == MK_PROFILES_PER_USER)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "more than %u fingerprints of one user",
		    MK_PROFILES_PER_USER);
	for (i = 0; i < identity->n; i++) {
		if (mk_udf_cmp(&identity->profiles[i].udf, udf) == 0)
			return mk_fail(why, MK_E_CONFIG, "identity",
			    "the same fingerprint twice for one user");
	}
	return MK_OK;
}

int
mk_asked_add(struct mk_asked *ask, char *const *word, unsigned n,
    struct mk_why *why)
{
	struct mk_identity *identity = &ask->identity;
	struct mk_mapped *profiles, mapped;
	int r;

	mapped.line = 0;
	r = parse_fingerprint(word[0], &mapped.udf, why);
	if (r == MK_OK)
		r = check_new(identity, &mapped.udf, why);
	if (r == MK_OK)
		r = mk_policy_copy(&ask->config->policy, &mapped.policy, why);
	if (r != MK_OK)
		return r;
	r = mk_policy_options(&mapped.policy, word + 1, n - 1, why);
	if (r != MK_OK)
		goto failed;
	profiles = realloc(identity->profiles,
	    (identity->n + 1) * sizeof(*profiles));
	if (profiles == NULL) {
		r = mk_fail(why, MK_E_SYSTEM, "identity", "out of memory");
		goto failed;
	}
	profiles[identity->n++] = mapped;
	identity->profiles = profiles;
	return MK_OK;
failed:
	mk_policy_release(&mapped.policy);
	return r;
}

int
mk_asked_take(struct mk_asked *ask, const struct mk_where *where,
    char *const *word, unsigned n, struct mk_why *why)
{
	struct mk_identity *identity = &ask->identity;
	struct mk_why reason;
	int r;

	if (n == 0)
		r = mk_fail(&reason, MK_E_CONFIG, "identity",
		    "no fingerprint");
	else if (strcmp(word[0], "-") == 0)
		r = deny(ask, n, &reason);
	else
		r = mk_asked_add(ask, word, n, &reason);
	if (r == MK_OK && identity->denied)
		identity->line = where->line;
	else if (r == MK_OK)
		identity->profiles[identity->n - 1].line = where->line;
	if (r != MK_OK)
		return mk_where_fail(where, &reason, why);
	tell_taken(ask, where, word, n);
	return MK_OK;
}

static int
ask_source(struct mk_asked *ask, enum mk_source source, struct mk_why *why)
{
	int r;

	switch (source) {
	case MK_SOURCE_MAP:
		r = mk_source_users(ask, why);
		if (r == MK_OK && ask->identity.source == NULL)
			r = mk_source_map(ask, why);
		return r;
	case MK_SOURCE_PASSWD:
		return mk_source_passwd(ask, why);
	case MK_SOURCE_NSS:
		return mk_source_nss(ask, why);
	}
	return mk_fail(why, MK_E_BUG, "identity", "no such source");
}

int
mk_identity_find(const struct mk_root *root, const struct mk_config *config,
    const char *user, struct mk_identity *ret_identity, struct mk_why *why)
{
	struct mk_asked ask = {
		.root = root,
		.config = config,
		.user = user,
		.user_len = strlen(user)
	};
	char *encoded;
	unsigned i;
	int r = MK_OK;

	encoded = malloc(3 * ask.user_len + 1);
	if (encoded == NULL)
		return mk_fail(why, MK_E_SYSTEM, "identity", "out of memory");
	mk_name_encode(user, encoded);
	ask.encoded = encoded;
	ask.encoded_len = strlen(encoded);
	for (i = 0; i < config->n_identity; i++) {
		r = ask_source(&ask, config->identity[i], why);
		if (r != MK_OK || ask.identity.source != NULL)
			break;
	}
	free(encoded);
	if (r != MK_OK) {
		mk_identity_release(&ask.identity);
		return r;
	}
	*ret_identity = ask.identity;
	return MK_OK;
}

void
mk_identity_release(struct mk_identity *identity)
{
	size_t i;

	for (i = 0; i < identity->n; i++)
		mk_policy_release(&identity->profiles[i].policy);
	free(identity->profiles);
	identity->profiles = NULL;
	identity->n = 0;
}
