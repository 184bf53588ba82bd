/* SPDX-License-Identifier: ISC */
/*
 * Instead of src/core/rsa.c: no RSA key is ever good.  The helper linked
 * with this is the one that it is compared with, to see what RSA costs a
 * login that has no use for it.  It defines all that core/rsa.h declares;
 * if one is missing, the linker takes rsa.c as well and complains.
 */
#include "core/buf.h"
#include "core/rsa.h"

bool
mk_rsa_init(struct mk_rsa *k, const uint8_t *n, size_t n_len,
    const uint8_t *e, size_t e_len)
{
	(void)k, (void)n, (void)n_len, (void)e, (void)e_len;
	return false;
}

bool
mk_rsa_init_short(struct mk_rsa *k, const uint8_t *n, size_t n_len,
    const uint8_t *e, size_t e_len)
{
	return mk_rsa_init(k, n, n_len, e, e_len);
}

size_t
mk_rsa_bits(const struct mk_rsa *k)
{
	(void)k;
	return 0;
}

bool
mk_rsa_verify(const struct mk_rsa *k, const uint8_t *msg, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	(void)k, (void)msg, (void)len, (void)sig, (void)sig_len;
	return false;
}

void
mk_rsa_pkcs1(const struct mk_rsa *k, struct mk_buf *out)
{
	(void)k, (void)out;
}

void
mk_rsa_spki(const struct mk_rsa *k, struct mk_buf *out)
{
	(void)k, (void)out;
}
