/* SPDX-License-Identifier: ISC */
/*
 * Runs the suite that it is linked with; check's environment variables
 * decide how it reports.
 */
#include <stdlib.h>

#include "unit.h"

int
main(void)
{
	SRunner *runner;
	int failed;

	runner = srunner_create(mk_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
