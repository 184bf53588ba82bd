/* SPDX-License-Identifier: ISC */
/*
 * UDF fingerprints (mesh-profile-set(5), KEYS AND FINGERPRINTS): 150 bits,
 * a type octet and digest bits, as six groups of five base32 letters.
 */
#ifndef MK_CORE_UDF_H
#define MK_CORE_UDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_UDF_BYTES	19	/* 150 bits, the last two bits zero */
#define MK_UDF_TEXT	35	/* characters, five dashes included */

#define MK_UDF_KEY	0x60	/* SHA-2-512 of a key: "M..." */
#define MK_UDF_RANDOM	0x88	/* random, of applications: "R..." */

struct mk_udf {
	uint8_t b[MK_UDF_BYTES];
};

/* One rule a generation, and never another as a second try. */
enum mk_udf_rule {
	MK_UDF_LOW_BITS,	/* 2016 over SPKI, 2017 over PKCS#1 */
	MK_UDF_HIGH_BITS	/* current, over SPKI */
};

/*
 * The fingerprint of a key from its DER form: 0x60 and SHA-512 of
 * "application/x509-keyinfo:" and SHA-512(der), cut to 150 bits.  The
 * last six bits are the high or the low ones of their octet.
 */
void	mk_udf_of_der(enum mk_udf_rule rule, const uint8_t *der, size_t len,
	    struct mk_udf *ret_udf);

/* As it stands in a set: 35 characters, upper case, five dashes. */
bool	mk_udf_parse(const char *s, size_t n, struct mk_udf *ret_udf);

/* As people type it: any case, all five dashes or none. */
bool	mk_udf_parse_typed(const char *s, size_t n, struct mk_udf *ret_udf);

/* The 35 characters and a NUL. */
void	mk_udf_format(const struct mk_udf *udf, char out[MK_UDF_TEXT + 1]);

/* <0, 0, >0 as memcmp. */
int	mk_udf_cmp(const struct mk_udf *a, const struct mk_udf *b);

/* Whether it is one of them; for a few.  For many see core/udfset.h. */
bool	mk_udf_in(const struct mk_udf *list, size_t n,
	    const struct mk_udf *udf);

/* The type octet: MK_UDF_KEY, MK_UDF_RANDOM or another. */
static inline uint8_t
mk_udf_type(const struct mk_udf *udf)
{
	return udf->b[0];
}

#endif
