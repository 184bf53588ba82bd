/* SPDX-License-Identifier: ISC */
#include <sodium.h>

#include "core/digest.h"

void
mk_sha256(const uint8_t *data, size_t len, uint8_t out[MK_SHA256])
{
	(void)crypto_hash_sha256(out, data, len);
}

void
mk_sha512(const uint8_t *data, size_t len, uint8_t out[MK_SHA512])
{
	(void)crypto_hash_sha512(out, data, len);
}
