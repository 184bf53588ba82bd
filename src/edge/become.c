/* SPDX-License-Identifier: ISC */
/*
 * From root to the owner of the stores, for good.
 */
#include <sys/prctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"
#include "edge/keeper.h"
#include "edge/source.h"

struct account {
	const char *name;	/* NULL: known by numbers only */
	uid_t uid;
	gid_t gid;
};

static int
account_by_name(struct account *ret_account, struct mk_why *why)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(MK_KEEPER_USER);
	if (pw == NULL && mk_lookup_failed(errno))
		return mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot look up '" MK_KEEPER_USER "': %s",
		    strerror(errno));
	if (pw == NULL)
		return mk_fail(why, MK_E_CONFIG, "user",
		    "no user '" MK_KEEPER_USER "'; run: useradd --system "
		    "--user-group --no-create-home "
		    "--shell /usr/sbin/nologin " MK_KEEPER_USER);
	/* What talks to strangers all day must not be root by a typo. */
	if (pw->pw_uid == 0)
		return mk_fail(why, MK_E_CONFIG, "user",
		    "the user '" MK_KEEPER_USER "' is root itself");
	*ret_account = (struct account){ MK_KEEPER_USER, pw->pw_uid,
	    pw->pw_gid };
	return MK_OK;
}

/* An image that belongs to somebody does not get root to work in it. */
static int
check_image(const struct mk_root *root, struct mk_why *why)
{
	const char *q = mk_path_quote(root->name);
	struct stat st;

	if (fstat(root->fd, &st) != 0)
		return mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot examine the root: %s", strerror(errno));
	if (st.st_uid == 0)
		return MK_OK;
	return mk_fail(why, MK_E_PERM, "user",
	    "cannot work as root in '%s', owned by uid %lu; run: chown %lu "
	    "%s%s" MK_CACHEDIR "%s", root->name, (unsigned long)st.st_uid,
	    (unsigned long)st.st_uid, q, root->name, q);
}

static int
account_by_number(const struct mk_root *root, struct account *ret_account,
    struct mk_why *why)
{
	struct mk_dir dir;
	struct stat st;
	int r;

	r = mk_dir_open(root, MK_CACHEDIR, MK_OWNED_BY_ANYONE, &dir, why);
	if (r == MK_E_ABSENT)
		return mk_store_absent(root, MK_CACHEDIR, why);
	if (r != MK_OK)
		return r;
	if (fstat(dir.fd, &st) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot examine '%s': %s", MK_CACHEDIR, strerror(errno));
	else if (st.st_uid == 0)
		r = check_image(root, why);
	mk_dir_close(&dir);
	if (r == MK_OK)
		*ret_account = (struct account){ NULL, st.st_uid, st.st_gid };
	return r;
}

/* All of its kinds, and no way back. */
static bool
is_for_good(const struct account *account)
{
	uid_t real, effective, saved;
	gid_t group[3];

	if (getresuid(&real, &effective, &saved) != 0 ||
	    getresgid(&group[0], &group[1], &group[2]) != 0)
		return false;
	if (real != account->uid || effective != account->uid ||
	    saved != account->uid)
		return false;
	if (group[0] != account->gid || group[1] != account->gid ||
	    group[2] != account->gid)
		return false;
	if (setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
		return false;
	return account->gid == 0 || setegid(0) != 0;
}

static int
become(const struct account *account, struct mk_why *why)
{
	int r;

	/* Groups first: without root they cannot be given up. */
	if (account->name != NULL)
		r = initgroups(account->name, account->gid);
	else
		r = setgroups(1, &account->gid);
	if (r != 0 || setresgid(account->gid, account->gid, account->gid) != 0
	    || setresuid(account->uid, account->uid, account->uid) != 0)
		return mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot become uid %lu: %s",
		    (unsigned long)account->uid, strerror(errno));
	if (!is_for_good(account))
		return mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot become uid %lu for good",
		    (unsigned long)account->uid);
	return MK_OK;
}

int
mk_keeper_become(const struct mk_root *root, struct mk_why *why)
{
	struct account account = { .uid = 0 };
	int r = MK_OK;

	if (geteuid() == 0)
		r = root->fd >= 0 ? account_by_number(root, &account, why) :
		    account_by_name(&account, why);
	if (r == MK_OK && account.uid != 0)
		r = become(&account, why);
	/* Other processes of that user are not to look into this one. */
	if (r == MK_OK && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "user",
		    "cannot hide the memory: %s", strerror(errno));
	return r;
}
