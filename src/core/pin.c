/* SPDX-License-Identifier: ISC */
/*
 * All that stands on the stack and tells something of a PIN is wiped.  The
 * HMAC is keyed with the letters themselves, so that who types them and who
 * reads them from a QR code have the same key.
 */
#include <string.h>

#include <sodium.h>

#include "core/base32.h"
#include "core/pin.h"

_Static_assert(MK_PIN_TEXT == MK_B32_GROUPED(MK_PIN_LETTERS),
    "a PIN is shown in groups");
_Static_assert(MK_WITNESS == crypto_auth_hmacsha512_BYTES,
    "a witness is an HMAC-SHA-512");

void
mk_pin_make(const uint8_t random[MK_PIN_RANDOM], struct mk_pin *ret_pin)
{
	mk_b32_encode(random, MK_PIN_LETTERS, ret_pin->letters);
	ret_pin->letters[MK_PIN_LETTERS] = '\0';
}

bool
mk_pin_parse(const char *s, size_t n, struct mk_pin *ret_pin)
{
	struct mk_pin pin = { { 0 } };
	bool good;

	good = mk_b32_ungroup(s, n, MK_PIN_LETTERS, pin.letters);
	if (good)
		*ret_pin = pin;
	sodium_memzero(&pin, sizeof(pin));
	return good;
}

void
mk_pin_format(const struct mk_pin *pin, char out[MK_PIN_TEXT + 1])
{
	mk_b32_group(pin->letters, MK_PIN_LETTERS, out);
}

void
mk_pin_id(const struct mk_pin *pin, char out[MK_PIN_ID + 1])
{
	static const char label[] = "mesh-connect-pin:";
	crypto_hash_sha512_state state;
	uint8_t digest[crypto_hash_sha512_BYTES];

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, (const uint8_t *)label,
	    sizeof(label) - 1);
	crypto_hash_sha512_update(&state, (const uint8_t *)pin->letters,
	    MK_PIN_LETTERS);
	crypto_hash_sha512_final(&state, digest);
	mk_b32_encode(digest, MK_PIN_ID, out);
	out[MK_PIN_ID] = '\0';
	/* The rest of the digest would make guessing cheaper. */
	sodium_memzero(digest, sizeof(digest));
	sodium_memzero(&state, sizeof(state));
}

bool
mk_pin_id_good(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_b32_value(s[i]) < 0)
			return false;
	}
	return n == MK_PIN_ID;
}

void
mk_witness_make(const struct mk_pin *pin, enum mk_witness_of what,
    const uint8_t digest[64], uint8_t out[MK_WITNESS])
{
	static const char *const labels[] = {
		[MK_WITNESS_REQUEST] = "mesh-connect-request:",
		[MK_WITNESS_RESULT] = "mesh-connect-result:"
	};
	crypto_auth_hmacsha512_state state;

	crypto_auth_hmacsha512_init(&state, (const uint8_t *)pin->letters,
	    MK_PIN_LETTERS);
	crypto_auth_hmacsha512_update(&state, (const uint8_t *)labels[what],
	    strlen(labels[what]));
	crypto_auth_hmacsha512_update(&state, digest, 64);
	crypto_auth_hmacsha512_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

bool
mk_witness_check(const struct mk_pin *pin, enum mk_witness_of what,
    const uint8_t digest[64], const uint8_t witness[MK_WITNESS])
{
	uint8_t right[MK_WITNESS];
	bool same;

	mk_witness_make(pin, what, digest, right);
	same = sodium_memcmp(right, witness, sizeof(right)) == 0;
	/* It would prove a wrong request as well as the right one. */
	sodium_memzero(right, sizeof(right));
	return same;
}
