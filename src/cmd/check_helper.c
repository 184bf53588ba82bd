/* SPDX-License-Identifier: ISC */
/*
 * The AuthorizedKeysCommand that sshd has for her, run as sshd runs it:
 * with a key that nobody has and with her own, and compared with what the
 * same decision says when it is made by hand.
 */
#include <config.h>

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/akc.h"
#include "cmd/check_sshd.h"
#include "core/arena.h"
#include "core/base64.h"
#include "core/sshkey.h"
#include "edge/akc_run.h"
#include "edge/clock.h"

#define KEYS_MAX	3u		/* of hers that are tried */
#define LINES_MAX	(1u << 20)
#define SLOW_MS		2000		/* nobody waits for that gladly */
#define NOTED_MS	20		/* sshd pads to 5 ms and doubles that,
					   and a run is measured here to
					   within as much */
#define TOLD_MAX	20u

static const char name[] = "helper";

struct trial {
	struct check *c;
	const struct check_person *person;
	const char *command, *as;
	bool ours;		/* the command is the helper of meshkeys */
	int64_t least;		/* ms, the fastest run; -1: none */
	bool over;		/* no further run makes sense */
};

/* Exit codes of mesh-authorized-keys(8) and of those who run programs. */
static const struct {
	int status;
	const char *what;
} meanings[] = {
	{ 64, "usage: the words of AuthorizedKeysCommand are wrong" },
	{ 65, "a set is refused: forged, replayed or expired" },
	{ 66, "no set of hers is in the cache" },
	{ 70, "an error of the helper itself" },
	{ 71, "a system error, or a damaged memory" },
	{ 75, "the set is too stale" },
	{ 77, "a file cannot be read by the helper's user, or others may "
	    "write it" },
	{ 78, "the configuration or her line of the map" },
	{ 126, "the program cannot be executed" },
	{ 127, "the program cannot be executed" },
};

static const char *
meaning_of(int status)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].status == status)
			return meanings[i].what;
	return status > 128 ? "ended by a signal" : "not one of ours";
}

/* Made as the owner of the stores; the lines are all that comes back. */
static int
decide(struct meshkeys *m, void *arg)
{
	const struct check_person *p = arg;
	struct akc_gathered g = { .found = NULL };
	struct mk_question q;
	struct mk_answer answer;
	int e;

	if ((e = akc_gather_identity(&p->site.root, &p->site.config, p->name,
	    &g, &m->why)) == 0 &&
	    (e = akc_gather_bytes(&p->site.root, &p->site.config, &g,
	    &m->why)) == 0) {
		q = akc_question(&p->site.config, &g, NULL);
		mk_decide(&q, &answer);
		if ((e = answer.code) != 0)
			m->why = answer.why.code != 0 || answer.n_records ==
			    0 ? answer.why : answer.records[0].why;
		else
			mk_buf_put(&m->out, answer.lines.data,
			    answer.lines.len);
		mk_answer_release(&answer);
	}
	akc_gathered_release(&g);
	return e;
}

/* A hanging chain is met by a stranger's key only: a match ends it. */
static void
tell_hanging(struct trial *t, const char *whose)
{
	char *const *chain = t->person->site.config.chain;

	if (t->ours && chain != NULL)
		check_tell(t->c, CHECK_FAIL, "helper-time", NULL, "with %s "
		    "'%s' or its chain '%s' did not end within %d s: each "
		    "login waits for it until LoginGraceTime", whose,
		    t->command, chain[0], MK_AKC_SECONDS);
	else
		check_tell(t->c, CHECK_FAIL, "helper-time", NULL, "with %s "
		    "'%s' did not end within %d s: each login waits for it "
		    "until LoginGraceTime", whose, t->command,
		    MK_AKC_SECONDS);
	t->over = true;
}

/* An empty one has no data at all. */
static const char *
text_of(const struct mk_buf *b)
{
	return b->data != NULL ? b->data : "";
}

/* Lines that sshd would pass over as no key. */
static size_t
count_lines(const struct mk_buf *out, size_t *ret_bad)
{
	const char *s = text_of(out), *end = s + out->len, *lf;
	struct check_key key;
	size_t keys = 0;

	*ret_bad = 0;
	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		if (check_line_key(s, (size_t)(lf - s), &key))
			keys++;
		else if (lf > s && *s != '#')
			++*ret_bad;
	}
	return keys;
}

static bool
has_key(const struct mk_buf *out, const char *base64)
{
	return out->data != NULL && strstr(out->data, base64) != NULL;
}

/* What was printed, by a run that ended well. */
static void
judge_lines(struct trial *t, const struct mk_buf *out, const char *hers)
{
	size_t bad, keys = count_lines(out, &bad);

	if (bad > 0)
		check_tell(t->c, CHECK_WARN, name, NULL, "'%s' prints %zu "
		    "line%s without a key in %s", t->command, bad,
		    bad == 1 ? "" : "s", bad == 1 ? "it" : "them");
	if (!t->ours)
		return;
	if (hers != NULL && !has_key(out, hers))
		check_tell(t->c, CHECK_FAIL, name, NULL, "run as sshd runs it "
		    "it does not print a key that the same decision gives by "
		    "hand: does AuthorizedKeysCommand have %%u %%t %%k, and "
		    "is it this program");
	else if (hers == NULL && keys > 0 &&
	    t->person->site.config.chain == NULL)
		check_tell(t->c, CHECK_FAIL, name, NULL, "it prints %zu "
		    "key%s for one that nobody has: are %%t %%k missing "
		    "behind AuthorizedKeysCommand", keys,
		    keys == 1 ? "" : "s");
}

static void
judge_status(struct trial *t, const struct mk_akc_result *result,
    bool by_hand)
{
	check_tell(t->c, CHECK_FAIL, name, NULL, "run as sshd runs it, as "
	    "'%s', it ends with %d: %s%s%.*s%s", t->as, result->status,
	    meaning_of(result->status), result->err.len > 0 ? "; it says: " :
	    "", (int)(result->err.len > 0 ? strcspn(result->err.data, "\n") :
	    0), result->err.len > 0 ? result->err.data : "",
	    by_hand ? "; by hand it decides well: compare who may read, and "
	    "see the findings on SELinux and AppArmor" : "");
	t->over = true;
}

/* One run; 'hers': the base64 of the key, if it is one that she has. */
static void
run(struct trial *t, const char *type, const char *key, bool hers)
{
	const struct mk_akc_ask ask = { .command = t->command, .as = t->as,
	    .user = t->person->name, .type = type, .key = key };
	const char *whose = hers ? "a key of hers" : "a key of nobody's";
	const int64_t begun = mk_clock_ms();
	struct mk_akc_result result;
	struct mk_why why;
	int64_t ms;
	int e;

	e = mk_akc_run(&ask, &result, &why);
	ms = mk_clock_ms() - begun;
	if (e == MK_E_STALE) {
		tell_hanging(t, whose);
		return;
	}
	if (e != 0) {
		check_tell_why(t->c, CHECK_FAIL, name, &why);
		t->over = true;
		return;
	}
	if (t->least == -1 || ms < t->least)
		t->least = ms;
	if (ms > SLOW_MS)
		check_tell(t->c, CHECK_WARN, "helper-time", NULL, "with %s it "
		    "takes %lld ms, and sshd runs it twice for a login and "
		    "once for each wrong key", whose, (long long)ms);
	if (result.status != 0)
		judge_status(t, &result, hers);
	else
		judge_lines(t, &result.out, hers ? key : NULL);
	mk_akc_result_release(&result);
}

/* One that was made here and is forgotten at once. */
static void
run_nobodys(struct trial *t)
{
	static const uint8_t head[] = "\0\0\0\013ssh-ed25519\0\0\0\040";
	uint8_t blob[sizeof(head) - 1 + crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	char text[MK_B64STD_LEN(sizeof(blob)) + 1] = "";

	memcpy(blob, head, sizeof(head) - 1);
	(void)crypto_sign_keypair(blob + sizeof(head) - 1, secret);
	sodium_memzero(secret, sizeof(secret));
	mk_b64std_encode(blob, sizeof(blob), text);
	run(t, "ssh-ed25519", text, false);
}

/* The first ones that the decision gives by hand. */
static unsigned
run_hers(struct trial *t, const struct mk_buf *lines)
{
	const char *s = text_of(lines), *end = s + lines->len, *lf;
	struct check_key key;
	unsigned n = 0;

	for (; s < end && n < KEYS_MAX && !t->over; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			break;
		if (check_line_key(s, (size_t)(lf - s), &key)) {
			char *type = strndup(key.type, key.type_len);
			char *base64 = strndup(key.base64, key.base64_len);

			if (type != NULL && base64 != NULL)
				run(t, type, base64, true);
			free(type);
			free(base64);
			n++;
		}
	}
	return n;
}

static void
sum_up(struct trial *t, unsigned keys)
{
	if (t->over)
		return;
	check_tell(t->c, CHECK_OK, name, NULL, "run as sshd runs it, as "
	    "'%s', it decides in %lld ms; %u of her keys tried", t->as,
	    (long long)t->least, keys);
	if (t->least > NOTED_MS)
		check_tell(t->c, CHECK_NOTE, "helper-time", NULL, "it takes "
		    "%lld ms at best, and sshd makes more of that: it pads "
		    "what is over 5 ms by doubling", (long long)t->least);
}

/* Keys that sshd itself refuses before it asks anybody. */
static void
check_types(struct check *c, const struct mk_buf *lines)
{
	const char *s = text_of(lines), *end = s + lines->len, *lf;
	struct mk_sshkey parsed;
	struct check_key key;
	struct mk_arena a;
	struct mk_why why;
	unsigned told = 0;

	for (; s < end && told < TOLD_MAX; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			break;
		mk_arena_init(&a, LINES_MAX);
		if (check_line_key(s, (size_t)(lf - s), &key) &&
		    mk_sshkey_parse_text(&a, key.type, key.type_len + 1 +
		    key.base64_len, &parsed, NULL) == 0 &&
		    check_sshd_takes(c, parsed.type, parsed.rsa_bits,
		    &why) != 0) {
			check_tell(c, CHECK_FAIL, "key-types", NULL, "a key "
			    "of hers is of no use here: %s", why.detail);
			told++;
		}
		mk_arena_release(&a);
	}
	if (told == 0 && lines->len > 0)
		check_tell(c, CHECK_OK, "key-types", NULL, "sshd takes keys "
		    "of the types that she has");
}

static void
try_all(struct trial *t)
{
	struct check_person person = *t->person;
	unsigned keys = 0;
	struct mk_buf lines;

	mk_buf_init(&lines, LINES_MAX);
	if (meshkeys_apart(t->c->m, decide, &person, &lines) != 0)
		check_tell_why(t->c, CHECK_FAIL, "decision", &t->c->m->why);
	else if (lines.len == 0)
		check_tell(t->c, CHECK_WARN, "decision", NULL, "she has no "
		    "key that is printed now; meshkeys explain says why");
	else
		check_tell(t->c, CHECK_OK, "decision", NULL, "she has keys "
		    "that are printed");
	check_types(t->c, &lines);
	if (t->ours && lines.len > 0)
		keys = run_hers(t, &lines);
	if (!t->over)
		run_nobodys(t);
	sum_up(t, keys);
	mk_buf_release(&lines);
}

void
check_helper(struct check *c, const struct check_person *person)
{
	struct trial t = { .c = c, .person = person, .least = -1 };

	t.command = mk_sshd_get(c->settings, "authorizedkeyscommand", 0);
	t.as = mk_sshd_get(c->settings, "authorizedkeyscommanduser", 0);
	if (t.command == NULL || strcmp(t.command, "none") == 0 ||
	    t.as == NULL || strcmp(t.as, "none") == 0) {
		check_tell(c, CHECK_SKIPPED, name, NULL, "sshd runs no "
		    "AuthorizedKeysCommand for '%s'", person->name);
		return;
	}
	t.ours = check_is_ours(t.command);
	try_all(&t);
}
