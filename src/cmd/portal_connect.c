/* SPDX-License-Identifier: ISC */
/*
 * Devices that ask to be connected.  A request is signed by the key of the
 * device that it brings along, so anybody can file one: it is kept small,
 * few and for a day, and only if an administrator could accept it.  What
 * becomes of it says an online key of the profile, nobody else.
 */
#include <string.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "core/write.h"

#define LATER	600u	/* seconds, until there may be room again */

/* A request as it will wait. */
struct filing {
	struct mk_connection_read read;
	struct portal_pending row;
	struct mk_buf text;
	char origin[PORTAL_ORIGIN];
};

static int
refuse(struct portal_serving *s, int status, const char *what)
{
	(void)mk_fail(&s->why, MK_E_REFUSED, "connect", "%s", what);
	portal_answer(s, status, what);
	return MK_E_REFUSED;
}

/* What no administrator of that profile could accept does not wait. */
static int
check_request(struct portal_serving *s, const struct portal_profile *profile,
    const struct mk_connection_request *req)
{
	int64_t age = s->call->now - req->time;

	if (mk_udf_cmp(&req->parent, &profile->udf) != 0)
		return refuse(s, 400, "'ParentUDF' is not the fingerprint "
		    "of this account's profile");
	if (age >= MK_CONNECT_LIFE)
		return refuse(s, 400, "the request has lapsed");
	if (age < -MK_REQUEST_SLACK)
		return refuse(s, 400, "the request is dated ahead of the "
		    "portal's clock");
	if (mk_udf_in(profile->deleted, profile->n_deleted,
	    &req->device.id))
		return refuse(s, 409, "the device was deleted from this "
		    "profile, for good");
	return 0;
}

/* The device and what it filed before: 0, new; MK_E_ABSENT, answered. */
static int
check_before(struct portal_serving *s, const struct portal_pending *row,
    const struct portal_pending *before)
{
	/* Its answer was lost, or somebody repeats it. */
	if (memcmp(before->digest, row->digest, MK_DIGEST) == 0) {
		portal_answer(s, 201, "done");
		return MK_E_ABSENT;
	}
	if (row->asked <= before->asked)
		return refuse(s, 409, "the device has filed a later "
		    "request");
	return 0;
}

/* *ret_replaces: it takes the place of one, and needs no other. */
static int
check_queue(struct portal_serving *s, const struct portal_pending *row,
    bool *ret_replaces)
{
	struct portal_pending before = *row;
	int r;

	r = portal_store_result(s->p->store, s->a, &before, &s->why);
	if (r == 0)
		r = check_before(s, row, &before);
	else if (r == MK_E_ABSENT)
		r = 0;
	else
		portal_answer_error(s, r, 503);
	if (r != 0)
		return r;
	before = *row;
	r = portal_store_waits(s->p->store, s->a, &before, &s->why);
	*ret_replaces = r == 0;
	if (r == 0)
		return check_before(s, row, &before);
	if (r == MK_E_ABSENT)
		return 0;
	portal_answer_error(s, r, 503);
	return r;
}

static int
check_room(struct portal_serving *s, const struct portal_pending *row)
{
	const char *what = NULL;
	struct portal_counts n;
	uint64_t size = 0;
	int r;

	r = portal_store_count_pending(s->p->store, &row->account,
	    row->address, &n, &s->why);
	if (r == 0)
		r = portal_store_size(s->p->store, &size, &s->why);
	if (r != 0) {
		portal_answer_error(s, r, 503);
		return r;
	}
	if (n.account >= PORTAL_PENDING_MAX)
		what = "too many requests wait for this account";
	else if (n.address >= PORTAL_PENDING_ADDRESS)
		what = "too many requests of this address wait for this "
		    "account";
	else if (n.origin >= PORTAL_PENDING_ORIGIN)
		what = "too many requests of this address wait";
	else if (n.all >= PORTAL_PENDING_ALL || size >= s->p->max_size)
		what = "too many requests wait";
	if (what == NULL)
		return 0;
	(void)mk_fail(&s->why, MK_E_REFUSED, "connect", "%s", what);
	portal_answer_later(s, LATER, what);
	return MK_E_REFUSED;
}

static int
read_request(struct portal_serving *s, struct filing *f)
{
	struct portal_pending *row = &f->row;
	int r;

	r = mk_connection_request_read(s->a, s->req.object, &s->req.notes,
	    &f->read, &s->why);
	if (r == 0) {
		mk_envelope_write(&f->read.envelope, &f->text);
		r = mk_buf_check(&f->text, &s->why, "connect");
	}
	if (r != 0) {
		portal_answer_error(s, r, 400);
		return r;
	}
	if (f->text.len > PORTAL_PENDING_SIZE) {
		portal_answer(s, 413, "the request is over the limit of "
		    "32 KiB");
		return MK_E_TOOBIG;
	}
	s->req.udf = f->read.request.device.id;
	s->req.has_udf = true;
	portal_origin(s->call->address, f->origin);
	*row = (struct portal_pending){ .account = s->req.account,
	    .device = f->read.request.device.id,
	    .asked = f->read.request.time,
	    .text = (const uint8_t *)f->text.data, .len = f->text.len,
	    .has_witness = s->req.has_witness, .address = f->origin };
	memcpy(row->witness, s->req.witness, MK_WITNESS);
	memcpy(row->digest, f->read.envelope.digest, MK_DIGEST);
	return 0;
}

void
portal_connect_start(struct portal_serving *s)
{
	struct portal_profile profile;
	bool replaces = false;
	struct filing f;
	int r;

	mk_buf_init(&f.text, PORTAL_REQUEST_MAX);
	if (portal_find(s, &profile) != 0 ||
	    read_request(s, &f) != 0 ||
	    check_request(s, &profile, &f.read.request) != 0 ||
	    check_queue(s, &f.row, &replaces) != 0 ||
	    (!replaces && check_room(s, &f.row) != 0))
		goto out;
	r = portal_store_put_pending(s->p->store, &f.row, &s->why);
	if (r != 0)
		portal_answer_error(s, r, 503);
	else
		portal_answer(s, 201, "done");
	s->told = r == 0;
out:
	mk_buf_release(&f.text);
}

/* The signed object and, if a PIN was used, the proof beside it. */
static void
put_object(const char *name, const struct portal_pending *p,
    struct mk_buf *out)
{
	mk_put_name(out, name);
	mk_buf_put(out, p->text, p->len);
	if (p->has_witness) {
		mk_buf_putc(out, ',');
		mk_put_bytes(out, "Witness", p->witness, MK_WITNESS);
	}
}

static void
answer_pending(struct portal_serving *s, const struct portal_queue *queue)
{
	struct mk_buf *out = portal_answer_begin(s, 201);
	const char *comma = "";
	size_t i;

	mk_buf_puts(out, ",\"Pending\":[");
	for (i = 0; i < queue->n; i++) {
		/* Not swept yet. */
		if (s->call->now - queue->list[i].asked >= MK_CONNECT_LIFE)
			continue;
		mk_buf_puts(out, comma);
		mk_buf_putc(out, '{');
		put_object("SignedConnectionRequest", &queue->list[i], out);
		mk_buf_putc(out, '}');
		comma = ",";
	}
	mk_buf_putc(out, ']');
	portal_answer_end(s);
}

void
portal_connect_pending(struct portal_serving *s)
{
	struct portal_profile profile;
	struct portal_queue queue;
	int r;

	if (portal_admit(s, &profile) != 0)
		return;
	r = portal_store_pending(s->p->store, s->a, &s->req.account, &queue,
	    &s->why);
	if (r != 0)
		portal_answer_error(s, MK_E_SYSTEM, 503);
	else
		answer_pending(s, &queue);
}

/* Whether a result that cannot be read is at least signed by who may. */
static bool
is_signed(struct portal_serving *s, const struct portal_profile *profile)
{
	struct mk_json_notes notes = s->req.notes;
	const struct mk_envelope_place place = { .stage = "result",
	    .notes = &notes };
	struct mk_envelope env;
	size_t i;

	if (mk_envelope_open(s->a, s->req.object, &place, &env, NULL) != 0)
		return true;		/* nothing is signed: malformed */
	for (i = 0; i < profile->n_online; i++) {
		if (mk_udf_cmp(&profile->online[i].key.udf, &env.kid) == 0)
			return mk_envelope_verify(&env,
			    &profile->online[i].key, "result", NULL) == 0;
	}
	return false;
}

static int
read_result(struct portal_serving *s, const struct portal_profile *profile,
    struct mk_result_read *ret_read)
{
	struct mk_json_notes notes = s->req.notes;
	struct mk_result_place place = { .keys = profile->online,
	    .n = profile->n_online, .notes = &notes };
	int r;

	r = mk_connection_result_read(s->a, s->req.object, &place, ret_read,
	    &s->why);
	if (r != 0)
		portal_answer_error(s, r, is_signed(s, profile) ? 400 : 401);
	return r;
}

/* The request that it answers; MK_E_REFUSED where the answer is given. */
static int
find_request(struct portal_serving *s, const struct mk_result_read *read,
    const struct mk_buf *text, struct portal_pending *ret_pending)
{
	const struct portal_pending who = { .account = s->req.account,
	    .device = read->result.device };
	int r;

	*ret_pending = who;
	r = portal_store_waits(s->p->store, s->a, ret_pending, &s->why);
	if (r == 0 && memcmp(ret_pending->digest, read->result.request,
	    MK_DIGEST) == 0 &&
	    s->call->now - ret_pending->asked < MK_CONNECT_LIFE)
		return 0;
	*ret_pending = who;
	if (r == 0 || r == MK_E_ABSENT)
		r = portal_store_result(s->p->store, s->a, ret_pending,
		    &s->why);
	if (r != 0 && r != MK_E_ABSENT) {
		portal_answer_error(s, r, 503);
		return r;
	}
	if (r != 0 || memcmp(ret_pending->digest, read->result.request,
	    MK_DIGEST) != 0)
		return refuse(s, 404, "there is no such request");
	/* The first word stands: the device may have taken it. */
	if (ret_pending->len != text->len ||
	    memcmp(ret_pending->text, text->data, text->len) != 0)
		return refuse(s, 409, "the request has another result");
	portal_answer(s, 201, "done");
	return MK_E_REFUSED;
}

static void
store_result(struct portal_serving *s, const struct mk_result_read *read,
    struct mk_buf *text)
{
	struct portal_pending row;
	int r;

	s->req.udf = read->result.device;
	s->req.has_udf = true;
	mk_envelope_write(&read->envelope, text);
	if (text->failed != 0 || text->len > PORTAL_RESULT_SIZE) {
		portal_answer(s, 413, "the result is over the limit of "
		    "8 KiB");
		return;
	}
	if (find_request(s, read, text, &row) != 0)
		return;
	row.came = s->call->now;
	row.text = (const uint8_t *)text->data;
	row.len = text->len;
	row.has_witness = s->req.has_witness;
	memcpy(row.witness, s->req.witness, MK_WITNESS);
	r = portal_store_put_result(s->p->store, &row, &s->why);
	if (r != 0)
		portal_answer_error(s, r, 503);
	else
		portal_answer(s, 201, "done");
	s->told = r == 0;
}

void
portal_connect_complete(struct portal_serving *s)
{
	struct portal_profile profile;
	struct mk_result_read read;
	struct mk_buf text;

	mk_buf_init(&text, PORTAL_REQUEST_MAX);
	if (portal_admit(s, &profile) == 0 &&
	    read_result(s, &profile, &read) == 0)
		store_result(s, &read, &text);
	mk_buf_release(&text);
}

void
portal_connect_status(struct portal_serving *s)
{
	struct portal_pending result = { .account = s->req.account,
	    .device = s->req.udf };
	struct mk_buf *out;
	int r;

	if (portal_find(s, NULL) != 0)
		return;
	r = portal_store_result(s->p->store, s->a, &result, &s->why);
	if (r != 0 && r != MK_E_ABSENT) {
		portal_answer_error(s, r, 503);
		return;
	}
	out = portal_answer_begin(s, 201);
	/* Not swept yet, or none. */
	if (r == 0 && s->call->now - result.came < PORTAL_RESULT_LIFE) {
		mk_buf_putc(out, ',');
		put_object("SignedConnectionResult", &result, out);
	}
	portal_answer_end(s);
}
