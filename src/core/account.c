/* SPDX-License-Identifier: ISC */
/*
 * Every character is judged by a range of ASCII, so that no locale, escape
 * or other script can spell a name in a second way.
 */
#include <string.h>

#include "core/account.h"
#include "core/buf.h"
#include "core/portal.h"

#define LOCAL_MAX	64u
#define LABEL_MAX	63u

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Both ends are letters or digits, and all between too, or in 'others'. */
static bool
is_word(const char *s, size_t n, size_t max, const char *others)
{
	size_t i;

	if (n == 0 || n > max || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (i = 0; i < n; i++) {
		/* strchr() finds the NUL at the end, too. */
		if (!is_alnum(s[i]) &&
		    (s[i] == '\0' || strchr(others, s[i]) == NULL))
			return false;
	}
	return true;
}

static bool
is_local(const char *s, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (s[i - 1] == '.' && s[i] == '.')
			return false;
	}
	return is_word(s, n, LOCAL_MAX, "._+-");
}

static bool
is_domain(const char *s, size_t n)
{
	const char *dot;

	while ((dot = memchr(s, '.', n)) != NULL) {
		if (!is_word(s, (size_t)(dot - s), LABEL_MAX, "-"))
			return false;
		n -= (size_t)(dot + 1 - s);
		s = dot + 1;
	}
	return is_word(s, n, LABEL_MAX, "-");
}

bool
mk_account_parse(const char *s, size_t n, struct mk_account *ret_account)
{
	struct mk_account account = { { 0 }, 0 };
	const char *at;
	size_t i;

	if (n > MK_ACCOUNT_MAX)
		return false;
	for (i = 0; i < n; i++)
		account.text[i] = lower(s[i]);
	at = memchr(account.text, '@', n);
	if (at == NULL)
		return false;
	account.local = (size_t)(at - account.text);
	if (!is_local(account.text, account.local) ||
	    !is_domain(at + 1, n - account.local - 1))
		return false;
	*ret_account = account;
	return true;
}

const char *
mk_account_domain(const struct mk_account *account)
{
	return account->text + account->local + 1;
}

void
mk_account_url(const char *portal, const struct mk_account *account,
    struct mk_buf *out)
{
	size_t i;

	mk_portal_post_url(portal, out);
	mk_buf_puts(out, "account/");
	for (i = 0; i < account->local; i++) {
		/* Servers there are that take a plus for a space. */
		if (account->text[i] == '+')
			mk_buf_puts(out, "%2B");
		else
			mk_buf_putc(out, account->text[i]);
	}
	mk_buf_puts(out, account->text + account->local);
	mk_buf_puts(out, ".json");
}

/* The value of a hexadecimal digit, or -1. */
static int
digit(char c)
{
	c = lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
mk_account_from_url(const char *s, size_t n, struct mk_account *ret_account)
{
	char text[MK_ACCOUNT_MAX];
	size_t i, len = 0;
	int high, low;

	for (i = 0; i < n; i++) {
		if (len == sizeof(text))
			return false;
		text[len] = s[i];
		if (s[i] == '%') {
			high = n - i > 2 ? digit(s[i + 1]) : -1;
			low = high >= 0 ? digit(s[i + 2]) : -1;
			if (low < 0)
				return false;
			text[len] = (char)(high << 4 | low);
			i += 2;
		}
		len++;
	}
	return mk_account_parse(text, len, ret_account);
}
