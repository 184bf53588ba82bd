/* SPDX-License-Identifier: ISC */
/*
 * Requests.  What a signature covers is made first, in a buffer of its own
 * with the maximum of the text that it goes into.
 */
#include "core/transact.h"

#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/set.h"

#define STAGE		"request"

static void
put_account(const struct mk_account *account, struct mk_buf *out)
{
	mk_put_text(out, "Account", account->text, strlen(account->text));
}

void
mk_hello_write(struct mk_buf *out)
{
	mk_buf_puts(out, "{\"Hello\":{}}");
}

void
mk_validate_write(const struct mk_account *account, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"ValidateAccount\":{");
	put_account(account, out);
	mk_buf_puts(out, "}}");
}

void
mk_get_account_write(const struct mk_account *account, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"Get\":{");
	put_account(account, out);
	mk_buf_puts(out, "}}");
}

/*
 * "Entries":[..].  The set may have come from a portal, with anything beside
 * what its writer vouched for: none of that is posted, let alone signed.
 */
static int
put_entries(struct mk_arena *a, const struct mk_bytes *set,
    struct mk_buf *out, struct mk_why *why)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_json_text text = {
		.s = (const char *)set->data,
		.len = set->len,
		.stage = STAGE,
		.notes = &notes
	};
	struct mk_chosen chosen;
	struct mk_set parsed;
	int r;

	if ((r = mk_set_parse(a, &text, &parsed, why)) != 0 ||
	    (r = mk_set_choose(a, &parsed, &chosen, why)) != 0)
		return r;
	mk_entries_write(&chosen.personal, chosen.apps, chosen.n_apps, out);
	return 0;
}

int
mk_publish_write(struct mk_arena *a, const struct mk_bytes *set,
    struct mk_buf *out, struct mk_why *why)
{
	int r;

	mk_buf_puts(out, "{\"Publish\":{");
	if ((r = put_entries(a, set, out, why)) != 0)
		return r;
	mk_buf_puts(out, "}}");
	return mk_buf_check(out, why, STAGE);
}

/* An envelope with the proof beside it, if there is one. */
static void
put_connection(const char *name, const struct mk_envelope *env,
    const uint8_t *witness, struct mk_buf *out)
{
	mk_put_name(out, name);
	mk_envelope_write(env, out);
	if (witness != NULL) {
		mk_buf_putc(out, ',');
		mk_put_bytes(out, "Witness", witness, MK_WITNESS);
	}
}

void
mk_connect_start_write(const struct mk_account *account,
    const struct mk_envelope *request, const uint8_t *witness,
    struct mk_buf *out)
{
	mk_buf_puts(out, "{\"ConnectStart\":{");
	put_account(account, out);
	mk_buf_putc(out, ',');
	put_connection("SignedConnectionRequest", request, witness, out);
	mk_buf_puts(out, "}}");
}

void
mk_connect_status_write(const struct mk_account *account,
    const struct mk_udf *device, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"ConnectStatus\":{");
	put_account(account, out);
	mk_buf_putc(out, ',');
	mk_put_udf(out, "DeviceUDF", device);
	mk_buf_puts(out, "}}");
}

/* {"<transaction>":{..., which further members may follow. */
static void
begin_payload(const char *transaction, const struct mk_signing *s,
    struct mk_buf *payload)
{
	mk_buf_putc(payload, '{');
	mk_put_name(payload, transaction);
	mk_buf_putc(payload, '{');
	mk_put_udf(payload, "Identifier", &s->signer.udf);
	mk_buf_putc(payload, ',');
	mk_put_text(payload, "Portal", s->portal, strlen(s->portal));
	mk_buf_putc(payload, ',');
	put_account(s->account, payload);
	mk_buf_putc(payload, ',');
	mk_put_bytes(payload, "Nonce", s->nonce, sizeof(s->nonce));
	mk_buf_putc(payload, ',');
	mk_put_time(payload, "Time", s->time);
}

/* Ends the payload, signs it, and writes the request. */
static int
sign_payload(struct mk_arena *a, const struct mk_signing *s,
    struct mk_buf *payload, struct mk_buf *out, struct mk_why *why)
{
	struct mk_unsigned what;
	struct mk_envelope env;
	char id[MK_UDF_TEXT + 1];
	int r;

	mk_buf_puts(payload, "}}");
	if ((r = mk_buf_check(payload, why, STAGE)) != 0)
		return r;
	mk_udf_format(&s->signer.udf, id);
	what = (struct mk_unsigned){ .id = id,
	    .payload = (const uint8_t *)payload->data, .len = payload->len };
	if ((r = mk_seal(a, &what, &s->signer, &env, why)) != 0)
		return r;
	mk_buf_puts(out, "{\"SignedRequest\":");
	mk_envelope_write(&env, out);
	mk_buf_putc(out, '}');
	return mk_buf_check(out, why, STAGE);
}

/* One that has nothing but what all have. */
static int
write_plain(struct mk_arena *a, const char *transaction,
    const struct mk_signing *s, struct mk_buf *out, struct mk_why *why)
{
	struct mk_buf payload;
	int r;

	mk_buf_init(&payload, out->max);
	begin_payload(transaction, s, &payload);
	r = sign_payload(a, s, &payload, out, why);
	mk_buf_release(&payload);
	return r;
}

int
mk_create_write(struct mk_arena *a, const struct mk_signing *s,
    const struct mk_bytes *set, struct mk_buf *out, struct mk_why *why)
{
	struct mk_buf payload;
	int r;

	mk_buf_init(&payload, out->max);
	begin_payload("CreateAccount", s, &payload);
	mk_buf_putc(&payload, ',');
	r = put_entries(a, set, &payload, why);
	if (r == 0)
		r = sign_payload(a, s, &payload, out, why);
	mk_buf_release(&payload);
	return r;
}

int
mk_remove_write(struct mk_arena *a, const struct mk_signing *s,
    struct mk_buf *out, struct mk_why *why)
{
	return write_plain(a, "DeleteAccount", s, out, why);
}

int
mk_pending_write(struct mk_arena *a, const struct mk_signing *s,
    struct mk_buf *out, struct mk_why *why)
{
	return write_plain(a, "ConnectPending", s, out, why);
}

int
mk_complete_write(struct mk_arena *a, const struct mk_signing *s,
    const struct mk_result_out *result, struct mk_buf *out,
    struct mk_why *why)
{
	struct mk_buf payload;
	int r;

	mk_buf_init(&payload, out->max);
	begin_payload("ConnectComplete", s, &payload);
	mk_buf_putc(&payload, ',');
	put_connection("SignedConnectionResult", result->result,
	    result->witness, &payload);
	r = sign_payload(a, s, &payload, out, why);
	mk_buf_release(&payload);
	return r;
}
