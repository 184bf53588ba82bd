/* SPDX-License-Identifier: ISC */
/*
 * What lies here of each profile, looked at by the owner of the stores: the
 * set in the cache with its age, the memory against rollback, the last
 * refusal.
 */
#include <config.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include "cmd/check.h"
#include "core/arena.h"
#include "core/limits.h"
#include "core/seen.h"
#include "core/sshkey.h"
#include "core/timestamp.h"
#include "core/verify.h"
#include "edge/cache.h"
#include "edge/everyone.h"
#include "edge/judge.h"
#include "edge/keeper.h"

#define REPAIR_MAX	8192u
#define TOLD_MAX	20u	/* findings of one level, one by one */
#define VERIFIED_MAX	1000u	/* sets whose signatures are followed */
#define AHEAD_MAX	60	/* seconds, by which clocks may well differ */

static const char *const names[] = { "cache", "clock", "identity", "refused",
    "seen", "set", NULL };

struct store {
	struct check *c;
	const struct check_site *site;
	struct mk_store store;
	size_t told[CHECK_FAIL + 1];
	size_t profiles, fresh, verified;
};

/* One of them. */
struct profile {
	const struct mk_udf *udf;
	const char *user;
	enum mk_when_stale when_stale;
	bool has_portal;
	char text[MK_UDF_TEXT + 1];
	struct mk_file set, seen;
};

/* Whether one more of that level is told by itself. */
static bool
one_more(struct store *s, enum check_level level)
{
	return s->told[level]++ < TOLD_MAX;
}

/* A reason may quote what strangers wrote: no command is taken out of it. */
static void
tell(struct store *s, const struct profile *p,
    const struct check_about *about, const struct mk_why *why)
{
	if (one_more(s, about->level))
		check_tell(s->c, about->level, about->name, about->repair,
		    "'%s': %s", p->user, why->detail);
}

/* Of a file, with the command that comes with the reason. */
static void
tell_file(struct store *s, const struct profile *p, const char *name,
    const struct mk_why *why)
{
	struct mk_why whole;

	if (!one_more(s, CHECK_FAIL))
		return;
	mk_fail(&whole, why->code, why->stage, "'%s': %s", p->user,
	    why->detail);
	check_tell_why(s->c, CHECK_FAIL, name, &whole);
}

/* With a command of ours, about her, or about her profile. */
static void
tell_run(struct store *s, const struct profile *p,
    struct check_about about, const struct mk_why *why)
{
	const bool hers = strcmp(about.repair, "accept") == 0;
	struct mk_buf repair;

	mk_buf_init(&repair, REPAIR_MAX);
	meshkeys_put_command(s->c->m, &repair, about.repair,
	    hers ? p->user : p->text);
	about.repair = repair.failed == 0 ? repair.data : NULL;
	tell(s, p, &about, why);
	mk_buf_release(&repair);
}

/* A file of the profile, below the root. */
static void
put_file(struct mk_buf *out, const struct store *s, const char *dir,
    const char *name)
{
	struct mk_buf path;

	mk_buf_init(&path, REPAIR_MAX);
	mk_buf_puts(&path, s->site->root.name);
	mk_buf_puts(&path, dir);
	mk_buf_putc(&path, '/');
	mk_buf_puts(&path, name);
	if (path.failed == 0 && *mk_path_quote(path.data) == '\0')
		mk_buf_puts(out, path.data);
	else if (path.failed == 0)
		show_quoted(out, path.data);
	mk_buf_release(&path);
}

/* How a failure of one user and a warning of a whole host differ. */
static enum check_level
level_here(const struct store *s)
{
	return s->c->user != NULL ? CHECK_FAIL : CHECK_WARN;
}

static void
look_at_age(struct store *s, const struct profile *p)
{
	const struct mk_config *config = &s->site->config;
	const int64_t age = s->site->now - p->set.mtime;
	enum check_level level = CHECK_WARN;
	const char *what = NULL;
	struct mk_why why;

	if (age < 0) {
		what = "is in the future, which counts as stale";
	} else if (config->stale_for != -1 && age > config->stale_for) {
		what = "is longer ago than stale-for: nothing is printed";
		level = CHECK_FAIL;
	} else if (age > config->fresh_for) {
		what = p->when_stale != MK_STALE_DENY ?
		    "is longer ago than fresh-for" :
		    "is longer ago than fresh-for: nothing is printed";
		if (p->when_stale == MK_STALE_DENY)
			level = CHECK_FAIL;
	}
	if (what == NULL) {
		s->fresh++;
		return;
	}
	mk_fail(&why, MK_E_STALE, "cache", "the last word of a portal on %s "
	    "%s (%lld s)", p->text, what, (long long)age);
	tell_run(s, p, (struct check_about){ level, age < 0 ? "clock" :
	    "cache", "refresh" }, &why);
}

static void
look_closed(struct store *s, const struct profile *p,
    const struct mk_file *file, const char *path)
{
	struct check_about about = { CHECK_FAIL,
	    file == &p->set ? "set" : "seen", NULL };
	char name[MK_STORE_NAME];
	struct mk_buf repair;
	struct mk_why why;

	if (!file->closed)
		return;
	mk_store_name(p->udf, file == &p->set ? ".json" : ".seen", name);
	mk_buf_init(&repair, 2 * REPAIR_MAX);
	mk_buf_puts(&repair, "chmod 644 ");
	put_file(&repair, s, path, name);
	about.repair = repair.failed == 0 ? repair.data : NULL;
	mk_fail(&why, MK_E_PERM, "open", "'%s%s/%s' is closed to the user "
	    "of the helper", s->site->root.name, path, name);
	tell(s, p, &about, &why);
	mk_buf_release(&repair);
}

/* A set and the memory as the helper would put them together. */
static void
verify(struct store *s, const struct profile *p, const struct mk_seen *seen)
{
	const struct mk_config *config = &s->site->config;
	const struct mk_demand demand = { .set = p->set.data,
	    .set_len = p->set.len, .udf = *p->udf, .now = s->site->now,
	    .build_time = MK_BUILD_TIME, .seen = seen,
	    .max_set = config->max_set, .max_devices = config->max_devices,
	    .key_types = MK_SSH_ALL };
	const struct mk_verified *verified;
	char text[MK_TIME_LEN + 1];
	struct mk_arena a;
	struct mk_why why;
	int64_t signed_at;

	if (s->verified++ >= VERIFIED_MAX)
		return;
	mk_arena_init(&a, mk_verify_memory(p->set.len));
	if (mk_verify(&a, &demand, &verified, &why) != 0) {
		tell(s, p, &(const struct check_about){ CHECK_FAIL, "set",
		    NULL }, &why);
	} else {
		signed_at = mk_verified_view(verified)->version.personal_time;
		mk_time_format(signed_at, text);
		if (signed_at != MK_TIME_NONE &&
		    signed_at > s->site->now + AHEAD_MAX) {
			mk_fail(&why, MK_E_STALE, "clock", "%s was signed at "
			    "%s, which the clock here has not reached",
			    p->text, text);
			tell(s, p, &(const struct check_about){ CHECK_WARN,
			    "clock", NULL }, &why);
		}
	}
	mk_arena_release(&a);
}

/* NULL: there is no memory that can be used. */
static const struct mk_seen *
look_at_seen(struct store *s, struct profile *p, struct mk_arena *a,
    struct mk_seen *seen)
{
	struct mk_why why;
	int e;

	e = mk_store_seen(&s->store, p->udf, &p->seen, &why);
	if (e == MK_E_ABSENT && p->set.data == NULL)
		return NULL;
	if (e == MK_E_ABSENT) {
		mk_fail(&why, e, "seen", "there is no memory of %s: an older "
		    "set would be taken", p->text);
		tell_run(s, p, (struct check_about){ CHECK_WARN, "seen",
		    "refresh" }, &why);
		return NULL;
	}
	if (e == 0)
		e = mk_seen_parse(a, p->seen.data, p->seen.len, seen, &why);
	if (e == MK_E_SYSTEM && strcmp(why.stage, MK_SEEN_STAGE) == 0) {
		mk_fail(&why, e, "seen", "the memory '%s%s/%s.seen' is "
		    "damaged, so nothing is printed; restore it from a "
		    "backup, else replace it", s->site->root.name,
		    MK_STATEDIR, p->text);
		tell_run(s, p, (struct check_about){ CHECK_FAIL, "seen",
		    "accept" }, &why);
	} else if (e != 0) {
		tell_file(s, p, "seen", &why);
	}
	if (e != 0)
		return NULL;
	look_closed(s, p, &p->seen, MK_STATEDIR);
	return seen;
}

/* One of root's in a store of another's is read, and never replaced. */
static void
look_at_owner(struct store *s, const struct profile *p,
    const struct mk_dir *dir, const char *suffix)
{
	struct check_about about = { CHECK_WARN, "seen", NULL };
	char name[MK_STORE_NAME];
	struct mk_buf repair;
	struct mk_why why;
	struct stat st;

	mk_store_name(p->udf, suffix, name);
	if (dir->fd == -1 || fstatat(dir->fd, name, &st,
	    AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid == dir->owner)
		return;
	mk_fail(&why, MK_E_PERM, "open", "'%s%s/%s' belongs to uid %lu, not "
	    "to who keeps it", s->site->root.name, dir->path, name,
	    (unsigned long)st.st_uid);
	mk_buf_init(&repair, 2 * REPAIR_MAX);
	mk_buf_puts(&repair, "chown --reference=");
	put_file(&repair, s, dir->path, ".");
	mk_buf_putc(&repair, ' ');
	put_file(&repair, s, dir->path, name);
	about.repair = repair.failed == 0 ? repair.data : NULL;
	tell(s, p, &about, &why);
	mk_buf_release(&repair);
}

static void
look_at_refusal(struct store *s, const struct profile *p)
{
	char when[MK_TIME_LEN + 1];
	struct mk_refusal refusal;
	struct mk_why why;

	if (mk_store_refusal(&s->store, p->udf, &refusal) != 0)
		return;
	mk_time_format(refusal.time, when);
	mk_fail(&why, MK_E_REFUSED, "refused", "what the portal has for %s "
	    "is refused since %s or longer, as %d: %s", p->text, when,
	    refusal.status, refusal.reason);
	tell(s, p, &(const struct check_about){ CHECK_WARN, "refused",
	    NULL }, &why);
}

static void
look_at(struct store *s, struct profile *p)
{
	const struct mk_config *config = &s->site->config;
	const struct mk_seen *memory;
	struct mk_seen seen;
	struct mk_arena a;
	struct mk_why why;
	int e;

	s->profiles++;
	mk_udf_format(p->udf, p->text);
	mk_arena_init(&a, mk_verify_memory(MK_SEEN_MAX));
	e = mk_store_set(&s->store, p->udf, config->max_set, &p->set, &why);
	memory = look_at_seen(s, p, &a, &seen);
	if (e == MK_E_NOPROFILE && !p->has_portal) {
		mk_fail(&why, e, "cache", "no set of %s is here, and no "
		    "portal is configured to fetch it from: meshkeys.conf "
		    "needs a line 'portal URL'", p->text);
		tell(s, p, &(const struct check_about){ level_here(s),
		    "cache", NULL }, &why);
	} else if (e == MK_E_NOPROFILE) {
		mk_fail(&why, e, "cache", "no set of %s was ever fetched",
		    p->text);
		tell_run(s, p, (struct check_about){ level_here(s), "cache",
		    "refresh" }, &why);
	} else if (e != 0) {
		tell_file(s, p, "set", &why);
	} else {
		look_closed(s, p, &p->set, MK_CACHEDIR);
		look_at_age(s, p);
		verify(s, p, memory);
	}
	look_at_owner(s, p, &s->store.memory, ".seen");
	look_at_owner(s, p, &s->store.cache, ".json");
	look_at_refusal(s, p);
	mk_file_release(&p->set);
	mk_file_release(&p->seen);
	mk_arena_release(&a);
}

static void
look_at_hers(struct store *s)
{
	struct mk_identity identity;
	struct mk_why why;
	size_t i;

	/* What is wrong with her lines is told by check_map(). */
	if (mk_identity_find(&s->site->root, &s->site->config, s->c->user,
	    &identity, &why) != 0)
		return;
	for (i = 0; i < identity.n; i++) {
		struct profile p = { .udf = &identity.profiles[i].udf,
		    .user = s->c->user, .when_stale =
		    identity.profiles[i].policy.when_stale, .has_portal =
		    identity.profiles[i].policy.portal != NULL };

		look_at(s, &p);
	}
	mk_identity_release(&identity);
}

static void
look_at_all(struct store *s)
{
	struct mk_everyone everyone;
	size_t i;

	if (mk_everyone_read(&s->site->root, &s->site->config, NULL,
	    &everyone, NULL) != 0)
		return;
	for (i = 0; i < everyone.n; i++) {
		struct profile p = { .udf = &everyone.profiles[i].udf,
		    .user = everyone.profiles[i].user,
		    .when_stale = s->site->config.policy.when_stale,
		    .has_portal = everyone.profiles[i].portal != NULL };

		look_at(s, &p);
	}
	mk_everyone_release(&everyone);
}

static void
sum_up(struct store *s)
{
	enum check_level level;

	for (level = CHECK_WARN; level <= CHECK_FAIL; level++)
		if (s->told[level] > TOLD_MAX)
			check_tell(s->c, level, "cache", "meshkeys check USER",
			    "and %zu more such findings of profiles",
			    s->told[level] - TOLD_MAX);
	if (s->profiles > 0)
		check_tell(s->c, s->fresh == s->profiles ? CHECK_OK :
		    CHECK_NOTE, "cache", NULL, "%zu of %zu "
		    "profile%s fresh", s->fresh, s->profiles,
		    s->profiles == 1 ? " is" : "s are");
	if (s->verified > VERIFIED_MAX)
		check_tell(s->c, CHECK_NOTE, "set", NULL, "only the first %u "
		    "sets were verified", VERIFIED_MAX);
}

static void
look(struct check *c, void *arg)
{
	struct store s = { .c = c, .site = arg };

	mk_store_open(&s.site->root, &s.store);
	if (c->user != NULL)
		look_at_hers(&s);
	else
		look_at_all(&s);
	sum_up(&s);
	mk_store_close(&s.store);
}

void
check_store(struct check *c, const struct check_site *site)
{
	struct check_site copy = *site;
	const struct check_apart apart = { names, look, &copy };
	struct mk_why why;

	if (check_apart(c, &apart, &why) == 0)
		return;
	/* That there is no such user is told by who looks for it. */
	check_tell_why(c, strcmp(why.stage, "user") == 0 ? CHECK_SKIPPED :
	    CHECK_FAIL, "cache", &why);
}
