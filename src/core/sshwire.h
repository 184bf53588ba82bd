/* SPDX-License-Identifier: ISC */
/*
 * The data types of RFC 4251 section 5 that keys and signatures are made
 * of: string and mpint.  Reading never goes beyond the bytes given and
 * takes mpints that are positive and minimal only.
 */
#ifndef MK_CORE_SSHWIRE_H
#define MK_CORE_SSHWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_buf;

/* What has not been read yet. */
struct mk_wire {
	const uint8_t *p;
	size_t left;
};

/* The next string; points into the input.  False: cut short, nothing read. */
bool	mk_wire_string(struct mk_wire *w, const uint8_t **ret_p,
	    size_t *ret_len);

/* The next mpint without its sign octet; false also if 0, < 0 or padded. */
bool	mk_wire_mpint(struct mk_wire *w, const uint8_t **ret_p,
	    size_t *ret_len);

/* Lengths must fit 32 bits; the mpint is big-endian without leading 00. */
void	mk_wire_put_string(struct mk_buf *out, const void *data, size_t len);
void	mk_wire_put_mpint(struct mk_buf *out, const uint8_t *n, size_t len);

#endif
