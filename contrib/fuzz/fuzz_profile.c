/* SPDX-License-Identifier: ISC */
/*
 * The objects behind the signatures, which no fuzzer gets past: an octet
 * that says generation and kind, and the payload.
 */
#include "fuzz.h"

#include "core/arena.h"
#include "core/envelope.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/profile.h"

static void
check_ssh(const struct mk_ssh *ssh, enum mk_generation gen)
{
	const struct mk_ssh_device *d;
	size_t i;

	for (i = 0; i < ssh->n_devices; i++) {
		d = &ssh->devices[i];
		FUZZ_HOLDS(d->host != (d->key.blob != NULL));
		FUZZ_HOLDS(d->host || d->key.name_len > 0);
		FUZZ_HOLDS(gen != MK_GEN_CURRENT ||
		    d->description.len <= MK_TEXT_MAX);
	}
}

static void
read_body(const struct mk_reading *r, unsigned kind,
    const struct mk_json *body)
{
	struct mk_envelope_place place = { .stage = "fuzz",
	    .notes = r->notes, .tag = "SSHProfile" };
	const struct mk_json *inside;
	struct mk_personal personal;
	struct mk_envelope env;
	struct mk_master master;
	struct mk_device device;
	struct mk_ssh ssh;

	switch (kind) {
	case 0:
		if (mk_master_read(r->arena, body, r->gen, &master,
		    NULL) == 0)
			FUZZ_HOLDS(master.n_online > 0 &&
			    master.n_online <= MK_ONLINE_MAX);
		break;
	case 1:
		(void)mk_device_read(r->arena, body, r->gen, &device, NULL);
		break;
	case 2:
		if (mk_personal_read(r, body, &personal, NULL) == 0)
			FUZZ_HOLDS(personal.n_devices <= r->max_devices);
		break;
	case 3:
		if (mk_ssh_read(r, body, &ssh, NULL) == 0)
			check_ssh(&ssh, r->gen);
		break;
	default:
		if (mk_envelope_open(r->arena, body, &place, &env,
		    NULL) == 0)
			(void)mk_envelope_body(r->arena, &env, &place,
			    &inside, NULL);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text = { .stage = "fuzz", .notes = &notes };
	struct mk_reading r = { .max_devices = 100, .notes = &notes };
	const struct mk_json *body;
	struct mk_arena a;
	unsigned code;

	if (size < 1)
		return 0;
	code = (uint8_t)(data[0] - '0');
	text.s = (const char *)data + 1;
	text.len = size - 1;
	mk_arena_init(&a, 16u << 20);
	r.arena = &a;
	r.gen = (enum mk_generation)(code / 5 % 3);
	if (mk_json_parse(&a, &text, &body, NULL) == 0 && body->count == 1 &&
	    body->child->type == MK_JSON_OBJECT)
		read_body(&r, code % 5, body->child);
	mk_arena_release(&a);
	return 0;
}
