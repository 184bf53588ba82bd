/* SPDX-License-Identifier: ISC */
/*
 * What the tests of the verifier share: one set, one demand, and what came
 * of it.
 */
#ifndef MK_TESTS_VERIFY_CASE_H
#define MK_TESTS_VERIFY_CASE_H

#include "make_set.h"

/* The application's Identifier in every set. */
#define APP		"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"

#define TEXT32		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define TEXT256		TEXT32 TEXT32 TEXT32 TEXT32 TEXT32 TEXT32 TEXT32 TEXT32
#define TEXT1K		TEXT256 TEXT256 TEXT256 TEXT256
#define TEXT8K		TEXT1K TEXT1K TEXT1K TEXT1K TEXT1K TEXT1K TEXT1K \
			TEXT1K

extern struct made made;
extern struct mk_demand demand;
extern const struct mk_verified_view *view;
extern struct mk_why why;

void	case_setup(void);
void	case_teardown(void);

/* Makes the set of a recipe, and the demand for all of its keys. */
void	case_make(const struct recipe *recipe);

/* The code of the verifier; 'view' or 'why' tell more. */
int	case_verify(void);
void	case_accept(void);
void	case_refuse(const char *stage, const char *words);

size_t	case_count(enum mk_verdict verdict);

/* The texts in a row, "@" in the second being a UDF; to be freed. */
char	*case_fill(const char *before, const char *text, const char *behind,
	    const struct mk_udf *udf);

#endif
