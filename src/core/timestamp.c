/* SPDX-License-Identifier: ISC */
/*
 * Days are counted in years that begin on the first of March, so that the
 * leap day is the last of its year and months need no table of their own.
 */
#include "core/timestamp.h"

#include <string.h>

#define YEAR_MIN	2015
#define YEAR_MAX	2199
#define DAY_SECONDS	86400

/* Days from 0000-03-01 to 1970-01-01. */
#define EPOCH_DAYS	719468

struct civil {
	int year, month, day;
};

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_of_month(int year, int month)
{
	static const int days[12] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. */
static int64_t
days_of_civil(const struct civil *c)
{
	int year = c->month <= 2 ? c->year - 1 : c->year;
	int month = c->month <= 2 ? c->month + 9 : c->month - 3;
	int day_of_year = (153 * month + 2) / 5 + c->day - 1;

	return (int64_t)year * 365 + year / 4 - year / 100 + year / 400 +
	    day_of_year - EPOCH_DAYS;
}

static int64_t
seconds_of_year(int year)
{
	struct civil c = { year, 1, 1 };

	return days_of_civil(&c) * DAY_SECONDS;
}

static struct civil
civil_of_days(int64_t days)
{
	struct civil c = { YEAR_MIN, 1, 1 };
	int64_t left = days - days_of_civil(&c);

	for (; left >= 365 + is_leap(c.year); c.year++)
		left -= 365 + is_leap(c.year);
	for (; left >= days_of_month(c.year, c.month); c.month++)
		left -= days_of_month(c.year, c.month);
	c.day += (int)left;
	return c;
}

/* 'n' digits, which the caller has seen to be digits. */
static int
number(const char *s, size_t n)
{
	int v = 0;

	while (n-- > 0)
		v = v * 10 + (*s++ - '0');
	return v;
}

static bool
has_form(const char *s, size_t n)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	size_t i;

	if (n != MK_TIME_LEN)
		return false;
	for (i = 0; i < n; i++) {
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' :
		    s[i] != form[i])
			return false;
	}
	return true;
}

bool
mk_time_parse(const char *s, size_t n, int64_t *ret_t)
{
	struct civil c;
	int hour, minute, second;

	if (!has_form(s, n))
		return false;
	c.year = number(s, 4);
	c.month = number(s + 5, 2);
	c.day = number(s + 8, 2);
	hour = number(s + 11, 2);
	minute = number(s + 14, 2);
	second = number(s + 17, 2);
	if (c.year < YEAR_MIN || c.year > YEAR_MAX ||
	    c.month < 1 || c.month > 12 ||
	    c.day < 1 || c.day > days_of_month(c.year, c.month))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_t = days_of_civil(&c) * DAY_SECONDS + hour * 3600 +
	    minute * 60 + second;
	return true;
}

/* 'n' digits of 'v' behind the separator 'sep', unless that is NUL. */
static char *
put(char *p, char sep, int v, int n)
{
	int i;

	if (sep != '\0')
		*p++ = sep;
	for (i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

void
mk_time_format(int64_t t, char out[MK_TIME_LEN + 1])
{
	struct civil c;
	int second;
	char *p;

	if (t < seconds_of_year(YEAR_MIN) ||
	    t >= seconds_of_year(YEAR_MAX + 1)) {
		memcpy(out, t == MK_TIME_NONE ? "-" : "?", 2);
		return;
	}
	c = civil_of_days(t / DAY_SECONDS);
	second = (int)(t % DAY_SECONDS);
	p = put(out, '\0', c.year, 4);
	p = put(p, '-', c.month, 2);
	p = put(p, '-', c.day, 2);
	p = put(p, 'T', second / 3600, 2);
	p = put(p, ':', second / 60 % 60, 2);
	p = put(p, ':', second % 60, 2);
	*p++ = 'Z';
	*p = '\0';
}
