/* SPDX-License-Identifier: ISC */
/*
 * results.json: answers to connection requests, signed and kept until the
 * portal has them.
 *
 * An acceptance tells a device that it is in the profile.  It is sent only
 * after the profile has moved on from the version that it was made on
 * ("Base"); one whose publish never came about is dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/json.h"
#include "core/members.h"

#define RESULTS		"results.json"
#define RESULTS_MAX	(4u << 20)
#define RESULTS_COUNT	1024u
#define PAYLOAD_MAX	4096u
#define BODY_MAX	(64u << 10)

static int
seal(struct meshman *m, struct mk_arena *a, const struct mk_secret *online,
    const struct mk_connection_result *result, struct mk_envelope *ret_env)
{
	struct mk_buf text;
	int e;

	mk_buf_init(&text, PAYLOAD_MAX);
	mk_connection_result_write(result, &online->pub.udf, &text);
	e = meshman_seal(m, a, online, &text, ret_env);
	mk_buf_release(&text);
	return e;
}

static int
put_result(struct meshman *m, struct mk_arena *a,
    const struct mk_secret *online, const struct meshman_result *r,
    struct mk_buf *out)
{
	uint8_t witness[MK_WITNESS];
	struct mk_envelope env;
	int e;

	if ((e = seal(m, a, online, &r->result, &env)) != 0)
		return e;
	mk_buf_puts(out, "{\"SignedConnectionResult\":");
	mk_envelope_write(&env, out);
	if (r->pin != NULL) {
		mk_witness_make(r->pin, MK_WITNESS_RESULT, env.digest,
		    witness);
		mk_buf_putc(out, ',');
		mk_put_bytes(out, "Witness", witness, sizeof(witness));
	}
	mk_buf_puts(out, r->result.accepted ? ",\"Accepted\":true}" :
	    ",\"Accepted\":false}");
	return 0;
}

static int
write_file(struct meshman *m, const struct mk_buf *out)
{
	int e = mk_buf_check(out, &m->why, "results");

	return e != 0 ? e : mk_home_write(&m->home, RESULTS, out->data,
	    out->len, &m->why);
}

static int
keep(struct meshman *m, const struct mk_secret *online,
    const struct meshman_result *results, size_t n)
{
	struct mk_arena a;
	struct mk_buf out;
	size_t i;
	int e = 0;

	mk_arena_init(&a, RESULTS_MAX);
	mk_buf_init(&out, RESULTS_MAX);
	mk_buf_puts(&out, "{");
	mk_put_bytes(&out, "Base", m->profile.view->version.personal,
	    MK_DIGEST);
	mk_buf_puts(&out, ",\"Results\":[");
	for (i = 0; e == 0 && i < n; i++) {
		if (i > 0)
			mk_buf_puts(&out, ",\n");
		e = put_result(m, &a, online, &results[i], &out);
	}
	mk_buf_puts(&out, "]}\n");
	if (e == 0)
		e = write_file(m, &out);
	mk_buf_release(&out);
	mk_arena_release(&a);
	return e;
}

int
meshman_results_keep(struct meshman *m, const struct meshman_result *results,
    size_t n)
{
	struct mk_secret online;
	int e;

	if (n == 0)
		return meshman_results_drop(m);
	if (n > RESULTS_COUNT)
		return mk_fail(&m->why, MK_E_REFUSED, "results",
		    "more than %u answers at once", RESULTS_COUNT);
	if ((e = meshman_key(m, MESHMAN_ONLINE, &online)) != 0)
		return e;
	e = keep(m, &online, results, n);
	mk_secret_free(&online);
	return e;
}

int
meshman_results_drop(struct meshman *m)
{
	return mk_home_remove(&m->home, RESULTS, &m->why);
}

/* The file, parsed. */
struct kept {
	struct mk_file file;
	struct mk_arena arena;
	struct mk_json_notes notes;
	uint8_t base[MK_DIGEST];
	const struct mk_json *list;
};

static int
parse(struct kept *k, struct mk_why *why)
{
	const struct mk_json_text text = { .s = (const char *)k->file.data,
	    .len = k->file.len, .stage = "results", .notes = &k->notes };
	struct mk_at at = { .stage = "results", .arena = &k->arena,
	    .why = why };
	int e;

	if ((e = mk_json_parse(&k->arena, &text, &at.obj, why)) != 0 ||
	    (e = mk_at_object(&at)) != 0 ||
	    (e = mk_at_exact(&at, "Base", MK_DIGEST, k->base)) != 0)
		return e;
	return mk_at_array(&at, "Results", MK_REQUIRED, RESULTS_COUNT,
	    &k->list);
}

static void
close_kept(struct kept *k)
{
	mk_arena_release(&k->arena);
	mk_file_release(&k->file);
}

/* MK_E_ABSENT: there are none. */
static int
open_kept(struct meshman *m, struct kept *ret_kept)
{
	struct kept k = { .list = NULL };
	struct mk_why why = { 0 };
	int e;

	e = mk_home_read(&m->home, RESULTS, RESULTS_MAX, &k.file, &m->why);
	if (e != 0)
		return e == MK_E_TOOBIG ? MK_E_SYSTEM : e;
	mk_arena_init(&k.arena, mk_verify_memory(RESULTS_MAX));
	if (parse(&k, &why) != 0) {
		close_kept(&k);
		return mk_fail(&m->why, MK_E_SYSTEM, "results", "cannot use "
		    "'%s/" RESULTS "': %s", m->home.path, why.detail);
	}
	*ret_kept = k;
	return 0;
}

static bool
is_accepted(const struct mk_json *element)
{
	const struct mk_json *m = mk_json_member(element, "Accepted");

	return m == NULL || m->type != MK_JSON_FALSE;
}

/* The body of one ConnectComplete. */
static int
write_body(struct meshman *m, struct kept *k, const struct mk_json *element,
    const struct mk_signing *signing, struct mk_buf *body)
{
	const struct mk_envelope_place place = { .stage = "results",
	    .notes = &k->notes, .tag = "ConnectionResult" };
	const struct mk_at at = { .obj = element, .stage = "results",
	    .arena = &k->arena, .why = &m->why };
	uint8_t witness[MK_WITNESS];
	struct mk_result_out out = { 0 };
	const struct mk_json *obj;
	struct mk_envelope env;
	int e;

	if ((e = mk_at_object(&at)) != 0 ||
	    (e = mk_at_member(&at, "SignedConnectionResult", MK_JSON_OBJECT,
	    MK_REQUIRED, &obj)) != 0 ||
	    (e = mk_envelope_open(&k->arena, obj, &place, &env,
	    &m->why)) != 0)
		return e;
	out.result = &env;
	if (mk_json_member(element, "Witness") != NULL) {
		e = mk_at_exact(&at, "Witness", MK_WITNESS, witness);
		if (e != 0)
			return e;
		out.witness = witness;
	}
	return mk_complete_write(&k->arena, signing, &out, body, &m->why);
}

/* A portal that does not want it has no use for it later either. */
static int
send_one(struct meshman *m, struct kept *k, const struct mk_secret *online,
    const struct mk_json *element)
{
	struct mk_signing signing;
	struct mk_answer answer;
	struct mk_buf name, body;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_buf_init(&name, BODY_MAX);
	mk_buf_init(&body, BODY_MAX);
	if ((e = meshman_signing(m, online, &name, &signing)) != 0 ||
	    (e = write_body(m, k, element, &signing, &body)) != 0)
		goto out;
	e = meshman_transact(m, "ConnectComplete", &body, &a, &answer);
	if (e != 0 && e != MK_E_STALE && e != MK_E_SYSTEM) {
		meshman_warn("an answer to a request was not delivered: %s",
		    m->why.detail);
		m->lost = true;
		e = 0;
	}
out:
	mk_buf_release(&body);
	mk_buf_release(&name);
	mk_arena_release(&a);
	return e;
}

static int
send_all(struct meshman *m, struct kept *k, bool published)
{
	const struct mk_json *element;
	struct mk_secret online;
	int e;

	if ((e = meshman_key(m, MESHMAN_ONLINE, &online)) != 0)
		return e;
	for (element = k->list->child; e == 0 && element != NULL;
	    element = element->next) {
		if (published || !is_accepted(element))
			e = send_one(m, k, &online, element);
	}
	mk_secret_free(&online);
	if (e == 0)
		return meshman_results_drop(m);
	if (e == MK_E_STALE)
		mk_buf_puts(&m->hint, "an answer to a request is kept here, "
		    "and sent by the next word that changes something\n");
	return e;
}

int
meshman_results_send(struct meshman *m)
{
	struct kept k;
	int e = open_kept(m, &k);

	if (e != 0)
		return e == MK_E_ABSENT ? 0 : e;
	e = send_all(m, &k, true);
	close_kept(&k);
	return e;
}

static bool
is_published(const struct meshman *m, const struct kept *k)
{
	return memcmp(k->base, m->profile.view->version.personal,
	    MK_DIGEST) != 0;
}

int
meshman_results_forsake(struct meshman *m)
{
	struct kept k;
	bool published;
	int e = open_kept(m, &k);

	if (e != 0)
		return e == MK_E_ABSENT ? 0 : e;
	published = is_published(m, &k);
	close_kept(&k);
	return published ? 0 : meshman_results_drop(m);
}

int
meshman_results_resume(struct meshman *m)
{
	struct kept k;
	int e = open_kept(m, &k);

	if (e != 0)
		return e == MK_E_ABSENT ? 0 : e;
	e = send_all(m, &k, is_published(m, &k));
	close_kept(&k);
	return e;
}
