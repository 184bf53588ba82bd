/* SPDX-License-Identifier: ISC */
/*
 * Strict base64 (RFC 4648).  Nothing decoded here is secret, so the tables
 * are plain look-ups.
 */
#ifndef MK_CORE_BASE64_H
#define MK_CORE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that 'n' characters without padding or line feeds decode to. */
#define MK_B64_DECODED(n)	((n) / 4 * 3 + (n) % 4 * 6 / 8)
/* Characters for 'n' bytes: URL alphabet unpadded, standard padded. */
#define MK_B64URL_LEN(n)	(((n) * 4 + 2) / 3)
#define MK_B64STD_LEN(n)	(((n) + 2) / 3 * 4)

/*
 * Decodes base64url without padding, trailing bits zero (RFC 4648 sections
 * 3.5 and 5).  'out' has room for MK_B64_DECODED(n) bytes and may be 's'
 * itself.  Returns whether it was well-formed; *ret_len is written only
 * then.
 */
bool	mk_b64url_decode(const char *s, size_t n, uint8_t *out,
	    size_t *ret_len);

/*
 * The same for the 2016/2017 sets, whose writer put a line feed before
 * every 64 characters, the first included: with all of them at their
 * places, or with none.  "" is empty.
 */
bool	mk_b64url_decode_folded(const char *s, size_t n, uint8_t *out,
	    size_t *ret_len);

/* Decodes the standard alphabet with padding, trailing bits zero. */
bool	mk_b64std_decode(const char *s, size_t n, uint8_t *out,
	    size_t *ret_len);

/*
 * Encode 'n' bytes to exactly MK_B64URL_LEN(n) or MK_B64STD_LEN(n)
 * characters; no NUL is written.
 */
void	mk_b64url_encode(const uint8_t *in, size_t n, char *out);
void	mk_b64std_encode(const uint8_t *in, size_t n, char *out);

#endif
