/* SPDX-License-Identifier: ISC */
/*
 * A request proves itself: by the device key that it brings along.  Who
 * that device is, people or a PIN must tell.
 */
#include <string.h>

#include "core/buf.h"
#include "core/connect.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/write.h"

#define STAGE_REQUEST	"request"
#define STAGE_RESULT	"result"

/* A request on its way. */
struct reader {
	struct mk_at at;		/* its object is the payload's body */
	struct mk_json_notes *notes;
	struct mk_connection_read read;
};

void
mk_connection_request_write(const struct mk_connection_request *req,
    struct mk_buf *out)
{
	mk_buf_puts(out, "{\"ConnectionRequest\":{");
	mk_put_udf(out, "Identifier", &req->device.id);
	mk_buf_putc(out, ',');
	mk_put_udf(out, "ParentUDF", &req->parent);
	mk_buf_puts(out, ",\"Device\":");
	mk_envelope_write(&req->envelope, out);
	if (req->has_online) {
		mk_buf_putc(out, ',');
		mk_put_key(out, "OnlineSignatureKey", &req->online);
	}
	if (req->has_ssh) {
		mk_buf_puts(out, ",\"SSH\":");
		mk_ssh_device_write(&req->ssh, out);
	}
	mk_buf_putc(out, ',');
	mk_put_bytes(out, "Nonce", req->nonce, sizeof(req->nonce));
	mk_buf_putc(out, ',');
	mk_put_time(out, "Time", req->time);
	if (req->pin_id[0] != '\0') {
		mk_buf_putc(out, ',');
		mk_put_text(out, "PinId", req->pin_id, strlen(req->pin_id));
	}
	mk_buf_puts(out, "}}");
}

static int
refuse(const struct mk_at *at, const char *what)
{
	return mk_fail(at->why, MK_E_REFUSED, at->stage, "%s", what);
}

/* Opens an envelope of the current form, its payload bounded. */
static int
open_bounded(const struct mk_at *at, const struct mk_envelope_place *place,
    size_t max, struct mk_envelope *ret_env)
{
	struct mk_envelope env;
	int r;

	mk_envelope_claim(at->obj, place->notes);
	if ((r = mk_envelope_open(at->arena, at->obj, place, &env,
	    at->why)) != 0)
		return r;
	/* The old forms had no requests, and their devices are no more. */
	if (env.gen != MK_GEN_CURRENT)
		return refuse(at, "not an envelope of the current form");
	/* It would be carried along in the profile, whoever asks for it. */
	if (env.payload_len > max)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "%zu bytes, over the limit of %zu", env.payload_len,
		    max);
	*ret_env = env;
	return 0;
}

/* The DeviceProfile: its key is its Identifier, and has signed it. */
static int
read_device(struct reader *rd)
{
	struct mk_envelope_place place = { "device", rd->notes,
	    "DeviceProfile" };
	struct mk_connection_request *req = &rd->read.request;
	struct mk_at at = rd->at;
	const struct mk_json *body;
	int r;

	if ((r = mk_at_member(&rd->at, "Device", MK_JSON_OBJECT, MK_REQUIRED,
	    &at.obj)) != 0)
		return r;
	at.stage = place.stage;
	if ((r = open_bounded(&at, &place, MK_CONNECT_DEVICE_MAX,
	    &req->envelope)) != 0 ||
	    (r = mk_envelope_body(at.arena, &req->envelope, &place, &body,
	    at.why)) != 0 ||
	    (r = mk_device_read(at.arena, body, MK_GEN_CURRENT,
	    &req->device, at.why)) != 0)
		return r;
	if (mk_udf_cmp(&req->device.id, &req->device.key.udf) != 0)
		return refuse(&at,
		    "'Identifier' is not the fingerprint of the device key");
	return mk_envelope_verify(&req->envelope, &req->device.key, at.stage,
	    at.why);
}

/* The device of the request has signed it, and says that it has. */
static int
check_signer(const struct reader *rd)
{
	const struct mk_device *device = &rd->read.request.device;
	struct mk_udf id;
	int r;

	if ((r = mk_at_udf(&rd->at, "Identifier", MK_UDF_KEY, &id)) != 0)
		return r;
	if (mk_udf_cmp(&id, &device->id) != 0)
		return refuse(&rd->at, "'Identifier' is not that of the "
		    "device");
	return mk_envelope_verify(&rd->read.envelope, &device->key,
	    rd->at.stage, rd->at.why);
}

static int
read_online(struct reader *rd)
{
	struct mk_pubkey_form form = { .gen = MK_GEN_CURRENT,
	    .place = MK_PLACE_PLAIN, .stage = "online" };
	struct mk_connection_request *req = &rd->read.request;
	const struct mk_json *obj;
	int r;

	r = mk_at_member(&rd->at, "OnlineSignatureKey", MK_JSON_OBJECT,
	    MK_OPTIONAL, &obj);
	if (r != 0 || obj == NULL)
		return r;
	req->has_online = true;
	return mk_pubkey_read(rd->at.arena, obj, &form, &req->online,
	    rd->at.why);
}

static int
read_ssh(struct reader *rd)
{
	struct mk_reading reading = { .arena = rd->at.arena,
	    .gen = MK_GEN_CURRENT, .max_devices = 1, .notes = rd->notes };
	struct mk_connection_request *req = &rd->read.request;
	const struct mk_json *obj;
	int r;

	r = mk_at_member(&rd->at, "SSH", MK_JSON_OBJECT, MK_OPTIONAL, &obj);
	if (r != 0 || obj == NULL)
		return r;
	if ((r = mk_ssh_device_read(&reading, obj, &req->ssh,
	    rd->at.why)) != 0)
		return r;
	/* A device speaks for itself alone. */
	if (mk_udf_cmp(&req->ssh.device, &req->device.id) != 0)
		return refuse(&rd->at, "'SSH' is of another device than the "
		    "one that signed");
	req->has_ssh = true;
	return 0;
}

static int
read_pin_id(struct reader *rd)
{
	struct mk_connection_request *req = &rd->read.request;
	const struct mk_json *m;
	int r;

	r = mk_at_member(&rd->at, "PinId", MK_JSON_STRING, MK_OPTIONAL, &m);
	if (r != 0 || m == NULL)
		return r;
	if (!mk_pin_id_good(m->str, m->len))
		return mk_fail(rd->at.why, MK_E_REFUSED, rd->at.stage,
		    "'PinId' is not %d upper-case letters", MK_PIN_ID);
	memcpy(req->pin_id, m->str, MK_PIN_ID);
	return 0;
}

/* Master, device, online and SSH key differ, as far as they have UDFs. */
static int
check_roles(const struct reader *rd)
{
	const struct mk_connection_request *req = &rd->read.request;
	const struct mk_udf *udfs[4];
	size_t n = 0, i, j;

	udfs[n++] = &req->parent;
	udfs[n++] = &req->device.id;
	if (req->has_online)
		udfs[n++] = &req->online.udf;
	if (req->has_ssh && req->ssh.has_key_udf)
		udfs[n++] = &req->ssh.key_udf;
	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (mk_udf_cmp(udfs[i], udfs[j]) == 0)
				return refuse(&rd->at, "a key has two roles: "
				    "as master, device, online or SSH key");
		}
	}
	return 0;
}

int
mk_connection_request_read(struct mk_arena *a, const struct mk_json *obj,
    struct mk_json_notes *notes, struct mk_connection_read *ret_read,
    struct mk_why *why)
{
	struct mk_envelope_place place = { STAGE_REQUEST, notes,
	    "ConnectionRequest" };
	struct reader rd = { .at = { .obj = obj, .stage = STAGE_REQUEST,
	    .arena = a, .why = why }, .notes = notes };
	struct mk_connection_request *req = &rd.read.request;
	int r;

	if ((r = open_bounded(&rd.at, &place, MK_CONNECT_MAX,
	    &rd.read.envelope)) != 0 ||
	    (r = mk_envelope_body(a, &rd.read.envelope, &place, &rd.at.obj,
	    why)) != 0 ||
	    (r = read_device(&rd)) != 0 ||
	    (r = check_signer(&rd)) != 0 ||
	    (r = mk_at_udf(&rd.at, "ParentUDF", MK_UDF_KEY,
	    &req->parent)) != 0 ||
	    (r = read_online(&rd)) != 0 ||
	    (r = read_ssh(&rd)) != 0 ||
	    (r = mk_at_exact(&rd.at, "Nonce", sizeof(req->nonce),
	    req->nonce)) != 0 ||
	    (r = mk_at_time(&rd.at, "Time", MK_REQUIRED, &req->time)) != 0 ||
	    (r = read_pin_id(&rd)) != 0 ||
	    (r = check_roles(&rd)) != 0 ||
	    (r = mk_json_settle(notes, STAGE_REQUEST, why)) != 0)
		return r;
	*ret_read = rd.read;
	return 0;
}

void
mk_connection_result_write(const struct mk_connection_result *result,
    const struct mk_udf *signer, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"ConnectionResult\":{");
	mk_put_udf(out, "Identifier", signer);
	mk_buf_putc(out, ',');
	mk_put_bytes(out, "RequestDigest", result->request,
	    sizeof(result->request));
	mk_buf_putc(out, ',');
	mk_put_udf(out, "DeviceUDF", &result->device);
	mk_buf_puts(out, result->accepted ? ",\"Result\":\"Accepted\"}}" :
	    ",\"Result\":\"Refused\"}}");
}

static int
read_accepted(const struct mk_at *at, bool *ret_accepted)
{
	const struct mk_json *m;
	bool accepted;
	int r;

	r = mk_at_member(at, "Result", MK_JSON_STRING, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	accepted = mk_json_is(m, "Accepted");
	if (!accepted && !mk_json_is(m, "Refused"))
		return refuse(at,
		    "'Result' is neither 'Accepted' nor 'Refused'");
	*ret_accepted = accepted;
	return 0;
}

/* Only the key that 'kid' names is tried, and it must be listed. */
static int
verify_result(const struct mk_at *at, const struct mk_result_place *place,
    const struct mk_envelope *env)
{
	const struct mk_online *online;

	online = mk_online_find(place->keys, place->n, &env->kid);
	if (online == NULL)
		return refuse(at, "signed by no online key of the profile");
	return mk_envelope_verify(env, &online->key, at->stage, at->why);
}

int
mk_connection_result_read(struct mk_arena *a, const struct mk_json *obj,
    const struct mk_result_place *place, struct mk_result_read *ret_read,
    struct mk_why *why)
{
	struct mk_envelope_place inside = { STAGE_RESULT, place->notes,
	    "ConnectionResult" };
	struct mk_at at = { .obj = obj, .stage = STAGE_RESULT, .arena = a,
	    .why = why };
	struct mk_result_read read = { 0 };
	struct mk_udf id;
	int r;

	if ((r = open_bounded(&at, &inside, MK_CONNECT_MAX,
	    &read.envelope)) != 0 ||
	    (r = verify_result(&at, place, &read.envelope)) != 0 ||
	    (r = mk_envelope_body(a, &read.envelope, &inside, &at.obj,
	    why)) != 0 ||
	    (r = mk_at_udf(&at, "Identifier", MK_UDF_KEY, &id)) != 0 ||
	    (r = mk_at_exact(&at, "RequestDigest", MK_DIGEST,
	    read.result.request)) != 0 ||
	    (r = mk_at_udf(&at, "DeviceUDF", MK_UDF_KEY,
	    &read.result.device)) != 0 ||
	    (r = read_accepted(&at, &read.result.accepted)) != 0 ||
	    (r = mk_json_settle(place->notes, STAGE_RESULT, why)) != 0)
		return r;
	if (mk_udf_cmp(&id, &read.envelope.kid) != 0)
		return refuse(&at, "'Identifier' is not that of the signer");
	*ret_read = read;
	return 0;
}
