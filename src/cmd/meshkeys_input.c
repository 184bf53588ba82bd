/* SPDX-License-Identifier: ISC */
/*
 * What the commands begin with: the set that the administrator names, the
 * stores, and the profile of the user that the set is of.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/meshkeys.h"
#include "core/arena.h"
#include "core/limits.h"
#include "core/portal.h"
#include "edge/log.h"

int
meshkeys_open_input(struct meshkeys *m, const char *name)
{
	return input_open(&m->input, name, &m->why);
}

int
meshkeys_read_input(struct meshkeys *m)
{
	return input_read(&m->input, m->keep.config.max_set, &m->why);
}

int
meshkeys_begin(struct meshkeys *m, const char *user)
{
	int e;

	if (user[0] == '\0' || strlen(user) > MK_USERNAME_MAX)
		return mk_fail(&m->why, MK_E_USAGE, "user",
		    "a user name has 1 to %u bytes", MK_USERNAME_MAX);
	m->user = user;
	if ((e = keep_become(&m->keep, &m->place, &m->why)) != 0)
		return e;
	/* What is wrong with a file in the stores is told as it is met. */
	mk_log_echo(true);
	if ((e = keep_open(&m->keep, &m->why)) != 0)
		return e;
	return mk_identity_find(&m->keep.root, &m->keep.config, user,
	    &m->identity, &m->why);
}

int
meshkeys_confine(struct meshkeys *m, bool portals)
{
	const struct mk_identity *id = &m->identity;
	struct mk_reach reach = { .config_file = m->place.config_file };
	const char **dirs = calloc(id->n + 1, sizeof(*dirs)), *portal;
	size_t i;
	int e;

	if (dirs == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	for (i = 0; portals && i < id->n; i++) {
		portal = id->profiles[i].policy.portal;
		if (portal != NULL &&
		    mk_portal_kind(portal) == MK_PORTAL_FILE)
			dirs[reach.n++] = mk_portal_dir(portal);
	}
	reach.dirs = dirs;
	e = mk_keeper_confine(&m->keep.root, &reach, &m->why);
	free(dirs);
	return e;
}

struct mk_demand
meshkeys_demand(const struct meshkeys *m, const struct mk_bytes *set,
    const struct mk_udf *udf)
{
	return (struct mk_demand){ .set = set->data, .set_len = set->len,
	    .udf = *udf, .now = time(NULL), .build_time = MK_BUILD_TIME,
	    .max_set = m->keep.config.max_set,
	    .max_devices = m->keep.config.max_devices,
	    .key_types = MK_SSH_ALL, .open_all = true };
}

/* Whether the set verifies from a fingerprint, whatever was seen. */
static int
try_udf(const struct meshkeys *m, const struct mk_bytes *set,
    const struct mk_udf *udf, struct mk_why *why)
{
	struct mk_demand demand = meshkeys_demand(m, set, udf);
	const struct mk_verified *verified;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(set->len));
	e = mk_verify(&a, &demand, &verified, why);
	mk_arena_release(&a);
	return e;
}

static int
find_claim(const struct meshkeys *m, const struct mk_bytes *set,
    struct mk_udf *ret_udf, struct mk_why *why)
{
	struct mk_arena a;
	int e;

	if (set->len > m->keep.config.max_set)
		return mk_fail(why, MK_E_REFUSED, "set", "too large");
	mk_arena_init(&a, mk_verify_memory(set->len));
	e = mk_claimed_udf(&a, set, ret_udf, why);
	mk_arena_release(&a);
	return e;
}

/* The command that adds the line that is missing. */
static void
put_map_line(struct meshkeys *m, const char *udf)
{
	mk_buf_puts(&m->hint, "    ");
	meshkeys_put_command(m, &m->hint, "map add", m->user);
	mk_buf_putc(&m->hint, ' ');
	mk_buf_puts(&m->hint, udf);
	mk_buf_putc(&m->hint, '\n');
}

/*
 * A set proves only that it was made by whoever has that master key, and
 * anybody can make one: its fingerprint is nothing before the user has
 * said that it is hers.
 */
static void
hint_map(struct meshkeys *m, const struct mk_bytes *set)
{
	char text[MK_UDF_TEXT + 1];
	struct mk_udf udf;

	if (set->data == NULL || find_claim(m, set, &udf, NULL) != 0 ||
	    try_udf(m, set, &udf, NULL) != 0) {
		mk_buf_puts(&m->hint, "ask the user for her fingerprint, "
		    "then run, with it:\n");
		put_map_line(m, "FINGERPRINT");
		return;
	}
	mk_udf_format(&udf, text);
	mk_buf_puts(&m->hint, "the set is whole and says that it is of\n"
	    "    ");
	mk_buf_puts(&m->hint, text);
	mk_buf_puts(&m->hint, "\nwhich anybody can have made: compare all "
	    "35 characters with what the user\ntells you herself; only if "
	    "they are the same, run:\n");
	put_map_line(m, text);
}

static int
fail_unmapped(struct meshkeys *m, const struct mk_bytes *set)
{
	if (m->identity.denied)
		return mk_fail(&m->why, MK_E_NOPROFILE, "identity",
		    "'%s' has no Mesh keys by order of the administrator: "
		    "a dash in source '%s'", m->user, m->identity.source);
	hint_map(m, set);
	return mk_fail(&m->why, MK_E_NOPROFILE, "identity",
	    "'%s' is mapped to no profile", m->user);
}

static int
fail_chosen(struct meshkeys *m, const struct mk_bytes *set)
{
	struct mk_why why = { 0 };
	size_t i;

	for (i = 0; i < m->identity.n; i++) {
		(void)try_udf(m, set, &m->identity.profiles[i].udf, &why);
		mk_buf_puts(&m->hint, "    ");
		show_udf(&m->hint, &m->identity.profiles[i].udf);
		mk_buf_puts(&m->hint, ": ");
		mk_buf_puts(&m->hint, why.stage);
		mk_buf_puts(&m->hint, ": ");
		mk_buf_puts(&m->hint, why.detail);
		mk_buf_putc(&m->hint, '\n');
	}
	return mk_fail(&m->why, MK_E_REFUSED, "set", "'%s' is no set of a "
	    "profile of '%s'", m->input.name, m->user);
}

int
meshkeys_choose(struct meshkeys *m, const struct mk_mapped **ret_profile)
{
	const struct mk_bytes set = { m->input.file.data,
	    m->input.file.len };
	struct mk_udf udf;
	size_t i;

	if (m->identity.n == 0)
		return fail_unmapped(m, &set);
	if (find_claim(m, &set, &udf, NULL) != 0)
		return fail_chosen(m, &set);
	for (i = 0; i < m->identity.n; i++) {
		if (mk_udf_cmp(&m->identity.profiles[i].udf, &udf) != 0)
			continue;
		*ret_profile = &m->identity.profiles[i];
		return 0;
	}
	return fail_chosen(m, &set);
}
