/* SPDX-License-Identifier: ISC */
/*
 * Runs a target over files, for compilers without libFuzzer: to try a
 * corpus, or one input again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define INPUT_MAX	((size_t)8 << 20)

static int
run_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX), *exact;
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL || data == NULL) {
		perror(path);
		free(data);
		return 1;
	}
	len = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	/* Of the very size, so that a sanitizer sees the end of it. */
	exact = realloc(data, len > 0 ? len : 1);
	if (exact == NULL)
		exact = data;
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		failed |= run_file(argv[i]);
	return failed;
}
