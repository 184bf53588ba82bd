/* SPDX-License-Identifier: ISC */
/*
 * The arrangement that the writer of 2016 and 2017 gave its JSON: a line
 * feed and two spaces a depth before each member, closers right behind the
 * last value, base64url with a raw line feed before every 64 characters.
 */
#include "mkset.h"
#include "legacy_text.h"

#include <string.h>

#include "core/digest.h"
#include "core/write.h"

#define LINE	64

static void
put_break(struct ms_writer *w)
{
	unsigned i;

	mk_buf_putc(w->out, '\n');
	for (i = 0; i < w->depth; i++)
		mk_buf_puts(w->out, "  ");
}

void
ms_put_open(struct ms_writer *w, char bracket)
{
	mk_buf_putc(w->out, bracket);
	w->depth++;
	w->first = true;
}

void
ms_put_close(struct ms_writer *w, char bracket)
{
	mk_buf_putc(w->out, bracket);
	w->depth--;
	w->first = false;
}

void
ms_put_name(struct ms_writer *w, const char *name)
{
	if (!w->first)
		mk_buf_putc(w->out, ',');
	put_break(w);
	mk_buf_putc(w->out, '"');
	mk_buf_puts(w->out, name);
	mk_buf_puts(w->out, "\": ");
	w->first = false;
}

/* Before each element of an array. */
void
ms_put_element(struct ms_writer *w)
{
	if (!w->first) {
		mk_buf_putc(w->out, ',');
		put_break(w);
	}
	w->first = false;
}

void
ms_put_text(struct ms_writer *w, const char *name, const char *text)
{
	ms_put_name(w, name);
	mk_json_write(text, strlen(text), w->out);
}

void
ms_put_udf(struct ms_writer *w, const char *name, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	ms_put_text(w, name, text);
}

void
ms_put_bytes(struct ms_writer *w, const char *name, const uint8_t *bytes,
    size_t len)
{
	struct mk_buf b;
	size_t i;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64url(&b, bytes, len);
	ms_put_name(w, name);
	mk_buf_putc(w->out, '"');
	for (i = 0; i < b.len; i++) {
		if (i % LINE == 0)
			mk_buf_putc(w->out, '\n');
		mk_buf_putc(w->out, b.data[i]);
	}
	mk_buf_putc(w->out, '"');
	mk_buf_release(&b);
}

static void
put_signature(struct ms_writer *w, const struct mk_envelope *env)
{
	ms_put_name(w, "signatures");
	ms_put_open(w, '[');
	ms_put_element(w);
	ms_put_open(w, '{');
	ms_put_name(w, "header");
	ms_put_open(w, '{');
	ms_put_udf(w, "kid", &env->kid);
	ms_put_close(w, '}');
	ms_put_bytes(w, "protected", env->covered, env->covered_len);
	ms_put_bytes(w, "signature", env->sig, env->sig_len);
	ms_put_close(w, '}');
	ms_put_close(w, ']');
}

/* 'depth' is that of the object around. */
struct mk_text
ms_legacy_envelope(struct ms_set *set, const struct mk_envelope *env,
    unsigned depth)
{
	struct mk_buf b;
	struct ms_writer w = { &b, depth, true };

	mk_buf_init(&b, MS_TEXT_MAX);
	ms_put_open(&w, '{');
	ms_put_text(&w, "Identifier", env->id);
	ms_put_name(&w, "SignedData");
	ms_put_open(&w, '{');
	if (set->gen == MK_GEN_2016) {
		ms_put_bytes(&w, "header", env->covered, env->covered_len);
		ms_put_bytes(&w, "payload", env->payload, env->payload_len);
		ms_put_bytes(&w, "signature", env->sig, env->sig_len);
	} else {
		ms_put_name(&w, "unprotected");
		ms_put_open(&w, '{');
		ms_put_text(&w, "dig", "S512");
		ms_put_close(&w, '}');
		ms_put_bytes(&w, "payload", env->payload, env->payload_len);
		put_signature(&w, env);
	}
	ms_put_close(&w, '}');
	ms_put_close(&w, '}');
	return ms_done(set, &b);
}

/* 2017: what is signed; 2016: the header, which nothing covers. */
struct mk_text
ms_legacy_protected(struct ms_set *set, struct mk_text payload,
    const struct mk_udf *kid)
{
	uint8_t digest[MK_SHA512];
	struct mk_buf b;
	struct ms_writer w = { &b, 0, true };

	mk_buf_init(&b, MS_TEXT_MAX);
	ms_put_open(&w, '{');
	ms_put_text(&w, "alg", "RS512");
	if (set->gen == MK_GEN_2016) {
		ms_put_udf(&w, "kid", kid);
	} else {
		mk_sha512((const uint8_t *)payload.s, payload.len, digest);
		ms_put_bytes(&w, "val", digest, sizeof(digest));
	}
	ms_put_close(&w, '}');
	return ms_done(set, &b);
}
