/* SPDX-License-Identifier: ISC */
/*
 * meshman /personal: a profile, and its account.
 *
 * The keys are written first, then the profile, then state.json, which says
 * that there is one; only then is anything published.  Interrupted, or with
 * a portal that does not answer, the same word goes on where it stopped,
 * with the same keys.
 */
#include <config.h>

#include <sodium.h>
#include <string.h>

#include "cmd/meshman.h"

#define NAME_MAX_LEN	4096u
#define BODY_MAX	(8u << 20)

/* What is being made. */
struct birth {
	struct meshman *m;
	struct mk_arena arena;
	struct mk_secret master, online, device;
	struct mk_envelope envelope;	/* the DeviceProfile */
};

static int
take_account(struct meshman *m)
{
	struct meshman_state *s = &m->state;
	struct mk_account account;

	if (!mk_account_parse(m->args[0], strlen(m->args[0]), &account))
		return mk_fail(&m->why, MK_E_USAGE, "account", "an account "
		    "is a name and a domain, as in 'alice@example.com'");
	if (s->has_account && strcmp(s->account.text, account.text) != 0)
		return mk_fail(&m->why, MK_E_CONFIG, "account", "this "
		    "profile has the account '%s' already",
		    s->account.text);
	s->account = account;
	s->has_account = true;
	return 0;
}

/* The key that is there, or a new one. */
static int
have_key(struct meshman *m, const char *name, bool passphrase,
    struct mk_secret *ret_secret)
{
	struct mk_keyfile_info info;
	struct mk_secret secret;
	char *pass = NULL;
	int e;

	e = mk_keyfile_look(&m->home, name, &info, &m->why);
	if (e != MK_E_ABSENT)
		return e == 0 ? meshman_key(m, name, ret_secret) : e;
	if (passphrase && (e = meshman_new_passphrase(m, &pass)) != 0)
		return e;
	if ((e = mk_secret_new(&secret, &m->why)) == 0) {
		e = mk_keyfile_write(&m->home, name, &secret, pass, &m->why);
		if (e == 0)
			*ret_secret = secret;
		else
			mk_secret_free(&secret);
	}
	sodium_free(pass);
	return e;
}

static bool
has_file(struct meshman *m, const char *name)
{
	struct mk_file file;
	int e = mk_home_read(&m->home, name, MK_SET_MAX, &file, NULL);

	if (e == 0)
		mk_file_release(&file);
	return e != MK_E_ABSENT;
}

/* What belongs to a profile that state.json does not know. */
static int
check_fresh(struct meshman *m)
{
	if (has_file(m, "request.json"))
		return mk_fail(&m->why, MK_E_CONFIG, "profile", "this device "
		    "has asked to join a profile; run: meshman /complete; to "
		    "give that up, remove '%s/request.json'", m->home.path);
	if (has_file(m, "profile.json") && !has_file(m, MESHMAN_MASTER))
		return mk_fail(&m->why, MK_E_CONFIG, "profile", "there is a "
		    "profile.json in '%s', but no state.json that says what "
		    "it is; restore that from a backup, or move all away",
		    m->home.path);
	return 0;
}

static int
first_version(struct birth *b)
{
	struct meshman *m = b->m;
	const struct mk_signer master = mk_secret_signer(&b->master);
	const struct mk_signer online = mk_secret_signer(&b->online);
	const struct mk_draft_birth birth = { .master = &master,
	    .online = b->online.pub, .device = b->envelope,
	    .now = meshman_now() };
	struct mk_draft_signing signing = { .online = &online,
	    .now = birth.now, .build_time = MK_BUILD_TIME,
	    .expires = birth.now + MESHMAN_EXPIRES };
	struct mk_draft *draft;
	struct mk_bytes set;
	enum mk_news news;
	struct mk_buf out;
	int e;

	randombytes_buf(signing.random, sizeof(signing.random));
	mk_buf_init(&out, MK_SET_MAX);
	if ((e = mk_draft_first(&b->arena, &birth, &draft, &m->why)) == 0 &&
	    (e = mk_draft_sign(draft, &signing, &out, &m->why)) == 0 &&
	    (e = mk_buf_check(&out, &m->why, "set")) == 0) {
		set = (struct mk_bytes){ (uint8_t *)out.data, out.len };
		e = meshman_profile_take(m, &set, &news);
	}
	mk_buf_release(&out);
	return e;
}

/* One that a crash kept from state.json is taken up as it is. */
static int
have_profile(struct birth *b)
{
	struct meshman *m = b->m;

	m->state.master = b->master.pub.udf;
	if (has_file(m, "profile.json"))
		return meshman_profile_read(m);
	return first_version(b);
}

/* state.json last; it does not yet speak of the account. */
static int
write_state(struct meshman *m)
{
	struct meshman_state *s = &m->state;
	const bool has_account = s->has_account;
	int e;

	s->has_profile = s->admin = true;
	s->has_account = false;
	e = meshman_state_write(m);
	s->has_account = has_account;
	return e;
}

static int
make(struct birth *b)
{
	struct meshman *m = b->m;
	int e;

	if ((e = check_fresh(m)) != 0 ||
	    (e = have_key(m, MESHMAN_MASTER, true, &b->master)) != 0 ||
	    (e = meshman_device_have(m, &b->arena, &b->device,
	    &b->envelope)) != 0 ||
	    (e = have_key(m, MESHMAN_ONLINE, false, &b->online)) != 0 ||
	    (e = have_profile(b)) != 0)
		return e;
	return write_state(m);
}

static int
create(struct meshman *m)
{
	struct birth b = { .m = m };
	int e;

	mk_arena_init(&b.arena, mk_verify_memory(MK_SET_MAX));
	e = make(&b);
	mk_secret_free(&b.online);
	mk_secret_free(&b.device);
	mk_secret_free(&b.master);
	mk_arena_release(&b.arena);
	return e;
}

/* Before any key is made: a name that is taken can be chosen again. */
static int
validate(struct meshman *m)
{
	struct mk_answer answer;
	const char *reason;
	struct mk_arena a;
	struct mk_buf body;
	bool valid = false;
	int e;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_buf_init(&body, NAME_MAX_LEN);
	mk_validate_write(&m->state.account, &body);
	if ((e = meshman_transact(m, "ValidateAccount", &body, &a,
	    &answer)) == 0 &&
	    (e = meshman_misanswered(m, mk_answer_valid(&a, &answer, &valid,
	    &reason, &m->why))) == 0 && !valid)
		e = mk_fail(&m->why, MK_E_REFUSED, "account", "'%s' does not "
		    "take '%s'%s%s", m->state.portal, m->state.account.text,
		    reason[0] != '\0' ? ": " : "", reason);
	mk_buf_release(&body);
	mk_arena_release(&a);
	return e == MESHMAN_E_CONFLICT ? MK_E_REFUSED : e;
}

static int
judge_clock(struct meshman *m, const struct mk_answer *answer)
{
	int64_t there, apart;
	int e;

	e = meshman_misanswered(m, mk_answer_time(answer, &there, &m->why));
	if (e != 0)
		return e;
	apart = there - meshman_now();
	if (apart >= -MK_REQUEST_SLACK && apart <= MK_REQUEST_SLACK)
		return 0;
	return mk_fail(&m->why, MK_E_STALE, "clock", "this clock and that of "
	    "'%s' are %lld seconds apart: set it, and run this again",
	    m->state.portal, (long long)(apart < 0 ? -apart : apart));
}

/* Before anything is dated: the times of a profile never go back. */
static int
compare_clocks(struct meshman *m)
{
	struct mk_answer answer;
	struct mk_arena a;
	struct mk_buf body;
	int e;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_buf_init(&body, NAME_MAX_LEN);
	mk_hello_write(&body);
	if ((e = meshman_transact(m, "Hello", &body, &a, &answer)) == 0)
		e = judge_clock(m, &answer);
	mk_buf_release(&body);
	mk_arena_release(&a);
	return e == MESHMAN_E_CONFLICT ? MK_E_STALE : e;
}

static int
post_account(struct meshman *m, const struct mk_secret *online)
{
	const struct mk_bytes set = { m->profile.set.data,
	    m->profile.set.len };
	struct mk_signing signing;
	struct mk_answer answer;
	struct mk_buf name, body;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(MK_SET_MAX));
	mk_buf_init(&name, NAME_MAX_LEN);
	mk_buf_init(&body, BODY_MAX);
	if ((e = meshman_signing(m, online, &name, &signing)) == 0 &&
	    (e = mk_create_write(&a, &signing, &set, &body, &m->why)) == 0)
		e = meshman_transact(m, "CreateAccount", &body, &a, &answer);
	mk_buf_release(&body);
	mk_buf_release(&name);
	mk_arena_release(&a);
	return e;
}

static void
hint_again(struct meshman *m, bool taken)
{
	mk_buf_puts(&m->hint, "the profile is made, and not published; to "
	    "publish it, run:\n    meshman /personal ");
	mk_buf_puts(&m->hint, taken ? "ANOTHER-ACCOUNT" :
	    m->state.account.text);
	mk_buf_putc(&m->hint, '\n');
}

/* Signed transactions are dated, so that a portal's log names the device. */
static int
attach(struct meshman *m)
{
	struct mk_secret online;
	int e;

	if ((e = meshman_key(m, MESHMAN_ONLINE, &online)) != 0)
		return e;
	e = post_account(m, &online);
	mk_secret_free(&online);
	if (e == 0)
		return meshman_state_write(m);
	hint_again(m, e == MESHMAN_E_CONFLICT);
	if (e == MESHMAN_E_CONFLICT)
		e = m->why.code = MK_E_REFUSED;
	return e;
}

static void
tell_json(struct meshman *m, bool made)
{
	mk_buf_puts(&m->out, "{\"word\":\"personal\"");
	show_json_udf(&m->out, "fingerprint", &m->state.master);
	show_json_udf(&m->out, "device", &m->state.device);
	show_json_string(&m->out, "name", m->state.name,
	    strlen(m->state.name));
	show_json_bool(&m->out, "made", made);
	show_json_bool(&m->out, "published", m->state.has_account);
	if (m->state.has_account) {
		show_json_string(&m->out, "account", m->state.account.text,
		    strlen(m->state.account.text));
		show_json_string(&m->out, "portal", m->state.portal,
		    strlen(m->state.portal));
	}
	mk_buf_puts(&m->out, "}\n");
}

static int
tell(struct meshman *m, bool made)
{
	char udf[MK_UDF_TEXT + 1];
	int e;

	if (m->opt.json) {
		tell_json(m, made);
		return 0;
	}
	mk_udf_format(&m->state.master, udf);
	if ((e = meshman_put_qr(m, udf)) != 0)
		return e;
	mk_buf_puts(&m->out, "your profile: ");
	mk_buf_puts(&m->out, udf);
	if (m->state.has_account) {
		mk_buf_puts(&m->out, "\npublished as ");
		mk_buf_puts(&m->out, m->state.account.text);
		mk_buf_puts(&m->out, " at ");
		mk_buf_puts(&m->out, m->state.portal);
	} else {
		mk_buf_puts(&m->out, "\nnot published; to publish it, run: "
		    "meshman /personal ACCOUNT");
	}
	mk_buf_puts(&m->out, "\n\nfor the administrator of a host:\n"
	    "    meshkeys map add YOUR-NAME-THERE ");
	mk_buf_puts(&m->out, udf);
	mk_buf_puts(&m->out, "\n\nnext: 'meshman /ssh' gives this device an "
	    "SSH key,\n      ");
	mk_buf_puts(&m->out, m->state.has_account ?
	    "'meshman /pin' connects another\n" :
	    "'meshman /export' hands the profile on\n");
	return 0;
}

/* There is one already: it can only be published. */
static int
go_on(struct meshman *m)
{
	char udf[MK_UDF_TEXT + 1];
	int e;

	mk_udf_format(&m->state.master, udf);
	if (m->n_args == 0)
		return mk_fail(&m->why, MK_E_CONFIG, "profile", "there is a "
		    "profile already: %s; another one needs a state "
		    "directory of its own: set XDG_DATA_HOME", udf);
	if ((e = take_account(m)) != 0 ||
	    (e = meshman_profile_read(m)) != 0)
		return e;
	if (!m->state.admin || !meshman_is_admin(m, &m->state.device))
		return mk_fail(&m->why, MK_E_PERM, "profile", "this device "
		    "does not administer the profile %s", udf);
	if ((e = meshman_portal(m)) != 0 || (e = attach(m)) != 0)
		return e;
	return tell(m, false);
}

int
meshman_personal(struct meshman *m)
{
	int e;

	if (m->state.has_profile)
		return go_on(m);
	if (m->n_args > 0 && ((e = take_account(m)) != 0 ||
	    (e = meshman_portal(m)) != 0 || (e = validate(m)) != 0 ||
	    (e = compare_clocks(m)) != 0))
		return e;
	if ((e = create(m)) != 0)
		return e;
	if (m->n_args > 0 && (e = attach(m)) != 0)
		return e;
	return tell(m, true);
}
