/* SPDX-License-Identifier: ISC */
/*
 * Errors: a code for programs and a reason for people.
 *
 * A function returns 0 or a negative MK_E_*, never errno and never the
 * code of a library.  The reason is filled in where the fact is known and
 * logged once, by the program.  It never carries text of a document: only
 * our own words, numbers, and fingerprints that have been parsed.
 */
#ifndef MK_CORE_ERR_H
#define MK_CORE_ERR_H

enum {
	MK_OK		= 0,
	/* Negated exit codes of sysexits(3), as sshd logs them. */
	MK_E_USAGE	= -64,
	MK_E_REFUSED	= -65,	/* forged, replayed, expired, over a limit */
	MK_E_NOPROFILE	= -66,	/* no such profile in the cache */
	MK_E_BUG	= -70,
	MK_E_SYSTEM	= -71,	/* memory, I/O, a damaged memory of a host */
	MK_E_STALE	= -75,	/* too old to be used */
	MK_E_PERM	= -77,	/* unreadable, or others could write it */
	MK_E_CONFIG	= -78,
	/* Never an exit code: the caller says what they mean to it. */
	MK_E_ABSENT	= -1,	/* no such file */
	MK_E_TOOBIG	= -2	/* over the size that the caller named */
};

struct mk_why {
	int code;		/* the MK_E_* returned with it */
	char stage[16];		/* a word for the step: "set", "master" */
	char detail[320];	/* lower case, no full stop, printable ASCII */
};

/*
 * Notes a reason and returns 'code', so that refusals read
 * "return mk_fail(why, MK_E_REFUSED, ...)".  'why' may be NULL.  What does
 * not fit the detail is cut; bytes outside 0x20-0x7E become '?'.
 */
int	mk_fail(struct mk_why *why, int code, const char *stage,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* 0 for MK_OK, else the sysexits(3) number of 'code'; 70 for a stranger. */
int	mk_exit_code(int code);

#endif
