/* SPDX-License-Identifier: ISC */
/*
 * A keyword is one line of a table and one small setter.  The settings
 * that the map may override have their table in policy.c.
 */
#include "edge/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/policy.h"
#include "edge/root.h"
#include "edge/words.h"

#define FILE_NAME	"meshkeys.conf"

/* The words of a line behind its keyword. */
struct values {
	char *const *word;
	unsigned n;
};

static int
add_source(struct mk_config *c, const char *s, size_t len, struct mk_why *why)
{
	static const char *const names[MK_SOURCES] = {
		[MK_SOURCE_MAP] = "map",
		[MK_SOURCE_PASSWD] = "passwd",
		[MK_SOURCE_NSS] = "nss"
	};
	unsigned i, k;

	for (i = 0; i < MK_SOURCES; i++) {
		if (strlen(names[i]) == len &&
		    strncasecmp(s, names[i], len) == 0)
			break;
	}
	if (i == MK_SOURCES)
		return mk_value_fail(s, "map, passwd or nss", why);
	for (k = 0; k < c->n_identity; k++) {
		if (c->identity[k] == i)
			return mk_fail(why, MK_E_CONFIG, "config",
			    "%s stands twice", names[i]);
	}
	c->identity[c->n_identity++] = (enum mk_source)i;
	return MK_OK;
}

static int
set_identity(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	const char *s;
	unsigned i;
	size_t n;
	int r;

	c->n_identity = 0;
	for (i = 0; i < v->n; i++) {
		for (s = v->word[i];; s += n + 1) {
			n = strcspn(s, ",");
			r = n == 0 ? MK_OK : add_source(c, s, n, why);
			if (r != MK_OK)
				return r;
			if (s[n] == '\0')
				break;
		}
	}
	if (c->n_identity == 0)
		return mk_value_fail("", "map, passwd or nss", why);
	return MK_OK;
}

static int
set_fresh_for(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	if (!mk_duration_parse(v->word[0], &c->fresh_for))
		return mk_value_fail(v->word[0], "a duration as 90s, 15m, "
		    "12h, 7d or 2w of at most ten years", why);
	return MK_OK;
}

static int
set_stale_for(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	if (strcasecmp(v->word[0], "never") == 0)
		c->stale_for = -1;
	else if (!mk_duration_parse(v->word[0], &c->stale_for))
		return mk_value_fail(v->word[0], "never or a duration as "
		    "12h, 7d or 2w of at most ten years", why);
	return MK_OK;
}

/* A token that sshd knows and we do not would reach the command raw. */
static int
check_tokens(const char *word, struct mk_why *why)
{
	const char *p;

	for (p = strchr(word, '%'); p != NULL; p = strchr(p + 2, '%')) {
		if (p[1] == '\0' || strchr("utkf%", p[1]) == NULL)
			return mk_fail(why, MK_E_CONFIG, "config",
			    "'%s' has another token than %%u, %%t, %%k, %%f "
			    "and %%%%", word);
	}
	return MK_OK;
}

static void
free_chain(char **chain)
{
	char **p;

	for (p = chain; p != NULL && *p != NULL; p++)
		free(*p);
	free(chain);
}

static int
set_chain(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	char **chain;
	unsigned i;
	int r;

	if (v->n == 1 && strcasecmp(v->word[0], "none") == 0)
		return MK_OK;
	if (v->word[0][0] != '/')
		return mk_value_fail(v->word[0], "an absolute path", why);
	/* It would be another file than the one that is checked. */
	if (strchr(v->word[0], '%') != NULL)
		return mk_value_fail(v->word[0], "a path without '%'", why);
	for (i = 0; i < v->n; i++) {
		r = check_tokens(v->word[i], why);
		if (r != MK_OK)
			return r;
	}
	chain = calloc(v->n + 1, sizeof(*chain));
	for (i = 0; chain != NULL && i < v->n; i++) {
		chain[i] = strdup(v->word[i]);
		if (chain[i] == NULL)
			break;
	}
	if (chain == NULL || i < v->n) {
		free_chain(chain);
		return mk_fail(why, MK_E_SYSTEM, "config", "out of memory");
	}
	c->chain = chain;
	return MK_OK;
}

static int
set_flag(const char *value, bool *flag, struct mk_why *why)
{
	if (strcasecmp(value, "yes") == 0)
		*flag = true;
	else if (strcasecmp(value, "no") == 0)
		*flag = false;
	else
		return mk_value_fail(value, "yes or no", why);
	return MK_OK;
}

static int
set_chain_on_refusal(struct mk_config *c, const struct values *v,
    struct mk_why *why)
{
	return set_flag(v->word[0], &c->chain_on_refusal, why);
}

static int
set_log_matches(struct mk_config *c, const struct values *v,
    struct mk_why *why)
{
	return set_flag(v->word[0], &c->log_matches, why);
}

static int
set_max_set(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	char *word = v->word[0];
	size_t len = strlen(word);
	unsigned shift = 0;
	uint64_t n = 0;

	if (len > 0 && (word[len - 1] == 'K' || word[len - 1] == 'k'))
		shift = 10;
	else if (len > 0 && (word[len - 1] == 'M' || word[len - 1] == 'm'))
		shift = 20;
	if (shift != 0)
		word[len - 1] = '\0';
	if (!mk_number_parse(word, MK_SET_CEILING >> shift, &n) || n == 0)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "not a number of bytes from 1 to %uM, K or M behind it",
		    MK_SET_CEILING >> 20);
	c->max_set = (size_t)n << shift;
	return MK_OK;
}

static int
set_max_devices(struct mk_config *c, const struct values *v,
    struct mk_why *why)
{
	uint64_t n = 0;

	if (!mk_number_parse(v->word[0], MK_DEVICES_CEILING, &n) || n == 0)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "not a number from 1 to %u", MK_DEVICES_CEILING);
	c->max_devices = (unsigned)n;
	return MK_OK;
}

static int
set_log_level(struct mk_config *c, const struct values *v, struct mk_why *why)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{ "err",	LOG_ERR },
		{ "warning",	LOG_WARNING },
		{ "notice",	LOG_NOTICE },
		{ "info",	LOG_INFO },
		{ "debug",	LOG_DEBUG }
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcasecmp(v->word[0], levels[i].name) != 0)
			continue;
		c->log_level = levels[i].level;
		return MK_OK;
	}
	return mk_value_fail(v->word[0],
	    "err, warning, notice, info or debug", why);
}

static const struct {
	const char *name;
	int (*set)(struct mk_config *, const struct values *,
	    struct mk_why *);
	unsigned max;		/* words behind it */
} keywords[] = {
	{ "identity",		set_identity,		MK_SOURCES },
	{ "fresh-for",		set_fresh_for,		1 },
	{ "stale-for",		set_stale_for,		1 },
	{ "chain",		set_chain,		MK_LINE_WORDS },
	{ "chain-on-refusal",	set_chain_on_refusal,	1 },
	{ "max-set",		set_max_set,		1 },
	{ "max-devices",	set_max_devices,	1 },
	{ "log-level",		set_log_level,		1 },
	{ "log-matches",	set_log_matches,	1 }
};

#define N_KEYWORDS	((int)(sizeof(keywords) / sizeof(keywords[0])))

/* Keywords count from 0, settings behind them; -1 for neither. */
static int
find_keyword(const char *name)
{
	int i;

	for (i = 0; i < N_KEYWORDS; i++) {
		if (strcasecmp(name, keywords[i].name) == 0)
			return i;
	}
	i = mk_setting_find(name);
	return i >= 0 && mk_setting_in_file(i) ? N_KEYWORDS + i : -1;
}

static int
set_keyword(struct mk_config *c, int keyword, const struct values *v,
    struct mk_why *why)
{
	struct mk_why reason;
	int r;

	if (keyword >= N_KEYWORDS)
		return mk_setting_set(&c->policy, keyword - N_KEYWORDS,
		    v->word[0], why);
	r = keywords[keyword].set(c, v, &reason);
	if (r == MK_OK)
		return MK_OK;
	return mk_fail(why, r, "config", "%s: %s", keywords[keyword].name,
	    reason.detail);
}

/* A line that has words. */
static int
take_line(struct mk_config *c, const struct mk_words *words, unsigned *seen,
    struct mk_why *why)
{
	const struct values v = { words->word + 1, words->n - 1 };
	const char *name = words->word[0];
	int keyword = find_keyword(name);

	if (keyword == -1)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "unknown keyword '%s'", name);
	/* Unlike sshd's "the first one counts", nobody has to know it. */
	if ((*seen & 1u << keyword) != 0)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "'%s' stands twice", name);
	*seen |= 1u << keyword;
	if (v.n == 0)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "'%s' needs a value", name);
	if (v.n > (keyword < N_KEYWORDS ? keywords[keyword].max : 1))
		return mk_fail(why, MK_E_CONFIG, "config",
		    "'%s' has too many values", name);
	return set_keyword(c, keyword, &v, why);
}

static int
take_text(struct mk_config *c, struct mk_where where,
    const struct mk_file *file, struct mk_why *why)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *line;
	struct mk_words words;
	struct mk_why reason;
	unsigned seen = 0;
	size_t len;
	int r;

	while ((line = mk_line_next(&cursor, end, &len)) != NULL) {
		where.line++;
		r = mk_line_split(line, len, &where, &words, why);
		if (r != MK_OK)
			return r;
		if (words.n == 0)
			continue;
		r = take_line(c, &words, &seen, &reason);
		if (r != MK_OK)
			return mk_where_fail(&where, &reason, why);
	}
	return MK_OK;
}

static int
set_defaults(struct mk_config *ret_config, struct mk_why *why)
{
	const struct mk_config defaults = {
		.identity = { MK_SOURCE_MAP, MK_SOURCE_PASSWD },
		.n_identity = 2,
		.fresh_for = 15 * 60,
		.stale_for = 7 * MK_DAY,
		.max_set = MK_SET_MAX,
		.max_devices = MK_DEVICES_MAX,
		.log_level = LOG_INFO
	};

	*ret_config = defaults;
	return mk_policy_defaults(&ret_config->policy, why);
}

/* The standard file, MK_E_ABSENT if there is none. */
static int
read_standard(const struct mk_root *root, struct mk_file *ret_file,
    struct mk_why *why)
{
	struct mk_dir dir;
	int r;

	r = mk_dir_open(root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r != MK_OK)
		return r;
	r = mk_dir_read(&dir, FILE_NAME, MK_CONFIG_MAX, ret_file, why);
	mk_dir_close(&dir);
	return r;
}

static int
read_file(const struct mk_root *root, const char *path,
    struct mk_file *ret_file, struct mk_why *why)
{
	int r;

	if (path == NULL)
		r = read_standard(root, ret_file, why);
	else
		r = mk_file_read(path, MK_CONFIG_MAX, ret_file, why);
	/* Nobody named the standard file; who names one wants it read. */
	if (r == MK_E_ABSENT && path != NULL)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "cannot use '%s': no such file", path);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "cannot use '%s': larger than %u bytes", path == NULL ?
		    MK_CONFDIR "/" FILE_NAME : path, MK_CONFIG_MAX);
	return r;
}

int
mk_config_load(const struct mk_root *root, const char *path,
    struct mk_config *ret_config, struct mk_why *why)
{
	const struct mk_where named = { path, 0 },
	    standard = { MK_CONFDIR "/" FILE_NAME, 0, root->name };
	struct mk_file file = { NULL, 0, 0 };
	struct mk_config config;
	int r;

	r = set_defaults(&config, why);
	if (r != MK_OK)
		return r;
	r = read_file(root, path, &file, why);
	if (r == MK_OK)
		r = take_text(&config, path == NULL ? standard : named,
		    &file, why);
	else if (r == MK_E_ABSENT)
		r = MK_OK;
	mk_file_release(&file);
	if (r == MK_OK)
		*ret_config = config;
	else
		mk_config_release(&config);
	return r;
}

void
mk_config_release(struct mk_config *config)
{
	mk_policy_release(&config->policy);
	free_chain(config->chain);
	config->chain = NULL;
}
