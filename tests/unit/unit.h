/* SPDX-License-Identifier: ISC */
/*
 * What every unit test defines: its suite, which main.c runs.
 */
#ifndef MK_TESTS_UNIT_H
#define MK_TESTS_UNIT_H

#include <check.h>

Suite	*mk_suite(void);

#endif
