/* SPDX-License-Identifier: ISC */
/*
 * One table says which members a transaction has and whether it must be
 * signed; what is not in it is no transaction.
 */
#include "core/request.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/set.h"
#include "core/timestamp.h"

#define STAGE		"request"

typedef int read_fn(const struct mk_at *, struct mk_request *);

static int
refuse(const struct mk_at *at, const char *what)
{
	return mk_fail(at->why, MK_E_REFUSED, at->stage, "%s", what);
}

static int
read_nothing(const struct mk_at *at, struct mk_request *req)
{
	(void)at;
	(void)req;
	return 0;
}

/* Whatever a person typed: the answer says whether it is an account. */
static int
read_any_account(const struct mk_at *at, struct mk_request *req)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, "Account", MK_JSON_STRING, MK_REQUIRED, &m);
	if (r == 0)
		req->has_account = mk_account_parse(m->str, m->len,
		    &req->account);
	return r;
}

static int
read_account(const struct mk_at *at, struct mk_request *req)
{
	int r = read_any_account(at, req);

	if (r == 0 && !req->has_account)
		r = refuse(at, "'Account' is not the name of an account");
	return r;
}

static int
read_udf(const struct mk_at *at, const char *name, struct mk_request *req)
{
	int r = mk_at_udf(at, name, MK_UDF_KEY, &req->udf);

	req->has_udf = r == 0;
	return r;
}

static int
read_get(const struct mk_at *at, struct mk_request *req)
{
	bool account = mk_json_member(at->obj, "Account") != NULL;

	/* They could name two profiles. */
	if (account == (mk_json_member(at->obj, "Identifier") != NULL))
		return refuse(at,
		    "not exactly one of 'Account' and 'Identifier'");
	return account ? read_account(at, req) :
	    read_udf(at, "Identifier", req);
}

static int
read_entries(const struct mk_at *at, struct mk_request *req)
{
	return mk_at_array(at, "Entries", MK_REQUIRED, MK_ENTRIES_MAX,
	    &req->entries);
}

static int
read_create(const struct mk_at *at, struct mk_request *req)
{
	int r = read_account(at, req);

	return r != 0 ? r : read_entries(at, req);
}

/* A signed object and, if a PIN was used, the proof beside it. */
static int
read_object(const struct mk_at *at, const char *name, struct mk_request *req)
{
	int r;

	if ((r = read_account(at, req)) != 0 ||
	    (r = mk_at_member(at, name, MK_JSON_OBJECT, MK_REQUIRED,
	    &req->object)) != 0)
		return r;
	if (mk_json_member(at->obj, "Witness") == NULL)
		return 0;
	r = mk_at_exact(at, "Witness", MK_WITNESS, req->witness);
	req->has_witness = r == 0;
	return r;
}

static int
read_start(const struct mk_at *at, struct mk_request *req)
{
	return read_object(at, "SignedConnectionRequest", req);
}

static int
read_complete(const struct mk_at *at, struct mk_request *req)
{
	return read_object(at, "SignedConnectionResult", req);
}

static int
read_status(const struct mk_at *at, struct mk_request *req)
{
	int r = read_account(at, req);

	return r != 0 ? r : read_udf(at, "DeviceUDF", req);
}

static int
read_changes(const struct mk_at *at, struct mk_request *req)
{
	const struct mk_json *list;
	uint64_t wait;
	int r;

	if ((r = mk_at_printable(at, "Store", 0, MK_CHANGES_STORE,
	    &req->store)) != 0 ||
	    (r = mk_at_number(at, "Since", &req->since)) != 0 ||
	    (r = mk_at_number(at, "Wait", &wait)) != 0 ||
	    (r = mk_at_member(at, "Identifiers", MK_JSON_ARRAY, MK_REQUIRED,
	    &list)) != 0)
		return r;
	if (wait > MK_CHANGES_WAIT)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Wait' is over the limit of %u seconds",
		    MK_CHANGES_WAIT);
	req->wait = (unsigned)wait;
	return mk_at_udfs(at, "Identifiers", MK_CHANGES_IDS, &req->udfs,
	    &req->n_udfs);
}

static const struct {
	const char *name;
	bool is_signed;
	read_fn *read;
} forms[MK_TRANSACTIONS] = {
	[MK_HELLO] = { "Hello", false, read_nothing },
	[MK_VALIDATE_ACCOUNT] = { "ValidateAccount", false,
	    read_any_account },
	[MK_CREATE_ACCOUNT] = { "CreateAccount", true, read_create },
	[MK_DELETE_ACCOUNT] = { "DeleteAccount", true, read_account },
	[MK_GET] = { "Get", false, read_get },
	[MK_PUBLISH] = { "Publish", false, read_entries },
	[MK_CONNECT_START] = { "ConnectStart", false, read_start },
	[MK_CONNECT_PENDING] = { "ConnectPending", true, read_account },
	[MK_CONNECT_COMPLETE] = { "ConnectComplete", true, read_complete },
	[MK_CONNECT_STATUS] = { "ConnectStatus", false, read_status },
	[MK_CHANGES] = { "Changes", false, read_changes },
};

const char *
mk_transaction_name(enum mk_transaction what)
{
	return forms[what].name;
}

/* The transaction that a member's name says. */
static int
find_form(const struct mk_at *at, bool is_signed, struct mk_request *req)
{
	size_t i;

	for (i = 0; i < MK_TRANSACTIONS; i++) {
		if (strlen(forms[i].name) == at->obj->name_len &&
		    memcmp(forms[i].name, at->obj->name,
		    at->obj->name_len) == 0)
			break;
	}
	if (i == MK_TRANSACTIONS)
		return refuse(at, "there is no such transaction");
	/* One that need not be signed proves nothing by being it. */
	if (forms[i].is_signed != is_signed)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' must %sbe signed", forms[i].name,
		    is_signed ? "not " : "");
	req->what = (enum mk_transaction)i;
	req->is_signed = is_signed;
	return 0;
}

/* What every signed transaction has besides its own members. */
static int
read_signed_part(const struct mk_at *at, struct mk_signed_part *sig)
{
	struct mk_udf id;
	int r;

	if ((r = mk_at_udf(at, "Identifier", MK_UDF_KEY, &id)) != 0 ||
	    (r = mk_at_printable(at, "Portal", 1, MK_STRING_MAX,
	    &sig->portal)) != 0 ||
	    (r = mk_at_exact(at, "Nonce", sizeof(sig->nonce),
	    sig->nonce)) != 0 ||
	    (r = mk_at_time(at, "Time", MK_REQUIRED, &sig->time)) != 0)
		return r;
	/* What is signed names no other signer than the envelope does. */
	if (mk_udf_cmp(&id, &sig->envelope.kid) != 0)
		return refuse(at, "'Identifier' is not the key that 'kid' "
		    "names");
	return 0;
}

/* From {"SignedRequest": E} to the transaction that E covers. */
static int
open_signed(struct mk_at *at, struct mk_json_notes *outer,
    struct mk_request *req)
{
	struct mk_envelope_place place = { .stage = STAGE,
	    .notes = &req->notes };
	struct mk_envelope *env = &req->sig.envelope;
	int r;

	mk_envelope_claim(at->obj, outer);
	if ((r = mk_json_settle(outer, STAGE, at->why)) != 0 ||
	    (r = mk_envelope_open(at->arena, at->obj, &place, env,
	    at->why)) != 0)
		return r;
	if (env->gen != MK_GEN_CURRENT)
		return refuse(at, "the signature is not of the current form");
	if ((r = mk_envelope_body(at->arena, env, &place, &at->obj,
	    at->why)) != 0 ||
	    (r = find_form(at, true, req)) != 0)
		return r;
	return read_signed_part(at, &req->sig);
}

/*
 * Nothing is long but payloads of envelopes; these are claimed in a copy,
 * since whoever opens them claims again.
 */
static int
check_text(const struct mk_at *at, const struct mk_request *req)
{
	struct mk_json_notes notes = req->notes;
	struct mk_set set;
	int r;

	if (req->entries != NULL && (r = mk_set_entries(req->entries, &notes,
	    &set, at->why)) != 0)
		return r;
	if (req->object != NULL)
		mk_envelope_claim(req->object, &notes);
	return mk_json_settle(&notes, STAGE, at->why);
}

int
mk_request_read(struct mk_arena *a, const struct mk_bytes *body,
    struct mk_request *ret_request, struct mk_why *why)
{
	struct mk_at at = { .stage = STAGE, .arena = a, .why = why };
	struct mk_json_notes notes = { 0 };
	const struct mk_json_text text = {
		.s = (const char *)body->data,
		.len = body->len,
		.stage = STAGE,
		.notes = &notes
	};
	struct mk_request req = { 0 };
	int r;

	if ((r = mk_json_parse(a, &text, &at.obj, why)) != 0)
		return r;
	if (mk_at_tagged(&at, "SignedRequest", &at.obj) == 0) {
		r = open_signed(&at, &notes, &req);
	} else if ((r = mk_at_tagged(&at, NULL, &at.obj)) == 0) {
		req.notes = notes;
		r = find_form(&at, false, &req);
	}
	if (r != 0 ||
	    (r = mk_at_object(&at)) != 0 ||
	    (r = forms[req.what].read(&at, &req)) != 0 ||
	    (r = check_text(&at, &req)) != 0)
		return r;
	*ret_request = req;
	return 0;
}

int
mk_request_verify(const struct mk_request *req, const struct mk_pubkey *keys,
    size_t n, struct mk_why *why)
{
	const struct mk_envelope *env = &req->sig.envelope;
	size_t i;

	if (!req->is_signed)
		return mk_fail(why, MK_E_REFUSED, STAGE, "it is not signed");
	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&keys[i].udf, &env->kid) == 0)
			return mk_envelope_verify(env, &keys[i], STAGE, why);
	}
	return mk_fail(why, MK_E_REFUSED, STAGE,
	    "signed by no key that may");
}

int
mk_request_set(struct mk_arena *a, const struct mk_request *req,
    struct mk_buf *out, struct mk_why *why)
{
	struct mk_json_notes notes = req->notes;
	struct mk_chosen chosen;
	struct mk_set set;
	int r;

	if ((r = mk_set_entries(req->entries, &notes, &set, why)) != 0 ||
	    (r = mk_set_choose(a, &set, &chosen, why)) != 0)
		return r;
	/* Their signatures differ, and only one may be right. */
	if (chosen.repeated)
		return mk_fail(why, MK_E_REFUSED, "set", "two of "
		    "'SignedApplicationProfile' for one application");
	mk_set_write(&chosen.personal, chosen.apps, chosen.n_apps, out);
	return mk_buf_check(out, why, "set");
}

void
mk_response_begin(enum mk_transaction what, int status,
    const char *description, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"");
	mk_buf_puts(out, forms[what].name);
	mk_buf_puts(out, "Response\":{\"Status\":");
	mk_buf_putu(out, (uint64_t)status);
	if (description != NULL) {
		mk_buf_putc(out, ',');
		mk_put_text(out, "StatusDescription", description,
		    strlen(description));
	}
}

void
mk_response_end(struct mk_buf *out)
{
	mk_buf_puts(out, "}}");
}
