/* SPDX-License-Identifier: ISC */
/*
 * ~/.ssh: the key that belongs to the Mesh, and the block in ~/.ssh/config
 * that names it.  Files of the user are never lost: what is replaced is
 * replaced whole, through her symbolic links, with the mode it had.
 */
#ifndef MK_EDGE_SSH_DIR_H
#define MK_EDGE_SSH_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/root.h"

struct mk_why;

#define MK_SSH_KEY	"id_ed25519_mesh"
#define MK_SSH_KEY_NEW	"id_ed25519_mesh.new"	/* not yet in the profile */
#define MK_SSH_KEY_OLD	"id_ed25519_mesh.old"	/* not any more */

struct mk_ssh_dir {
	char *path;		/* malloc'd, absolute */
	int fd;
};

/*
 * Opens ~/.ssh, which may be a symbolic link of the user's; makes it, 0700,
 * if asked.  ~ is that of mk_home_of_user(): ssh(1) itself asks passwd
 * alone, so whoever has another $HOME has to give ssh the names of the
 * files.  MK_E_ABSENT without a reason, MK_E_PERM with the repair command
 * if it is another's or others may write to it, MK_E_SYSTEM.
 */
int	mk_ssh_dir_open(bool make, struct mk_ssh_dir *ret_dir,
	    struct mk_why *why);
void	mk_ssh_dir_close(struct mk_ssh_dir *dir);

/* Whether there is a file of that name, of whatever kind. */
bool	mk_ssh_dir_has(const struct mk_ssh_dir *dir, const char *name);

/* "<path>/<name>", malloc'd; NULL for want of memory. */
char	*mk_ssh_dir_name(const struct mk_ssh_dir *dir, const char *name);

/*
 * Reads a file, through symbolic links.  MK_E_ABSENT without a reason,
 * MK_E_TOOBIG, MK_E_PERM, with the repair command, for what ssh(1) would
 * refuse as its configuration: another's but root's, or writable by group
 * or others; MK_E_SYSTEM.
 */
int	mk_ssh_dir_read(const struct mk_ssh_dir *dir, const char *name,
	    size_t max, struct mk_file *ret_file, struct mk_why *why);

/*
 * Writes or replaces; a new file is 0600, another one keeps its mode.  A
 * symbolic link stays: what it leads to is replaced.  MK_E_PERM for what
 * mk_ssh_dir_read() refuses, for what is not the user's own, and for a link
 * that leads nowhere; MK_E_SYSTEM.
 */
int	mk_ssh_dir_write(const struct mk_ssh_dir *dir, const char *name,
	    const void *data, size_t len, struct mk_why *why);

/*
 * A new key pair MK_SSH_KEY_NEW by ssh-keygen(1), which asks for the
 * passphrase itself if 'passphrase'.  Who looks for the private key finds
 * both files or none.  A pair that lies there is replaced, once the new
 * one is whole.  MK_E_ABSENT with a reason without ssh-keygen; MK_E_USAGE
 * if there is no terminal to ask at or nothing was typed; MK_E_PERM,
 * MK_E_SYSTEM.
 */
int	mk_ssh_dir_keygen(const struct mk_ssh_dir *dir, const char *comment,
	    bool passphrase, struct mk_why *why);

/*
 * Makes the new pair MK_SSH_KEY, in place of the one before, which stays as
 * MK_SSH_KEY_OLD where the file system has links; nothing to do is no error.
 * Killed at any moment it leaves a key that ssh(1) can use, the old or the
 * new one, and is right when run again.  MK_E_ABSENT with a reason if there
 * is neither, MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_ssh_dir_adopt(const struct mk_ssh_dir *dir, struct mk_why *why);

/* Removes the MK_SSH_KEY_OLD that was put aside before 'time', in seconds
   since 1970; none is no error. */
int	mk_ssh_dir_expire(const struct mk_ssh_dir *dir, int64_t time,
	    struct mk_why *why);

#endif
