/* SPDX-License-Identifier: ISC */
/* The offered key: two words that anybody on the network chooses. */
#include <stdlib.h>
#include <string.h>

#include "cmd/akc.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/sshkey.h"

#define SHA256_PREFIX	"SHA256:"
#define SHA256_TEXT	43	/* base64 of 32 bytes without padding */

/* A key that is nobody's: no blob is empty. */
static const uint8_t nobody[1];

static void
read_fingerprint(const char *s, struct akc_offer *offer)
{
	char padded[SHA256_TEXT + 1];
	uint8_t digest[MK_B64_DECODED(sizeof(padded))];
	size_t len;

	if (strncmp(s, SHA256_PREFIX, strlen(SHA256_PREFIX)) != 0)
		return;
	s += strlen(SHA256_PREFIX);
	if (strlen(s) != SHA256_TEXT)
		return;
	memcpy(padded, s, SHA256_TEXT);
	padded[SHA256_TEXT] = '=';
	if (!mk_b64std_decode(padded, sizeof(padded), digest, &len) ||
	    len != MK_SHA256)
		return;
	offer->key.blob = NULL;
	memcpy(offer->key.sha256, digest, MK_SHA256);
	mk_sshkey_fingerprint(offer->key.sha256, offer->fingerprint);
}

/*
 * What another command may want to know of a certificate: sshd's %f is the
 * fingerprint of the key inside.
 */
static void
name_certificate(const uint8_t *blob, size_t len, struct akc_offer *offer)
{
	struct mk_buf plain;

	mk_buf_init(&plain, MK_OFFERED_MAX);
	if (mk_sshkey_cert_plain(blob, len, &plain)) {
		mk_sha256((const uint8_t *)plain.data, plain.len,
		    offer->key.sha256);
		mk_sshkey_fingerprint(offer->key.sha256, offer->fingerprint);
	}
	mk_buf_release(&plain);
}

static int
read_blob(const char *type, const char *s, struct akc_offer *offer,
    struct mk_why *why)
{
	struct mk_sshkey key;
	size_t len = strlen(s);

	if (len > MK_OFFERED_MAX)
		return 0;
	offer->blob = malloc(MK_B64_DECODED(len) + 1);
	if (offer->blob == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	if (!mk_b64std_decode(s, len, offer->blob, &len))
		return 0;
	if (offer->certificate) {
		name_certificate(offer->blob, len, offer);
		return 0;
	}
	if (mk_sshkey_parse(offer->blob, len, &key, NULL) != 0 ||
	    key.name_len != strlen(type) ||
	    memcmp(key.name, type, key.name_len) != 0)
		return 0;
	offer->key.blob = offer->blob;
	offer->key.len = len;
	mk_sha256(offer->blob, len, offer->key.sha256);
	mk_sshkey_fingerprint(offer->key.sha256, offer->fingerprint);
	return 0;
}

int
akc_offer_read(const struct akc_args *args, struct akc_offer *ret_offer,
    struct mk_why *why)
{
	memset(ret_offer, 0, sizeof(*ret_offer));
	ret_offer->key.blob = nobody;
	if (args->fingerprint != NULL) {
		ret_offer->given = true;
		read_fingerprint(args->fingerprint, ret_offer);
		return 0;
	}
	if (args->type == NULL)
		return 0;
	ret_offer->given = true;
	ret_offer->certificate = mk_sshkey_is_cert(args->type,
	    strlen(args->type));
	return read_blob(args->type, args->key, ret_offer, why);
}

void
akc_offer_release(struct akc_offer *offer)
{
	free(offer->blob);
	offer->blob = NULL;
}
