/* SPDX-License-Identifier: ISC */
/*
 * This device's own connection request.  It is kept before it is sent, so
 * that whatever happens between, the answer finds the request it belongs
 * to; sending it again is always harmless.
 */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "cmd/man_request.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/verify.h"
#include "net/fetch.h"

#define REQUEST		"request.json"
#define REQUEST_MAX	((size_t)MK_FETCH_POST)

void
meshman_filed_release(struct meshman_filed *filed)
{
	sodium_free(filed->pin);
	sodium_free(filed->text);
	mk_arena_release(&filed->arena);
	memset(filed, 0, sizeof(*filed));
}

static int
read_texts(const struct mk_at *at, struct meshman_filed *filed)
{
	const struct mk_json *account, *portal;
	int e;

	if ((e = mk_at_member(at, "Account", MK_JSON_STRING, MK_REQUIRED,
	    &account)) != 0 ||
	    (e = mk_at_member(at, "Portal", MK_JSON_STRING, MK_OPTIONAL,
	    &portal)) != 0)
		return e;
	if (!mk_account_parse(account->str, account->len, &filed->account))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Account' is no account");
	if (portal == NULL)
		return 0;
	filed->portal = mk_arena_dup(&filed->arena, portal->str,
	    portal->len);
	return filed->portal == NULL ?
	    mk_arena_fail(&filed->arena, at->why) : 0;
}

static int
read_pin(const struct mk_at *at, struct meshman_filed *filed)
{
	const struct mk_json *pin;
	int e;

	e = mk_at_member(at, "PIN", MK_JSON_STRING, MK_OPTIONAL, &pin);
	if (e != 0 || pin == NULL)
		return e;
	filed->pin = sodium_malloc(sizeof(*filed->pin));
	if (filed->pin == NULL)
		return mk_fail(at->why, MK_E_SYSTEM, at->stage,
		    "out of memory");
	if (!mk_pin_parse(pin->str, pin->len, filed->pin))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'PIN' is no PIN");
	return 0;
}

static int
parse(struct meshman *m, size_t len, struct meshman_filed *filed)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_json_text text = { .s = (const char *)filed->text,
	    .len = len, .stage = "request", .notes = &notes };
	struct mk_at at = { .stage = "request", .arena = &filed->arena,
	    .why = &m->why };
	const struct mk_json *obj;
	int e;

	if ((e = mk_json_parse(&filed->arena, &text, &at.obj,
	    &m->why)) != 0 ||
	    (e = mk_at_object(&at)) != 0 ||
	    (e = read_texts(&at, filed)) != 0 ||
	    (e = read_pin(&at, filed)) != 0 ||
	    (e = mk_at_member(&at, "SignedConnectionRequest",
	    MK_JSON_OBJECT, MK_REQUIRED, &obj)) != 0)
		return e;
	return mk_connection_request_read(&filed->arena, obj, &notes,
	    &filed->read, &m->why);
}

int
meshman_filed_read(struct meshman *m, struct meshman_filed *ret_filed)
{
	struct meshman_filed filed = { 0 };
	struct mk_guarded file;
	int e;

	e = mk_home_read_secret(&m->home, REQUEST, REQUEST_MAX, &file,
	    &m->why);
	if (e == MK_E_TOOBIG)
		return mk_fail(&m->why, MK_E_SYSTEM, "request",
		    "'%s/" REQUEST "' is too big to be ours", m->home.path);
	if (e != 0)
		return e;
	filed.text = file.data;
	mk_arena_init(&filed.arena, mk_verify_memory(REQUEST_MAX));
	if ((e = parse(m, file.len, &filed)) != 0) {
		struct mk_why why = m->why;

		meshman_filed_release(&filed);
		return mk_fail(&m->why, MK_E_SYSTEM, "request", "'%s/" REQUEST
		    "' is damaged: %s; to give it up, run: rm %s/" REQUEST,
		    m->home.path, why.detail, m->home.path);
	}
	*ret_filed = filed;
	return 0;
}

bool
meshman_filed_lapsed(const struct meshman_filed *filed)
{
	return meshman_now() - filed->read.request.time > MK_CONNECT_LIFE;
}

int
meshman_filed_give_up(struct meshman *m)
{
	struct meshman_filed filed;
	bool lapsed;
	int e;

	if ((e = meshman_filed_read(m, &filed)) != 0)
		return e == MK_E_ABSENT ? 0 : e;
	lapsed = meshman_filed_lapsed(&filed);
	meshman_filed_release(&filed);
	return lapsed ? 0 : meshman_confirm(m, "Another request of this "
	    "device waits for its answer.  Give it up? [y/N] ");
}

/* Everything but the PIN, the brace at its beginning left out. */
static void
write_rest(const struct meshman_filed *filed, struct mk_buf *out)
{
	mk_buf_puts(out, "\"Account\":");
	mk_json_write(filed->account.text, strlen(filed->account.text), out);
	if (filed->portal != NULL) {
		mk_buf_puts(out, ",\"Portal\":");
		mk_json_write(filed->portal, strlen(filed->portal), out);
	}
	mk_buf_puts(out, ",\"SignedConnectionRequest\":");
	mk_envelope_write(&filed->read.envelope, out);
	mk_buf_puts(out, "}\n");
}

/* The PIN never passes through memory that is not guarded. */
static int
write_filed(struct meshman *m, const struct meshman_filed *filed)
{
	static const char before[] = "\"PIN\":\"", behind[] = "\",";
	struct mk_buf rest;
	char *text = NULL;
	size_t n = 0;
	int e;

	mk_buf_init(&rest, REQUEST_MAX - sizeof(before) - sizeof(behind) -
	    sizeof(*filed->pin));
	write_rest(filed, &rest);
	if ((e = mk_buf_check(&rest, &m->why, "request")) != 0)
		goto out;
	if ((text = sodium_malloc(REQUEST_MAX)) == NULL) {
		e = mk_fail(&m->why, MK_E_SYSTEM, "request", "out of memory");
		goto out;
	}
	text[n++] = '{';
	if (filed->pin != NULL) {
		memcpy(text + n, before, sizeof(before) - 1);
		n += sizeof(before) - 1;
		memcpy(text + n, filed->pin->letters, MK_PIN_LETTERS);
		n += MK_PIN_LETTERS;
		memcpy(text + n, behind, sizeof(behind) - 1);
		n += sizeof(behind) - 1;
	}
	memcpy(text + n, rest.data, rest.len);
	e = mk_home_write(&m->home, REQUEST, text, n + rest.len, &m->why);
out:
	sodium_free(text);
	mk_buf_release(&rest);
	return e;
}

int
meshman_filed_remove(struct meshman *m)
{
	return mk_home_remove(&m->home, REQUEST, &m->why);
}

int
meshman_filed_send(struct meshman *m, struct meshman_filed *filed)
{
	uint8_t witness[MK_WITNESS];
	struct mk_answer answer;
	struct mk_arena a;
	struct mk_buf body;
	int e;

	mk_arena_init(&a, mk_verify_memory(REQUEST_MAX));
	mk_buf_init(&body, MK_FETCH_POST);
	if (filed->pin != NULL)
		mk_witness_make(filed->pin, MK_WITNESS_REQUEST,
		    filed->read.envelope.digest, witness);
	mk_connect_start_write(&filed->account, &filed->read.envelope,
	    filed->pin != NULL ? witness : NULL, &body);
	if ((e = mk_buf_check(&body, &m->why, "request")) == 0)
		e = meshman_transact(m, "ConnectStart", &body, &a, &answer);
	filed->sent = filed->sent || e == 0;
	/* For good: no answer will come, and it would bar the next one. */
	if (e == MK_E_REFUSED)
		(void)mk_home_remove(&m->home, REQUEST, NULL);
	mk_buf_release(&body);
	mk_arena_release(&a);
	return e;
}

static void
fill_in(const struct meshman_asking *asking,
    struct mk_connection_request *req)
{
	if (asking->pin != NULL)
		mk_pin_id(asking->pin, req->pin_id);
	if (asking->ssh != NULL) {
		req->has_ssh = true;
		req->ssh = *asking->ssh;
	}
	req->parent = asking->parent;
	randombytes_buf(req->nonce, sizeof(req->nonce));
	req->time = meshman_now();
}

static int
sign(struct meshman *m, const struct meshman_asking *asking,
    struct meshman_filed *filed)
{
	struct mk_connection_request *req = &filed->read.request;
	struct mk_secret device = { 0 };
	struct mk_buf payload;
	int e;

	mk_buf_init(&payload, REQUEST_MAX / 2);
	if ((e = meshman_device_have(m, &filed->arena, &device,
	    &req->envelope)) != 0)
		goto out;
	fill_in(asking, req);
	req->device.id = device.pub.udf;
	req->device.key = device.pub;
	mk_connection_request_write(req, &payload);
	e = meshman_seal(m, &filed->arena, &device, &payload,
	    &filed->read.envelope);
out:
	mk_buf_release(&payload);
	mk_secret_free(&device);
	return e;
}

static int
keep_pin(struct meshman *m, const struct mk_pin *pin,
    struct meshman_filed *filed)
{
	if (pin == NULL)
		return 0;
	filed->pin = sodium_malloc(sizeof(*filed->pin));
	if (filed->pin == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "request",
		    "out of memory");
	*filed->pin = *pin;
	return 0;
}

static int
sign_and_send(struct meshman *m, const struct meshman_asking *asking,
    struct meshman_filed *filed)
{
	int e;

	if ((e = sign(m, asking, filed)) != 0 ||
	    (e = write_filed(m, filed)) != 0)
		return e;
	return meshman_filed_send(m, filed);
}

int
meshman_request_file(struct meshman *m, const struct meshman_asking *asking)
{
	const struct timespec second = { .tv_sec = 1, .tv_nsec = 10000000 };
	struct meshman_filed filed = { .account = m->state.account };
	int e;

	mk_arena_init(&filed.arena, mk_verify_memory(REQUEST_MAX));
	if ((e = meshman_portal(m)) != 0)
		goto out;
	if (!m->state.portal_found)
		filed.portal = m->state.portal;
	if ((e = keep_pin(m, asking->pin, &filed)) == 0 &&
	    (e = sign_and_send(m, asking, &filed)) == MESHMAN_E_CONFLICT) {
		/* Of two requests of one second none is the later one. */
		(void)nanosleep(&second, NULL);
		e = sign_and_send(m, asking, &filed);
	}
	if (e == MESHMAN_E_CONFLICT)
		e = m->why.code = MK_E_REFUSED;
	if (e == 0)
		meshman_filed_tell(m, &filed);
out:
	meshman_filed_release(&filed);
	return e;
}

void
meshman_filed_tell(struct meshman *m, const struct meshman_filed *filed)
{
	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"");
		mk_buf_puts(&m->out, m->word->cmd.name);
		mk_buf_puts(&m->out, "\",\"result\":\"asked\"");
		show_json_udf(&m->out, "master",
		    &filed->read.request.parent);
		show_json_udf(&m->out, "device",
		    &filed->read.request.device.id);
		mk_buf_puts(&m->out, "}\n");
		return;
	}
	mk_buf_puts(&m->out, "asked; on an administration device run:\n"
	    "    meshman /accept ");
	if (filed->pin != NULL)
		mk_buf_puts(&m->out, "/all");
	else
		show_udf(&m->out, &filed->read.request.device.id);
	mk_buf_puts(&m->out, "\nthen here:\n    meshman /complete\n");
}
