// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include "tap.h"

struct number {
	const char *text;
	bool suffixes;
	uint64_t value;
};

static void good_numbers(void)
{
	static const struct number numbers[] = {
		{"0", false, 0},
		{"00", false, 0},
		{"4096", false, 4096},
		{"007", false, 7},
		{"0x1000", false, 4096},
		{"0X1f", false, 31},
		{"18446744073709551615", false, UINT64_MAX},
		{"0xffffffffffffffff", false, UINT64_MAX},
		{"1", true, 1},
		{"1K", true, 1024},
		{"1k", true, 1024},
		{"2KiB", true, 2048},
		{"1M", true, UINT64_C(1) << 20},
		{"3GiB", true, UINT64_C(3) << 30},
		{"16T", true, UINT64_C(16) << 40},
		{"0x10K", true, 16384},
		{"16777215T", true, UINT64_C(16777215) << 40},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t value = 99;

		ok(fcp_parse_u64(numbers[i].text, numbers[i].suffixes, &value), "'%s' is a number",
		   numbers[i].text);
		is_u64(value, numbers[i].value, numbers[i].text);
	}
}

static void bad_numbers(void)
{
	static const struct number numbers[] = {
		{"", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"-1", false, 0},
		{"+1", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
		{"x", false, 0},
		{"0x", false, 0},
		{"0xg", false, 0},
		{"x10", false, 0},
		{"10h", false, 0},
		{"1K", false, 0},
		{"0x0x1", false, 0},
		{"\t1", false, 0},
		{"1\n", false, 0},
		{"18446744073709551616", false, 0},
		{"0x10000000000000000", false, 0},
		{"16777216T", true, 0},
		{"18446744073709551615K", true, 0},
		{"1KB", true, 0},
		{"1kib", true, 0},
		{"1Ki", true, 0},
		{"1KiBx", true, 0},
		{"K", true, 0},
		{"1P", true, 0},
		{"1 K", true, 0},
		{"-1K", true, 0},
		{"1.5K", true, 0},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t value = 99;

		ok(!fcp_parse_u64(numbers[i].text, numbers[i].suffixes, &value) && value == 99,
		   "'%s' is none, and the value is untouched", numbers[i].text);
	}
}

static void sums(void)
{
	uint64_t value = 7;

	ok(fcp_add_u64(UINT64_MAX - 1, 1, &value) && value == UINT64_MAX, "a sum up to 2^64 - 1");
	value = 7;
	ok(!fcp_add_u64(UINT64_MAX, 1, &value) && value == 7, "a sum of 2^64 does not fit");
}

static void alignment(void)
{
	is_u64(fcp_align_down(8191, 4096), 4096, "down");
	is_u64(fcp_align_down(8192, 4096), 8192, "down, aligned already");
	is_u64(fcp_align_up(4097, 4096), 8192, "up");
	is_u64(fcp_align_up(4096, 4096), 4096, "up, aligned already");
	is_u64(fcp_align_up(0, 4096), 0, "up, zero");
	is_u64(fcp_align_down(UINT64_MAX, 4096), UINT64_MAX - 4095, "down, the last page");
}

static void durations(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{"0", 0},
		{"1500", 1500},
		{"0x10", 16},
		{"1500ms", 1500},
		{"1.5s", 1500},
		{"0.001s", 1},
		{"2m", 120000},
		{"2min", 120000},
		{"0.5h", 1800000},
		{"1m30s", 90000},
		{"1h1m1s1ms", 3661001},
		{"18446744073709551616", UINT64_MAX},
		{"18446744073709551615h", UINT64_MAX},
	};
	static const char *const bad[] = {
		"",    " 1",  "-1",  "1.5",	".5s",		 "1.s",
		"1d",  "1S",  "s",   "1s1",	"1s 1s",	 "1.5ms",
		"1e3", "1s-", "1ss", "0.0005s", "0.1234567891s",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t ms = 99;

		ok(fcp_parse_ms(good[i].text, &ms), "'%s' is a duration", good[i].text);
		is_u64(ms, good[i].ms, good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t ms = 99;

		ok(!fcp_parse_ms(bad[i], &ms), "'%s' is not a duration", bad[i]);
	}
}

int main(void)
{
	good_numbers();
	bad_numbers();
	sums();
	alignment();
	durations();
	return done();
}
