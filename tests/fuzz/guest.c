// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer target: the whole reader of a guest's memory, on a made-up guest whose memory is
 * changed by the input (tests/unit/guest_patch.h says how). tests/fuzz/run builds and runs it.
 */
#include "tests/unit/guest_patch.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;

	if (!guest_patch_run(data, size, &why)) {
		fprintf(stderr, "wrong: %s\n", why);
		abort();
	}
	return 0;
}
