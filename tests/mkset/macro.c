/* SPDX-License-Identifier: ISC */
/*
 * @NAME(...)@ in OLD and NEW of an edit stands for a value that only mkset
 * knows.  The innermost is expanded first.
 */
#include "mkset.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/sshkey.h"
#include "core/sshwire.h"

typedef void macro_fn(struct ms_set *, char *, struct mk_buf *);

static void
put_udf(const struct mk_udf *udf, struct mk_buf *out)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	mk_buf_puts(out, text);
}

/* REPEAT(text,n) */
static void
expand_repeat(struct ms_set *set, char *arg, struct mk_buf *out)
{
	char *comma = strrchr(arg, ',');
	unsigned n;

	(void)set;
	if (comma == NULL)
		ms_die("@REPEAT(text,n)@");
	n = ms_number(comma + 1);
	*comma = '\0';
	while (n-- > 0)
		mk_buf_puts(out, arg);
}

static void
expand_udf(struct ms_set *set, char *arg, struct mk_buf *out)
{
	put_udf(&ms_key(set, arg)->pub.udf, out);
}

/* By the rule of the old forms. */
static void
expand_low_udf(struct ms_set *set, char *arg, struct mk_buf *out)
{
	uint8_t spki[MK_ED25519_SPKI];
	struct mk_udf udf;

	mk_ed25519_spki(ms_key(set, arg)->pub.ed25519, spki);
	mk_udf_of_der(MK_UDF_LOW_BITS, spki, sizeof(spki), &udf);
	put_udf(&udf, out);
}

static void
expand_random(struct ms_set *set, char *arg, struct mk_buf *out)
{
	struct mk_udf udf = ms_random_udf(set, arg);

	put_udf(&udf, out);
}

static void
expand_pub(struct ms_set *set, char *arg, struct mk_buf *out)
{
	mk_buf_b64url(out, ms_key(set, arg)->pub.ed25519, 32);
}

/* A whole key object, as it stands in profiles. */
static void
expand_key(struct ms_set *set, char *arg, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"UDF\":\"");
	expand_udf(set, arg, out);
	mk_buf_puts(out, "\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":\"");
	expand_pub(set, arg, out);
	mk_buf_puts(out, "\"}}}");
}

static void
expand_openssh(struct ms_set *set, char *arg, struct mk_buf *out)
{
	struct ms_enrolled e = { .role = arg };
	struct mk_sshkey key = ms_ssh_key(set, &e);
	struct mk_text line = ms_public_line(set, &key);

	mk_buf_put(out, line.s, line.len);
}

static void
put_hex(const char *hex, struct mk_buf *out)
{
	char pair[3] = { 0 };

	for (; hex[0] != '\0'; hex += 2) {
		pair[0] = hex[0];
		pair[1] = hex[1];
		if (strspn(pair, "0123456789abcdef") != 2)
			ms_die("'%s' is not hexadecimal", hex);
		mk_buf_putc(out, (char)strtoul(pair, NULL, 16));
	}
}

/*
 * s:TEXT, x:HEX and k:ROLE (a public key) are SSH strings, r:HEX bytes as
 * they are.
 */
static void
put_field(struct ms_set *set, const char *field, struct mk_buf *out)
{
	struct mk_buf bytes;

	mk_buf_init(&bytes, MS_TEXT_MAX);
	if (strncmp(field, "s:", 2) == 0)
		mk_buf_puts(&bytes, field + 2);
	else if (strncmp(field, "k:", 2) == 0)
		mk_buf_put(&bytes, ms_key(set, field + 2)->pub.ed25519, 32);
	else if (strncmp(field, "x:", 2) == 0)
		put_hex(field + 2, &bytes);
	else if (strncmp(field, "r:", 2) == 0)
		put_hex(field + 2, out);
	else
		ms_die("'%s' is no field: s:TEXT, x:HEX, k:ROLE, r:HEX", field);
	if (field[0] != 'r')
		mk_wire_put_string(out, bytes.data, bytes.len);
	mk_buf_release(&bytes);
}

/* BLOB(field,...): base64 of an SSH key blob, right or wrong. */
static void
expand_blob(struct ms_set *set, char *arg, struct mk_buf *out)
{
	struct mk_buf blob;
	char *field;

	mk_buf_init(&blob, MS_TEXT_MAX);
	while ((field = strsep(&arg, ",")) != NULL)
		put_field(set, field, &blob);
	mk_buf_b64std(out, (uint8_t *)blob.data, blob.len);
	mk_buf_release(&blob);
}

static void
expand_digest(struct ms_set *set, char *arg, struct mk_buf *out)
{
	uint8_t digest[MK_SHA512];

	(void)set;
	mk_sha512((const uint8_t *)arg, strlen(arg), digest);
	mk_buf_b64url(out, digest, sizeof(digest));
}

/* BITS(base64): the last character with its lowest bit turned. */
static void
expand_bits(struct ms_set *set, char *arg, struct mk_buf *out)
{
	static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t last = strcspn(arg, "="), n = strlen(arg);
	const char *p;

	(void)set;
	p = last == 0 ? NULL : strchr(url, arg[last - 1]);
	if (p == NULL)
		ms_die("'%s' is not base64url", arg);
	mk_buf_put(out, arg, last - 1);
	mk_buf_putc(out, url[(p - url) ^ 1]);
	mk_buf_put(out, arg + last, n - last);
}

static void
expand_time(struct ms_set *set, char *arg, struct mk_buf *out)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(ms_time(set, arg), text);
	mk_buf_puts(out, text);
}

/* PROOF(role,device role) */
static void
expand_proof(struct ms_set *set, char *arg, struct mk_buf *out)
{
	const char *role = strsep(&arg, ",");
	struct mk_text proof;

	if (arg == NULL)
		ms_die("@PROOF(role,device role)@");
	proof = ms_proof(set, ms_key(set, role), &ms_key(set, arg)->pub.udf);
	mk_buf_put(out, proof.s, proof.len);
}

static const struct {
	const char *name;
	macro_fn *expand;
} macros[] = {
	{ "BITS",	expand_bits },
	{ "BLOB",	expand_blob },
	{ "DIGEST",	expand_digest },
	{ "KEY",	expand_key },
	{ "LOWUDF",	expand_low_udf },
	{ "OPENSSH",	expand_openssh },
	{ "PROOF",	expand_proof },
	{ "PUB",	expand_pub },
	{ "RANDOM",	expand_random },
	{ "REPEAT",	expand_repeat },
	{ "TIME",	expand_time },
	{ "UDF",	expand_udf },
};

#define N_MACROS	(sizeof(macros) / sizeof(macros[0]))

/* The last "@NAME(" in the first 'n' bytes; *ret_macro is its number. */
static const char *
find_open(const char *s, size_t n, size_t *ret_macro)
{
	const char *p;
	size_t i, len;

	for (p = s + n; p-- > s;) {
		for (i = 0; *p == '@' && i < N_MACROS; i++) {
			len = strlen(macros[i].name);
			if (strncmp(p + 1, macros[i].name, len) == 0 &&
			    p[len + 1] == '(') {
				*ret_macro = i;
				return p;
			}
		}
	}
	ms_die("'%.*s' has no macro before ')@'", (int)n, s);
}

const char *
ms_expand(struct ms_set *set, const char *s)
{
	const char *close, *open, *from;
	struct mk_buf b;
	size_t i = 0;

	while ((close = strstr(s, ")@")) != NULL) {
		open = find_open(s, (size_t)(close - s), &i);
		from = open + strlen(macros[i].name) + 2;
		mk_buf_init(&b, MS_TEXT_MAX);
		mk_buf_put(&b, s, (size_t)(open - s));
		macros[i].expand(set, ms_printf(set, "%.*s",
		    (int)(close - from), from), &b);
		mk_buf_puts(&b, close + 2);
		s = ms_done(set, &b).s;
	}
	return s;
}
