/* SPDX-License-Identifier: ISC */
/*
 * One user, and every source that names her, also those that do not count.
 */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "edge/source.h"

typedef int ask_source(struct mk_asked *ask, struct mk_why *why);

static const struct {
	enum mk_source source;
	ask_source *ask;
} sources[] = {
	{ MK_SOURCE_MAP, mk_source_users },
	{ MK_SOURCE_MAP, mk_source_map },
	{ MK_SOURCE_PASSWD, mk_source_passwd },
	{ MK_SOURCE_NSS, mk_source_nss }
};

#define N_SOURCES	(sizeof(sources) / sizeof(sources[0]))

/* One source; a bad line of hers names her as a good one does. */
static int
ask_one(struct mk_asked *ask, ask_source *source, struct mk_why *why)
{
	bool named;
	int r;

	r = source(ask, why);
	named = ask->identity.source != NULL;
	mk_identity_release(&ask->identity);
	ask->identity = (struct mk_identity){ 0 };
	if (r == MK_E_CONFIG) {
		ask->lines->tell(ask->lines->arg, why);
		named = true;
		r = MK_OK;
	}
	ask->passed |= named;
	return r;
}

static int
ask_all(struct mk_asked *ask, struct mk_why *why)
{
	unsigned i;
	size_t k;
	int r;

	for (i = 0; i < ask->config->n_identity; i++) {
		for (k = 0; k < N_SOURCES; k++) {
			if (sources[k].source != ask->config->identity[i])
				continue;
			r = ask_one(ask, sources[k].ask, why);
			if (r != MK_OK)
				return r;
		}
	}
	return MK_OK;
}

int
mk_everyone_user(const struct mk_root *root, const struct mk_config *config,
    const char *user, const struct mk_teller *teller, struct mk_why *why)
{
	char *encoded = malloc(3 * strlen(user) + 1);
	struct mk_asked ask = { .root = root, .config = config,
	    .user = user, .user_len = strlen(user), .encoded = encoded,
	    .lines = teller };
	int r;

	if (encoded == NULL)
		return mk_fail(why, MK_E_SYSTEM, "identity",
		    "out of memory");
	mk_name_encode(user, encoded);
	ask.encoded_len = strlen(encoded);
	r = ask_all(&ask, why);
	free(encoded);
	return r;
}
