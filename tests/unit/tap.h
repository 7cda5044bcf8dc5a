// SPDX-License-Identifier: Apache-2.0
/*
 * The Test Anything Protocol for a C program: ok(), is_u64(), is_str(), skip(), and at the end of
 * main `return done();`, which prints the plan. The exit code is 1 when something failed.
 */
#ifndef FCP_TESTS_UNIT_TAP_H
#define FCP_TESTS_UNIT_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool passed, const char *format, ...)
{
	va_list args;

	tap_failed += !passed;
	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	/* A child that is forked next must not print it again. */
	fflush(stdout);
	return passed;
}

__attribute__((unused)) static bool is_u64(uint64_t got, uint64_t expected, const char *what)
{
	if (!ok(got == expected, "%s", what))
		printf("#      got %" PRIu64 " (0x%" PRIx64 ")\n# expected %" PRIu64 " (0x%" PRIx64
		       ")\n",
		       got, got, expected, expected);
	return got == expected;
}

__attribute__((unused)) static bool is_str(const char *got, const char *expected, const char *what)
{
	bool same = strcmp(got, expected) == 0;

	if (!ok(same, "%s", what))
		printf("#      got: %s\n# expected: %s\n", got, expected);
	return same;
}

/* Does got hold part? */
__attribute__((unused)) static bool has_str(const char *got, const char *part, const char *what)
{
	bool has = strstr(got, part) != NULL;

	if (!ok(has, "%s", what))
		printf("#           got: %s\n# expected in it: %s\n", got, part);
	return has;
}

__attribute__((unused)) static void skip(const char *what, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, what, reason);
	fflush(stdout);
}

__attribute__((unused)) static int done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed || fflush(stdout) != 0;
}

#endif
