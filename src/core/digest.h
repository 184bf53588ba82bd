/* SPDX-License-Identifier: ISC */
/* The hashes of the formats, in one place. */
#ifndef MK_CORE_DIGEST_H
#define MK_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define MK_SHA256	32
#define MK_SHA512	64

void	mk_sha256(const uint8_t *data, size_t len, uint8_t out[MK_SHA256]);
void	mk_sha512(const uint8_t *data, size_t len, uint8_t out[MK_SHA512]);

#endif
