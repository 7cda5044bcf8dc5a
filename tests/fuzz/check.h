// SPDX-License-Identifier: Apache-2.0
/* Runs the reader on an input, and says what of that cannot be. */
#ifndef FCP_TESTS_FUZZ_CHECK_H
#define FCP_TESTS_FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* The most of all runs until now. */
struct check_most {
	uint64_t runs, passed; /* passed: all gates */
	uint64_t calls, bytes; /* that were read */
	uint64_t own_bytes;    /* of memory */
	double ms;	       /* of CPU time */
};

extern struct check_most check_most;

/* NULL, or what is wrong; static storage. */
const char *check_input(const uint8_t *data, size_t size);

#endif
