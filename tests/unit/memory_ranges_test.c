// SPDX-License-Identifier: Apache-2.0
#include "memory/range.h"

#include "memory_fixture.h"
#include "tap.h"

#include <sys/eventfd.h>

struct text_case {
	const char *what;
	const char *text;
	const char *expected; /* ranges in pages, or part of the error */
};

static int read_bytes(const void *bytes, size_t count, struct fcp_ranges *ranges,
		      struct fcp_error *err)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	const struct fcp_ranges_text text = {.size = sizeof(text),
					     .fd = fd,
					     .name = "r.txt",
					     .limit_bytes = UINT64_C(1) << 32,
					     .cancel_fd = -1};

	unlink(path);
	if (write(fd, bytes, count) != (ssize_t)count || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fcp_ranges_read(&text, ranges, err);
}

static void good_text(void)
{
	static const struct text_case cases[] = {
		{"one range", "4096 8192\n", "1+2"},
		{"no newline at the end", "4096 8192", "1+2"},
		{"hexadecimal", "0x1000 0X2000\n", "1+2"},
		{"blanks and tabs around", " \t4096\t 8192 \t\n", "1+2"},
		{"lines that end as on Windows", "4096 8192\r\n\r\n", "1+2"},
		{"comments and empty lines", "# a\n\n  # b\n4096 4096\n   \n#\n", "1+1"},
		{"unsorted lines are sorted", "40960 4096\n0 4096\n16384 8192\n", "0+1 4+2 10+1"},
		{"touching ranges are one", "8192 4096\n4096 4096\n", "1+2"},
		{"nothing at all", "", ""},
		{"what was found there, behind it", "0 4096 free\n8192 4096\tzero \n16384 4096\n",
		 "0+1 2+1 4+1"},
		{"kinds that meet are one", "0 4096 free\n4096 4096 zero\n", "0+2"},
		{"up to the limit", "0xfffff000 4096\n", "1048575+1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
		FCP_CLEANUP(free) char *text = NULL;
		struct fcp_error err = {0};

		if (!ok(read_bytes(cases[i].text, strlen(cases[i].text), &ranges, &err) == 0,
			"%s: is read", cases[i].what))
			printf("# %s\n", err.message);
		text = in_pages(&ranges);
		is_str(text, cases[i].expected, cases[i].what);
	}
}

static void bad_text(void)
{
	static const struct text_case cases[] = {
		{"one field", "0 4096\n4096\n", "r.txt: line 2: not two numbers"},
		{"another word behind it", "0 4096 used\n", "r.txt: line 1: not two numbers"},
		{"words behind it", "0 4096 free zero\n", "r.txt: line 1: not two numbers"},
		{"pages that have changed", "0 4096 free\n4096 4096 changed\n",
		 "r.txt: line 2: pages that have changed: the guest needs them"},
		{"pages of the base", "0 4096 base\n", "r.txt: line 1: pages that equal the base"},
		{"three fields", "0 4096 1\n", "r.txt: line 1: not two numbers"},
		{"a word", "# x\nzero 4096\n", "r.txt: line 2: START is not a number"},
		{"a minus sign", "-4096 4096\n", "r.txt: line 1: START is not a number"},
		{"a plus sign", "4096 +4096\n", "r.txt: line 1: LENGTH is not a number"},
		{"junk behind", "4096 4096k\n", "r.txt: line 1: LENGTH is not a number"},
		{"0x alone", "0x 4096\n", "r.txt: line 1: START is not a number"},
		{"2^64", "18446744073709551616 4096\n", "r.txt: line 1: START is not a number"},
		{"length 0", "4096 0\n", "r.txt: line 1: LENGTH is 0"},
		{"unaligned start", "100 4096\n", "r.txt: line 1: START is not a multiple"},
		{"unaligned length", "4096 100\n", "r.txt: line 1: LENGTH is not a multiple"},
		{"a wrap", "0xfffffffffffff000 8192\n", "r.txt: line 1: START + LENGTH is past"},
		{"ends at 2^64", "0xfffffffffffff000 4096\n", "r.txt: line 1: START + LENGTH"},
		{"past the limit", "0 4096\n0xfffff000 8192\n",
		 "r.txt: line 2: the range ends at 4294971392, past the end of the file"},
		{"overlap", "0 8192\n40960 4096\n4096 4096\n",
		 "r.txt: line 3: overlaps the range of line 1"},
		{"the same twice", "0 4096\n0 4096\n", "line 2: overlaps the range of line 1"},
		{"inside of another", "4096 4096\n0 65536\n",
		 "line 2: overlaps the range of line 1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcp_ranges ranges = {0};
		struct fcp_error err = {0};

		ok(read_bytes(cases[i].text, strlen(cases[i].text), &ranges, &err) < 0 &&
			   err.error_class == FCP_ERR_INPUT && ranges.count == 0,
		   "%s: is refused", cases[i].what);
		has_str(err.message, cases[i].expected, cases[i].what);
	}
}

static void odd_bytes(void)
{
	static char bytes[300000];
	struct fcp_ranges ranges = {0};
	struct fcp_error err = {0};

	ok(read_bytes("0 4096\n8\0"
		      "192 4096\n",
		      18, &ranges, &err) < 0,
	   "a NUL byte is refused");
	has_str(err.message, "r.txt: line 2: holds a NUL byte", "... with its line");

	memset(bytes, '1', sizeof(bytes));
	ok(read_bytes(bytes, sizeof(bytes), &ranges, &err) < 0, "a very long line is refused");
	has_str(err.message, "r.txt: line 1: longer than 255", "... with its line");

	bytes[0] = '#';
	memcpy(bytes + sizeof(bytes) - 8, "\n0 4096\n", 8);
	ok(read_bytes(bytes, sizeof(bytes), &ranges, &err) == 0 && ranges.count == 1,
	   "a very long comment is not");
	fcp_ranges_clear(&ranges);

	memset(bytes, ' ', sizeof(bytes));
	ok(read_bytes(bytes, sizeof(bytes), &ranges, &err) < 0,
	   "nor may blanks hide what is behind");
}

/* Many lines, over more than one read(2), through a pipe. */
static void many_lines(void)
{
	struct fcp_ranges ranges = {0};
	struct fcp_error err = {0};
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	if (fork() == 0) {
		FILE *out = fdopen(ends[1], "w");

		for (int i = 99999; i >= 0; i--)
			fprintf(out, "%d 4096\n", i * 8192);
		fclose(out);
		_exit(0);
	}
	close(ends[1]);
	ok(fcp_ranges_read(&(struct fcp_ranges_text){sizeof(struct fcp_ranges_text), "-", NULL,
						     UINT64_MAX, ends[0], -1},
			   &ranges, &err) == 0,
	   "100000 lines from a pipe");
	is_u64(ranges.count, 100000, "... make as many ranges");
	is_u64(ranges.count ? ranges.items[99999].start : 0, 99999 * 8192ULL, "... in order");
	fcp_ranges_clear(&ranges);
	close(ends[0]);
}

static void cancelled_while_waiting(void)
{
	FCP_CLEANUP(fd) int cancel_fd = eventfd(1, EFD_CLOEXEC);
	struct fcp_ranges ranges = {0};
	struct fcp_error err = {0};
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	ok(fcp_ranges_read(&(struct fcp_ranges_text){sizeof(struct fcp_ranges_text), "-", NULL,
						     UINT64_MAX, ends[0], cancel_fd},
			   &ranges, &err) < 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "a silent pipe does not outlast a cancellation");
	close(ends[0]);
	close(ends[1]);
}

static void random_list(uint64_t *seed, bool *pages, size_t count, struct fcp_ranges *ranges)
{
	struct fcp_error err;
	bool on = false;

	for (size_t i = 0; i < count; i++) {
		on ^= next_random(seed) % 3 == 0;
		pages[i] = on;
		if (on && fcp_ranges_add(ranges, i * PAGE, (i + 1) * PAGE, &err) < 0)
			abort();
	}
}

enum { PAGES = 64 };

static bool is_made(int (*make)(const struct fcp_ranges *, const struct fcp_ranges *,
				struct fcp_ranges *, struct fcp_error *),
		    const struct fcp_ranges *a, const struct fcp_ranges *b,
		    const bool expected[PAGES])
{
	FCP_CLEANUP(ranges) struct fcp_ranges made = {0}, wanted = {0};
	struct fcp_error err;

	for (size_t i = 0; i < PAGES; i++)
		if (expected[i])
			fcp_ranges_add(&wanted, i * PAGE, (i + 1) * PAGE, &err);
	return make(a, b, &made, &err) == 0 && made.count == wanted.count &&
	       (made.count == 0 ||
		memcmp(made.items, wanted.items, made.count * sizeof(*made.items)) == 0);
}

/* Against a bit for each page. */
static void unions_and_differences(void)
{
	uint64_t seed = 1;
	int wrong_unions = 0, wrong_differences = 0;

	for (int round = 0; round < 2000; round++) {
		FCP_CLEANUP(ranges) struct fcp_ranges a = {0}, b = {0};
		bool in_a[PAGES], in_b[PAGES], in_either[PAGES], in_first[PAGES];

		random_list(&seed, in_a, PAGES, &a);
		random_list(&seed, in_b, PAGES, &b);
		for (size_t i = 0; i < PAGES; i++) {
			in_either[i] = in_a[i] || in_b[i];
			in_first[i] = in_a[i] && !in_b[i];
		}
		wrong_unions += !is_made(fcp_ranges_union, &a, &b, in_either);
		wrong_differences += !is_made(fcp_ranges_subtract, &a, &b, in_first);
	}
	is_u64((uint64_t)wrong_unions, 0, "union, 2000 random pairs");
	is_u64((uint64_t)wrong_differences, 0, "difference, 2000 random pairs");
}

static void short_runs(void)
{
	FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_error err;

	fcp_ranges_add(&ranges, 0, PAGE, &err);
	fcp_ranges_add(&ranges, 4 * PAGE, 6 * PAGE, &err);
	fcp_ranges_add(&ranges, 9 * PAGE, 10 * PAGE, &err);
	fcp_ranges_drop_short(&ranges, 2 * PAGE);
	text = in_pages(&ranges);
	is_str(text, "4+2", "runs below the shortest are dropped, those equal to it stay");
}

static void checked_ranges(void)
{
	static const struct {
		struct fcp_range items[2];
		const char *expected;
	} cases[] = {
		{{{0, PAGE}, {PAGE, 2 * PAGE}}, ""},
		{{{0, PAGE}, {2 * PAGE, 9 * PAGE}}, "past the end"},
		{{{PAGE, 2 * PAGE}, {0, PAGE}}, "out of order"},
		{{{0, PAGE}, {PAGE, PAGE}}, "is empty"},
		{{{0, PAGE}, {PAGE + 1, 3 * PAGE}}, "not in whole pages"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcp_range items[2] = {cases[i].items[0], cases[i].items[1]};
		const struct fcp_ranges ranges = {.items = items, .count = 2};
		struct fcp_error err = {0};
		int good = fcp_ranges_check(&ranges, PAGE, 8 * PAGE, &err);

		ok((good == 0) == (cases[i].expected[0] == '\0'), "checked ranges, case %zu", i);
		has_str(err.message, cases[i].expected, "... says why");
	}
}

int main(void)
{
	good_text();
	bad_text();
	odd_bytes();
	many_lines();
	cancelled_while_waiting();
	unions_and_differences();
	short_runs();
	checked_ranges();
	return done();
}
