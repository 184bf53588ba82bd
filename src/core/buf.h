/* SPDX-License-Identifier: ISC */
/*
 * Growing text with a mandatory maximum and a sticky error, so that a
 * caller writes much and checks once.  Nothing is ever truncated: a buffer
 * that failed is refused as a whole.
 */
#ifndef MK_CORE_BUF_H
#define MK_CORE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct mk_why;

struct mk_buf {
	char *data;		/* NUL behind len bytes once non-empty */
	size_t len, size, max;
	int failed;		/* 0, MK_E_REFUSED (max) or MK_E_SYSTEM */
};

void	mk_buf_init(struct mk_buf *b, size_t max);
void	mk_buf_release(struct mk_buf *b);

void	mk_buf_put(struct mk_buf *b, const void *data, size_t len);
void	mk_buf_puts(struct mk_buf *b, const char *s);
void	mk_buf_putc(struct mk_buf *b, char c);
void	mk_buf_putu(struct mk_buf *b, uint64_t n);	/* decimal */
void	mk_buf_hex(struct mk_buf *b, const uint8_t *data, size_t len);

/* base64: the URL alphabet unpadded, or the standard one padded. */
void	mk_buf_b64url(struct mk_buf *b, const uint8_t *data, size_t len);
void	mk_buf_b64std(struct mk_buf *b, const uint8_t *data, size_t len);

/* Forgets all from 'len' on; an error stays. */
void	mk_buf_cut(struct mk_buf *b, size_t len);

/* 0, or the sticky error with its reason, the maximum named. */
int	mk_buf_check(const struct mk_buf *b, struct mk_why *why,
	    const char *stage);

#endif
