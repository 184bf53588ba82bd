/* SPDX-License-Identifier: ISC */
/*
 * What every target here defines, and how they take their input apart.  A
 * target aborts where a promise of the core is broken; what is refused is
 * fine.  See contrib/fuzz/run.
 */
#ifndef CONTRIB_FUZZ_H
#define CONTRIB_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* One input.  The name is libFuzzer's. */
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise; never compiled out. */
#define FUZZ_HOLDS(x)	do { if (!(x)) abort(); } while (0)

#endif
