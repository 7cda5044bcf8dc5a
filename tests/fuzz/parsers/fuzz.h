// SPDX-License-Identifier: Apache-2.0
/*
 * What the fuzz targets of the parsers share. A target is one file with LLVMFuzzerTestOneInput():
 * it hands the input to a parser as the outside would, and checks what may not come out of it.
 * libFuzzer drives it (tests/fuzz/parsers/run); replay.c, a plain main, runs what is in
 * tests/fuzz/corpora.
 */
#ifndef FCP_TESTS_FUZZ_PARSERS_FUZZ_H
#define FCP_TESTS_FUZZ_PARSERS_FUZZ_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of an input that are left. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/* 0 at the end. */
uint8_t take_byte(struct bytes *bytes);
uint64_t take_u64(struct bytes *bytes);

/* What stands before the next separator, or all that is left. */
struct bytes take_until(struct bytes *bytes, uint8_t separator);

/* A copy with a NUL behind it; owned. */
char *text_of_bytes(struct bytes bytes);

/* A memfd that holds these bytes, the same one at every call; its offset is 0. Not to be closed. */
int memfd_of(struct bytes bytes);

/* Its path, for what opens by path. */
const char *memfd_path(void);

/* Says what is wrong of a result, and aborts. */
void expect(bool right, const char *what);

/* A failure has a class and a message, which can be shown. */
void expect_error(const struct fcp_error *err);

/*
 * A flag names each step once, and no figure is longer than a day; one that is on has a figure.
 * The warnings can be shown.
 */
void expect_flags(const struct fcp_flags *flags);

#endif
