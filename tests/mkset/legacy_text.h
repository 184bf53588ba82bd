/* SPDX-License-Identifier: ISC */
#ifndef TESTS_MKSET_LEGACY_TEXT_H
#define TESTS_MKSET_LEGACY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/udf.h"

struct mk_buf;

/* Arrays count as a depth, as objects do. */
struct ms_writer {
	struct mk_buf *out;
	unsigned depth;
	bool first;		/* nothing yet behind the last bracket */
};

void	ms_put_open(struct ms_writer *w, char bracket);
void	ms_put_close(struct ms_writer *w, char bracket);
void	ms_put_name(struct ms_writer *w, const char *name);
void	ms_put_element(struct ms_writer *w);
void	ms_put_text(struct ms_writer *w, const char *name, const char *text);
void	ms_put_udf(struct ms_writer *w, const char *name,
	    const struct mk_udf *udf);
void	ms_put_bytes(struct ms_writer *w, const char *name,
	    const uint8_t *bytes, size_t len);

#endif
