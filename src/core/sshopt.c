/* SPDX-License-Identifier: ISC */
/*
 * authorized_keys options.  sshd takes flags from left to right, the last
 * word counting, so two lists are joined by what they permit in the end and
 * written anew, never one behind the other.
 *
 * Where sshd knows no option for "what both permit", the result is a line
 * that sshd refuses: two different command= or from= are an error to it,
 * and so is the tunnel="none" that stands for two different devices.  Of
 * several expiry-time= the earliest counts.  An environment= forbids
 * nothing; for one variable set by both, sshd takes the first, that of 'a'.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/sshopt.h"

#define STAGE		"options"

/* What a list permits. */
enum {
	P_PORT		= 1 << 0,
	P_AGENT		= 1 << 1,
	P_X11		= 1 << 2,
	P_PTY		= 1 << 3,
	P_RC		= 1 << 4,
	P_RESTRICTABLE	= (1 << 5) - 1,	/* what "restrict" takes away */
	P_UNRESTRICTED	= 1 << 5,	/* what later sshds will restrict */
	P_UNVERIFIED	= 1 << 6,	/* a security key without a PIN */
	P_UNTOUCHED	= 1 << 7,	/* and without a touch */
	P_DEFAULT	= P_RESTRICTABLE | P_UNRESTRICTED | P_UNVERIFIED
};

struct option {
	const char *name, *value;	/* value NULL if none, else quoted */
	size_t name_len, value_len;
};

static const struct flag {
	const char *name;
	unsigned int bit;
	bool demands;		/* the name takes away, "no-" permits */
} flags[] = {
	{ "port-forwarding", P_PORT, false },
	{ "agent-forwarding", P_AGENT, false },
	{ "X11-forwarding", P_X11, false },
	{ "pty", P_PTY, false },
	{ "user-rc", P_RC, false },
	{ "verify-required", P_UNVERIFIED, true },
	{ "touch-required", P_UNTOUCHED, true }
};

#define NFLAGS	(sizeof(flags) / sizeof(flags[0]))

/* Letters of the core's own, whatever the locale says. */
static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-';
}

/*
 * The end of a value behind its opening quote, or NULL.  As sshd does it:
 * \" is a quote, any other backslash stands for itself.
 */
static const char *
value_end(const char *s)
{
	while (*s != '"') {
		if (*s < 0x20 || *s > 0x7e)
			return NULL;
		s += s[0] == '\\' && s[1] == '"' ? 2 : 1;
	}
	return s + 1;
}

/* One option and the comma or end behind it; NULL or what is wrong. */
static const char *
scan(const char **sp, struct option *o)
{
	const char *s = *sp;

	*o = (struct option){ .name = s };
	while (is_name_char(*s))
		s++;
	o->name_len = (size_t)(s - o->name);
	if (o->name_len == 0)
		return "no name of letters, digits and dashes";
	if (*s == '=') {
		o->value = s + 1;
		if (*o->value != '"')
			return "the value is not in double quotes";
		s = value_end(o->value + 1);
		if (s == NULL)
			return "the value has no end or is not printable "
			    "ascii";
		o->value_len = (size_t)(s - o->value);
	}
	if (*s != ',' && *s != '\0')
		return "neither a comma nor the end follows";
	*sp = s;
	return NULL;
}

static bool
is_named(const struct option *o, const char *name)
{
	return strlen(name) == o->name_len &&
	    strncasecmp(o->name, name, o->name_len) == 0;
}

int
mk_sshopt_check(const char *list, struct mk_why *why)
{
	const char *s = list, *wrong;
	struct option o;
	size_t i;

	if (*list == '\0')
		return 0;
	for (i = 1;; i++) {
		wrong = scan(&s, &o);
		/* Whoever holds the key could sign for other keys. */
		if (wrong == NULL && (is_named(&o, "cert-authority") ||
		    is_named(&o, "principals")))
			wrong = "would make a device a certification "
			    "authority";
		if (wrong != NULL)
			return mk_fail(why, MK_E_CONFIG, STAGE,
			    "option %zu: %s", i, wrong);
		if (*s == '\0')
			return 0;
		s++;
	}
}

/* Steps through a list that has been checked; false at its end. */
static bool
next(const char **sp, struct option *o)
{
	if (**sp == '\0' || scan(sp, o) != NULL)
		return false;
	if (**sp == ',')
		(*sp)++;
	return true;
}

static bool
is_restrict(const struct option *o)
{
	return o->value == NULL && is_named(o, "restrict");
}

/* The flag that an option sets or, with "no-", clears; NULL if none. */
static const struct flag *
flag_of(const struct option *o, bool *ret_no)
{
	struct option bare = *o;
	size_t i;

	if (o->value != NULL)
		return NULL;
	*ret_no = o->name_len > 3 && strncasecmp(o->name, "no-", 3) == 0;
	if (*ret_no) {
		bare.name += 3;
		bare.name_len -= 3;
	}
	for (i = 0; i < NFLAGS; i++) {
		if (is_named(&bare, flags[i].name))
			return &flags[i];
	}
	return NULL;
}

static unsigned int
permissions(const char *list)
{
	unsigned int bits = P_DEFAULT;
	const struct flag *flag;
	struct option o;
	bool no;

	while (next(&list, &o)) {
		if (is_restrict(&o)) {
			bits &= ~(unsigned int)(P_RESTRICTABLE |
			    P_UNRESTRICTED);
			continue;
		}
		flag = flag_of(&o, &no);
		if (flag == NULL)
			continue;
		if (no == flag->demands)
			bits |= flag->bit;
		else
			bits &= ~flag->bit;
	}
	return bits;
}

/* Same name and same value, the value byte by byte. */
static bool
same(const struct option *x, const struct option *y)
{
	if (x->name_len != y->name_len || x->value_len != y->value_len ||
	    (x->value == NULL) != (y->value == NULL))
		return false;
	return strncasecmp(x->name, y->name, x->name_len) == 0 &&
	    (x->value == NULL ||
	    memcmp(x->value, y->value, x->value_len) == 0);
}

/* How often an option stands in a list before 'end', or at all if NULL. */
static size_t
count(const char *list, const char *end, const struct option *wanted)
{
	struct option o;
	size_t n = 0;

	while (next(&list, &o) && o.name != end) {
		if (same(&o, wanted))
			n++;
	}
	return n;
}

/* Whether a list has an option of that name with a value. */
static bool
has_name(const char *list, const char *name)
{
	struct option o;

	while (next(&list, &o)) {
		if (o.value != NULL && is_named(&o, name))
			return true;
	}
	return false;
}

/* permitopen= and permitlisten= widen each other within one list. */
static const char *
permit_name(const struct option *o)
{
	if (o->value == NULL)
		return NULL;
	if (is_named(o, "permitopen"))
		return "permitopen";
	return is_named(o, "permitlisten") ? "permitlisten" : NULL;
}

/* Whether both lists name destinations, and not one in common. */
static bool
permits_nothing(const char *a, const char *b, const char *name)
{
	const char *s = a;
	struct option o;

	if (!has_name(a, name) || !has_name(b, name))
		return false;
	while (next(&s, &o)) {
		if (o.value != NULL && is_named(&o, name) &&
		    count(b, NULL, &o) > 0)
			return false;
	}
	return true;
}

/* Whether two tunnel devices are named; sshd would take the last. */
static bool
tunnels_differ(const char *a, const char *b)
{
	const char *lists[2] = { a, b };
	struct option o, first = { 0 };
	size_t i;

	for (i = 0; i < 2; i++) {
		while (next(&lists[i], &o)) {
			if (o.value == NULL || !is_named(&o, "tunnel"))
				continue;
			if (first.name == NULL)
				first = o;
			else if (!same(&first, &o))
				return true;
		}
	}
	return false;
}

static void
put(struct mk_buf *out, size_t start, const char *s, size_t n)
{
	if (out->len > start)
		mk_buf_putc(out, ',');
	mk_buf_put(out, s, n);
}

static void
put_word(struct mk_buf *out, size_t start, const char *prefix,
    const char *word)
{
	put(out, start, prefix, strlen(prefix));
	mk_buf_puts(out, word);
}

static void
put_flags(struct mk_buf *out, size_t start, unsigned int bits)
{
	bool restricted, on;
	size_t i;

	restricted = (bits & P_UNRESTRICTED) == 0 ||
	    (bits & P_RESTRICTABLE) == 0;
	if (restricted)
		put_word(out, start, "", "restrict");
	for (i = 0; i < NFLAGS; i++) {
		on = (bits & flags[i].bit) != 0;
		if ((flags[i].bit & P_RESTRICTABLE) != 0) {
			if (on == restricted)
				put_word(out, start, on ? "" : "no-",
				    flags[i].name);
		} else if (on != ((P_DEFAULT & flags[i].bit) != 0)) {
			put_word(out, start, on ? "no-" : "", flags[i].name);
		}
	}
}

/*
 * The options of 'list' that are no flags and that 'skip', put out before,
 * does not have as often: a repeated command= is an error to sshd and has
 * to stay one.
 */
static void
put_others(struct mk_buf *out, size_t start, const char *list,
    const char *other, const char *skip)
{
	const char *s = list, *permit;
	struct option o;
	bool no;

	while (next(&s, &o)) {
		if (is_restrict(&o) || flag_of(&o, &no) != NULL)
			continue;
		permit = permit_name(&o);
		if (permit != NULL && has_name(other, permit) &&
		    count(other, NULL, &o) == 0)
			continue;
		if (count(list, o.name, &o) < count(skip, NULL, &o))
			continue;
		put(out, start, o.name, o.name_len);
		if (o.value != NULL) {
			mk_buf_putc(out, '=');
			mk_buf_put(out, o.value, o.value_len);
		}
	}
}

/* Whether the meet of a list and "" is that list as it stands. */
static bool
only_restricts(const char *list)
{
	return (permissions(list) & P_UNTOUCHED) == 0;
}

void
mk_sshopt_meet(const char *a, const char *b, struct mk_buf *out)
{
	size_t start = out->len;
	unsigned int bits;

	if (strcmp(a, b) == 0 || (*b == '\0' && only_restricts(a))) {
		mk_buf_puts(out, a);
		return;
	}
	if (*a == '\0' && only_restricts(b)) {
		mk_buf_puts(out, b);
		return;
	}
	bits = permissions(a) & permissions(b);
	/* No option says "to nowhere" but the one that stops it all. */
	if (permits_nothing(a, b, "permitopen") ||
	    permits_nothing(a, b, "permitlisten"))
		bits &= ~(unsigned int)P_PORT;
	put_flags(out, start, bits);
	put_others(out, start, a, b, "");
	put_others(out, start, b, a, a);
	if (tunnels_differ(a, b))
		put_word(out, start, "", "tunnel=\"none\"");
}
