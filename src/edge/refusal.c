/* SPDX-License-Identifier: ISC */
/*
 * <UDF>.refused: one line "CODE REASON" whose mtime is the time when it was
 * logged last.  A refused set is met again at each run, and would fill the
 * log.  The note lies in the cache, since to lose it costs one line of log.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/keeper.h"

#define QUIET	3600	/* seconds between two lines about the same */

/* A code, a blank, the reason, a line feed. */
#define NOTE_MAX	(16 + sizeof(((struct mk_why *)NULL)->detail))

/* Whether the same was logged a short while ago. */
static bool
is_known(const struct mk_store *store, const char *name, const char *note,
    int64_t now)
{
	struct mk_file file;
	bool same;

	if (mk_dir_read(&store->cache, name, NOTE_MAX, &file, NULL) != MK_OK)
		return false;
	same = file.len == strlen(note) &&
	    memcmp(file.data, note, file.len) == 0;
	mk_file_release(&file);
	/* A time in the future could keep us silent for years. */
	return same && file.mtime <= now && now - file.mtime <= QUIET;
}

bool
mk_store_note_refusal(const struct mk_store *store, const struct mk_udf *udf,
    const struct mk_why *refusal, int64_t now)
{
	char name[MK_STORE_NAME], note[NOTE_MAX];
	struct mk_content content = { .data = (const uint8_t *)note,
	    .mtime = now, .sync = MK_SYNC_NEVER };

	if (store->cache.fd == -1)
		return true;
	mk_store_name(udf, ".refused", name);
	snprintf(note, sizeof(note), "%d %s\n",
	    mk_exit_code(refusal->code == MK_E_ABSENT ? MK_E_NOPROFILE :
	    refusal->code), refusal->detail);
	if (is_known(store, name, note, now))
		return false;
	/* One that cannot be noted is logged too often, never too rarely. */
	content.len = strlen(note);
	(void)mk_dir_replace(&store->cache, name, &content, NULL);
	return true;
}

/* "CODE REASON" with its line feed; other bytes than ours are no note. */
static bool
read_note(const struct mk_file *file, struct mk_refusal *refusal)
{
	const char *s = (const char *)file->data;
	size_t len = file->len, i;

	if (len < 4 || s[len - 1] != '\n' || s[2] != ' ' ||
	    s[0] < '1' || s[0] > '9' || s[1] < '0' || s[1] > '9' ||
	    len - 4 >= sizeof(refusal->reason))
		return false;
	for (i = 3; i < len - 1; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	refusal->status = 10 * (s[0] - '0') + s[1] - '0';
	refusal->time = file->mtime;
	memcpy(refusal->reason, s + 3, len - 4);
	refusal->reason[len - 4] = '\0';
	return true;
}

int
mk_store_refusal(const struct mk_store *store, const struct mk_udf *udf,
    struct mk_refusal *ret_refusal)
{
	char name[MK_STORE_NAME];
	struct mk_file file = { .data = NULL };
	int r;

	if (store->cache.fd == -1)
		return MK_E_ABSENT;
	mk_store_name(udf, ".refused", name);
	r = mk_dir_read(&store->cache, name, NOTE_MAX, &file, NULL);
	if (r == MK_OK && !read_note(&file, ret_refusal))
		r = MK_E_SYSTEM;
	mk_file_release(&file);
	return r == MK_E_TOOBIG ? MK_E_SYSTEM : r;
}

void
mk_store_forget_refusal(const struct mk_store *store,
    const struct mk_udf *udf)
{
	char name[MK_STORE_NAME];

	if (store->cache.fd == -1)
		return;
	mk_store_name(udf, ".refused", name);
	(void)unlinkat(store->cache.fd, name, 0);
}
