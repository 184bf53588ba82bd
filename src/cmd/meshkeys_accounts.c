/* SPDX-License-Identifier: ISC */
/*
 * Whether this host has an account of a name.  The passwd file, read once,
 * tells of most; a directory is asked for the rest, as often and as long as
 * one may be asked.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshkeys_map.h"
#include "core/sort.h"
#include "edge/clock.h"
#include "edge/source.h"
#include "edge/words.h"

#define ASKED_MAX	1000u	/* names that getpwnam(3) is asked for */
#define ASKED_SECONDS	10	/* in all, before the last one is asked */

struct meshkeys_account {
	const char *name;	/* in the file */
	uid_t uid;
	size_t line;
};

static int
compare(const void *a, const void *b)
{
	const struct meshkeys_account *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	return d != 0 ? d : (x->line > y->line) - (x->line < y->line);
}

/* "name:x:uid:..."; a later line of the same name is nobody's. */
static bool
read_line(char *line, struct meshkeys_account *account)
{
	char *colon, *number, *end;
	unsigned long uid;

	line += strspn(line, " \t");
	if (line[0] == '+' || line[0] == '-' ||
	    (colon = strchr(line, ':')) == NULL || colon == line ||
	    (number = strchr(colon + 1, ':')) == NULL)
		return false;
	*colon = '\0';
	uid = strtoul(number + 1, &end, 10);
	if (end == number + 1 || *end != ':')
		return false;
	account->name = line;
	account->uid = (uid_t)uid;
	return true;
}

static size_t
count_lines(const struct mk_file *file)
{
	size_t n = 1, i;

	for (i = 0; i < file->len; i++)
		n += file->data[i] == '\n';
	return n;
}

static int
read_all(struct meshkeys_accounts *accounts, struct mk_why *why)
{
	char *cursor = (char *)accounts->file.data,
	    *end = cursor + accounts->file.len, *line;
	size_t len, number = 0;

	accounts->list = calloc(count_lines(&accounts->file),
	    sizeof(*accounts->list));
	if (accounts->list == NULL)
		return mk_fail(why, MK_E_SYSTEM, "passwd", "out of memory");
	while ((line = mk_line_next(&cursor, end, &len)) != NULL) {
		accounts->list[accounts->n].line = number++;
		if (read_line(line, &accounts->list[accounts->n]))
			accounts->n++;
	}
	mk_sort(accounts->list, accounts->n, sizeof(*accounts->list),
	    compare);
	return 0;
}

int
meshkeys_accounts_open(struct meshkeys *m,
    struct meshkeys_accounts *ret_accounts)
{
	struct meshkeys_accounts accounts = {
	    .local = m->place.root_dir != NULL };
	int e;

	e = mk_passwd_read(&m->keep.root, &accounts.file, &m->why);
	if (e == 0)
		e = read_all(&accounts, &m->why);
	if (e != 0 && e != MK_E_ABSENT) {
		meshkeys_accounts_close(&accounts);
		return e;
	}
	*ret_accounts = accounts;
	return 0;
}

void
meshkeys_accounts_close(struct meshkeys_accounts *accounts)
{
	mk_file_release(&accounts->file);
	free(accounts->list);
	accounts->list = NULL;
	accounts->n = 0;
}

/* The first of that name. */
static const struct meshkeys_account *
find(const struct meshkeys_accounts *accounts, const char *user)
{
	size_t low = 0, high = accounts->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(accounts->list[middle].name, user) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == accounts->n || strcmp(accounts->list[low].name, user) != 0)
		return NULL;
	return &accounts->list[low];
}

static int
ask_directory(struct meshkeys_accounts *accounts, const char *user,
    uid_t *ret_uid)
{
	const struct passwd *pw;

	if (accounts->asked == 0)
		accounts->since = mk_clock_ms() / 1000;
	if (accounts->failed || accounts->asked == ASKED_MAX ||
	    mk_clock_ms() / 1000 - accounts->since > ASKED_SECONDS)
		return MK_E_SYSTEM;
	accounts->asked++;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL && mk_lookup_failed(errno)) {
		accounts->failed = true;
		return MK_E_SYSTEM;
	}
	/* sshd asks for the name that the account itself has. */
	if (pw == NULL || strcmp(pw->pw_name, user) != 0)
		return MK_E_NOPROFILE;
	*ret_uid = pw->pw_uid;
	return 0;
}

int
meshkeys_accounts_find(struct meshkeys_accounts *accounts, const char *user,
    uid_t *ret_uid)
{
	const struct meshkeys_account *account = find(accounts, user);

	if (account != NULL)
		*ret_uid = account->uid;
	else if (accounts->local)
		return MK_E_NOPROFILE;
	return account != NULL ? 0 : ask_directory(accounts, user, ret_uid);
}
