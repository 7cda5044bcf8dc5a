// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer target: the whole reader of a guest's memory, on memories that the input changes
 * (patch.h says how). tests/fuzz/run builds and runs it.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say_most(void)
{
	printf("most: %llu runs, %llu passed all gates; reads %llu, %llu KiB; own memory %llu KiB; "
	       "CPU %.0f ms\n",
	       (unsigned long long)check_most.runs, (unsigned long long)check_most.passed,
	       (unsigned long long)check_most.calls, (unsigned long long)check_most.bytes >> 10,
	       (unsigned long long)check_most.own_bytes >> 10, check_most.ms);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	atexit(say_most);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = check_input(data, size);

	if (why) {
		fprintf(stderr, "wrong: %s\n", why);
		abort();
	}
	return 0;
}
