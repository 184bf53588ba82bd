/* SPDX-License-Identifier: ISC */
/*
 * Where paths begin, and how files are opened safely (DESIGN: "Owner
 * rule").  Without --root paths are the system's; with it they are resolved
 * inside DIR by openat2(2) with RESOLVE_IN_ROOT.
 *
 * A directory is trusted if it and every parent belong to root and nobody
 * else may write; one of our stores may itself belong to another user,
 * since root gave it to her.  Symbolic links on the way are followed (only
 * root can have made them); the real parents are the ones that are checked.
 */
#ifndef MK_EDGE_ROOT_H
#define MK_EDGE_ROOT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_why;

struct mk_root {
	int fd;			/* -1: the system's own root */
	uid_t self;		/* trusted too below a --root */
	const char *name;	/* DIR, or "": what messages put before paths,
				   so that a repair command hits the right
				   file; borrowed */
};

/* 'dir' NULL is the system's root.  MK_E_PERM, MK_E_CONFIG, MK_E_SYSTEM. */
int	mk_root_open(const char *dir, struct mk_root *ret_root,
	    struct mk_why *why);
void	mk_root_close(struct mk_root *root);

enum mk_owner {
	MK_OWNED_BY_ROOT,	/* configuration */
	MK_OWNED_BY_ANYONE	/* cache and memory: the directory's owner */
};

struct mk_dir {
	const struct mk_root *root;
	const char *path;	/* for messages; borrowed */
	int fd;			/* -1: not open */
	uid_t owner;
};

struct mk_file {
	uint8_t *data;		/* malloc'd, a NUL behind 'len' bytes */
	size_t len;
	int64_t mtime;		/* seconds since 1970 */
	bool closed;		/* not everybody may read it */
};

/*
 * Opens a directory and judges it and its parents.  'path' is absolute and
 * must outlive *ret_dir.  MK_E_ABSENT, MK_E_PERM with the repair command,
 * MK_E_SYSTEM.
 */
int	mk_dir_open(const struct mk_root *root, const char *path,
	    enum mk_owner owner, struct mk_dir *ret_dir, struct mk_why *why);
void	mk_dir_close(struct mk_dir *dir);

/*
 * Reads a whole file of at most 'max' bytes: a regular file, not a symbolic
 * link, owned by root or the directory's owner, not writable by group or
 * others; opened without blocking.  MK_E_ABSENT, MK_E_PERM with the repair
 * command, MK_E_TOOBIG, MK_E_SYSTEM; a reason with each but MK_E_ABSENT.
 */
int	mk_dir_read(const struct mk_dir *dir, const char *name, size_t max,
	    struct mk_file *ret_file, struct mk_why *why);
void	mk_file_release(struct mk_file *file);

/* Who takes a file in pieces. */
struct mk_taker {
	void (*begin)(void *ctx);	/* the first piece comes next */
	/* Whole lines; only the last piece may end without a line feed. */
	int (*take)(void *ctx, char *lines, size_t len, struct mk_why *why);
	void *ctx;
};

/*
 * The same for a file that need not be in memory at once.  A piece has
 * room for a NUL behind it.  What take() refuses ends the reading.
 */
int	mk_dir_scan(const struct mk_dir *dir, const char *name, size_t max,
	    const struct mk_taker *taker, struct mk_why *why);

/* What a file is to hold. */
struct mk_content {
	const uint8_t *data;
	size_t len;
	int64_t mtime;		/* seconds since 1970; negative: now */
	enum {
		MK_SYNC,	/* a crash leaves the old or the new one */
		MK_SYNC_SOON,	/* the caller's next file syncs the directory */
		MK_SYNC_NEVER	/* no loss if a crash takes it */
	} sync;
};

/*
 * Writes a file so that readers see the old or the new one, never a torn
 * one: a temporary file in the same directory, mode 0644, the directory's
 * owner, its mtime, synced, renamed, the directory synced, as 'sync' has
 * it.  MK_E_PERM,
 * MK_E_SYSTEM; on failure the old file stays and no temporary file is left.
 */
int	mk_dir_replace(const struct mk_dir *dir, const char *name,
	    const struct mk_content *content, struct mk_why *why);

/*
 * Reads a file named by the administrator on the command line "as it
 * stands": any path, but regular and owned as above, its parents unchecked.
 */
int	mk_file_read(const char *path, size_t max, struct mk_file *ret_file,
	    struct mk_why *why);

/*
 * Whether sshd would run this program: absolute path, regular, executable,
 * owned by root as are all parents, none writable by group or others.
 * MK_E_CONFIG with the repair command.
 */
int	mk_program_check(const struct mk_root *root, const char *path,
	    struct mk_why *why);

#endif
