/* SPDX-License-Identifier: ISC */
/*
 * The strict lexical scan that every JSON text passes before the parser
 * sees it; json.c is its only caller.  After it a text
 *
 * - holds no NUL, raw or as \u0000, no byte order mark, no control outside
 *   strings but space, tab, CR and LF, and none inside but LF, before
 *   every 64 characters or nowhere;
 * - is well-formed UTF-8 (RFC 3629), outside strings ASCII;
 * - has only the escapes of RFC 8259, surrogates in pairs;
 * - opens at most MK_JSON_DEPTH brackets, closes as many, ends every
 *   string, and has nothing but space behind the outermost bracket.
 *
 * The grammar itself is left to the parser.
 */
#ifndef MK_CORE_JSON_SCAN_H
#define MK_CORE_JSON_SCAN_H

#include <stddef.h>

struct mk_why;

/*
 * Scans 'len' bytes, one pass, no memory.  0 with the number of raw line
 * feeds inside strings, or MK_E_REFUSED with the reason and its offset.
 */
int	mk_json_scan(const char *text, size_t len, const char *stage,
	    size_t *ret_raw_lf, struct mk_why *why);

#endif
