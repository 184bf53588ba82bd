/* SPDX-License-Identifier: ISC */
/*
 * /var/lib/meshkeys/<UDF>.keys: every SSH key of a device that this host
 * has ever seen, for key revocation lists and for reading logs.  One line
 * each: "type base64 device first-seen last-seen proof", times as in
 * mesh-profile-set(5) or "-", proof "yes" or "no".  Keys are never removed;
 * at most MK_KEYLOG_MAX lines, then new ones are left out and it is told.
 */
#ifndef MK_CORE_KEYLOG_H
#define MK_CORE_KEYLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/accept.h"
#include "core/udf.h"

struct mk_arena;
struct mk_buf;
struct mk_sshkey;
struct mk_why;

#define MK_KEYLOG_MAX	4096u		/* lines of a profile */
#define MK_KEYLOG_BYTES	(48u << 20)	/* bytes of such a file */

/* What update is done with. */
struct mk_keylog {
	struct mk_bytes old;		/* no data: there is no file */
	const struct mk_verified_view *view;
	int64_t now;
};

/*
 * The file's text after the keys of 'view' were seen at 'now', into 'out':
 * lines of keys that are there keep first-seen and get last-seen, new ones
 * are added at the end; a proof that has verified once stays "yes".  A
 * damaged file is MK_E_SYSTEM.  *ret_left_out counts the new keys for
 * which there was no room.  'a' is best one of its own: mk_verify_memory()
 * of the set is enough.  'out' has a maximum of MK_KEYLOG_BYTES.
 */
int	mk_keylog_update(struct mk_arena *a, const struct mk_keylog *log,
	    struct mk_buf *out, size_t *ret_left_out, struct mk_why *why);

/* One line of such a file, as long as its bytes. */
struct mk_keylog_line {
	const char *text;		/* "type base64" */
	size_t len;
	struct mk_udf device;
	int64_t first, last;		/* MK_TIME_NONE: the clock was off */
	bool proof;
	unsigned number;		/* from 1 */
};

struct mk_keylog_reader {
	void (*see)(void *arg, const struct mk_keylog_line *line,
	    const struct mk_sshkey *key);
	void *arg;
};

/*
 * Shows each line in its order, its key only meanwhile.  MK_E_SYSTEM for a
 * damaged file, after the lines in front of the damage.
 */
int	mk_keylog_each(const struct mk_bytes *file,
	    const struct mk_keylog_reader *reader, struct mk_why *why);

#endif
