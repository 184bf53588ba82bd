/* SPDX-License-Identifier: ISC */
/*
 * A login without sshd: the steps of mesh-authorized-keys(8) by its own
 * code, as the owner of the stores, in a process that keeps nothing but
 * reading below them.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/explain.h"
#include "core/limits.h"
#include "edge/judge.h"
#include "edge/log.h"

#define CONFIG_FILE	MK_CONFDIR "/meshkeys.conf"

/* What a login fails at is what is asked for. */
static int
fail_step(struct explain *x, const char *step, int code)
{
	x->failed_step = step;
	x->code = code;
	return 0;
}

static bool
is_closed(const struct mk_dir *dir)
{
	struct stat st;

	return dir->fd != -1 && fstat(dir->fd, &st) == 0 &&
	    (st.st_mode & 0005) != 0005;
}

static int
fail_closed(const struct mk_dir *dir, const struct mk_udf *udf,
    const char *suffix, struct mk_why *why)
{
	const char *root = dir->root->name, *q = mk_path_quote(root);
	char text[MK_UDF_TEXT + 1];

	if (is_closed(dir))
		return mk_fail(why, MK_E_PERM, "open", "the helper cannot "
		    "read the directory '%s%s'; run: chmod a+rx %s%s%s%s",
		    root, dir->path, q, root, dir->path, q);
	mk_udf_format(udf, text);
	return mk_fail(why, MK_E_PERM, "open", "the helper cannot read "
	    "'%s%s/%s%s'; run: chmod a+r %s%s%s/%s%s%s", root, dir->path,
	    text, suffix, q, root, dir->path, text, suffix, q);
}

/* Whether another failure is told; as where the bytes are gathered. */
static bool
is_told(int failed, bool of_set)
{
	return failed != 0 && failed != MK_E_REFUSED &&
	    failed != MK_E_SYSTEM && !(of_set && failed == MK_E_NOPROFILE);
}

void
explain_closed(const struct meshkeys *m, struct akc_gathered *g)
{
	struct mk_store store;
	size_t i;

	mk_store_open(&m->keep.root, &store);
	for (i = 0; i < 2 * g->identity.n; i++) {
		struct mk_found *found = &g->found[i / 2];
		bool set = i % 2 == 0;
		const struct mk_dir *dir = set ? &store.cache : &store.memory;

		if ((g->files[i].closed || is_closed(dir)) &&
		    !is_told(found->failed, set))
			found->failed = fail_closed(dir, &found->udf,
			    set ? ".json" : ".seen", &found->why);
	}
	mk_store_close(&store);
}

int
explain_confine(struct meshkeys *m)
{
	const struct mk_reach reach = { .config_file = m->place.config_file,
	    .reads_only = true };

	return mk_keeper_confine(&m->keep.root, &reach, &m->why);
}

static int
load_config(struct explain *x, struct mk_why *why)
{
	struct keep *k = &x->m->keep;
	const char *named = x->m->place.config_file;
	struct mk_file file = { .data = NULL };

	x->has_config_file = named != NULL || mk_path_read(&k->root,
	    CONFIG_FILE, MK_CONFIG_MAX, &file, NULL) != MK_E_ABSENT;
	mk_file_release(&file);
	return mk_config_load(&k->root, named, &k->config, why);
}

/*
 * With a key offered a set is verified as far as that key needs it; the
 * second question shows all of its keys.
 */
static void
decide(struct explain *x)
{
	const struct mk_config *config = &x->m->keep.config;
	const struct mk_onlooker onlooker = { explain_watch_see, x };
	struct mk_question q = akc_question(config, &x->gathered,
	    &x->offer);
	struct mk_answer whole;
	size_t i;

	q.onlooker = &onlooker;
	mk_decide(&q, &x->answer);
	q.offer = NULL;
	mk_decide(&q, &whole);
	for (i = 0; i < x->answer.n_records; i++)
		x->profiles[i].rec = x->answer.records[i];
	for (i = 0; i < whole.n_records; i++)
		x->profiles[i].whole = whole.records[i];
	mk_answer_release(&whole);
	x->answered = true;
	x->code = x->offer.certificate ? 0 : x->answer.code;
}

int
explain_look(struct explain *x, struct mk_why *why)
{
	struct meshkeys *m = x->m;
	struct keep *k = &m->keep;
	int e;

	if (x->user[0] == '\0' || strlen(x->user) > MK_USERNAME_MAX)
		return mk_fail(why, MK_E_USAGE, "user",
		    "a user name has 1 to %u bytes", MK_USERNAME_MAX);
	if ((e = keep_become(k, &m->place, why)) != 0)
		return e;
	if ((e = load_config(x, why)) != 0)
		return fail_step(x, "configuration", e);
	if ((e = akc_gather_identity(&k->root, &k->config, x->user,
	    &x->gathered, why)) != 0)
		return fail_step(x, "identity", e);
	if (x->gathered.identity.n == 0)
		return 0;
	if ((e = explain_confine(m)) != 0 ||
	    (e = akc_gather_bytes(&k->root, &k->config, &x->gathered,
	    why)) != 0 ||
	    (e = explain_watch_begin(x, why)) != 0)
		return e;
	explain_closed(m, &x->gathered);
	decide(x);
	if (x->starved)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	return 0;
}

void
explain_release(struct explain *x)
{
	size_t i;

	for (i = 0; x->profiles != NULL && i < x->gathered.identity.n; i++) {
		free(x->profiles[i].devices);
		free(x->profiles[i].traces);
	}
	free(x->profiles);
	if (x->answered)
		mk_answer_release(&x->answer);
	akc_gathered_release(&x->gathered);
	akc_offer_release(&x->offer);
	free(x->words);
}
