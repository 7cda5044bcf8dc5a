// SPDX-License-Identifier: Apache-2.0
/* Pages told by comparing, against the same told page by page; and lists made coarser. */
#include "memory/compare.h"

#include "memory_fixture.h"
#include "tap.h"

#include <sys/eventfd.h>
#include <sys/mman.h>

#define PAGES_MAX 96
#define FILE_PAGES 40

/* What a page of a list is, a letter each: f, z, b, c, or a blank. */
static char letter_of(unsigned found)
{
	return found ? fcp_find_name(found)[0] : '#';
}

/* The list as letters; "bad" where it is not in order, or could be shorter. */
static const char *letters(const struct fcp_found_ranges *ranges, size_t pages, char text[])
{
	uint64_t behind = 0;

	memset(text, ' ', pages);
	text[pages] = '\0';
	for (size_t i = 0; i < ranges->count; i++) {
		const struct fcp_found_range *range = &ranges->items[i];

		if (range->start < behind || range->start >= range->end ||
		    range->end > pages * PAGE ||
		    (i > 0 && range->start == behind && range->found == range[-1].found))
			return "bad";
		behind = range->end;
		for (size_t page = range->start / PAGE; page < range->end / PAGE; page++)
			text[page] = letter_of(range->found);
	}
	return text;
}

/* ---- files ---- */

static void read_page(int fd, size_t page, unsigned char bytes[4096])
{
	if (pread(fd, bytes, PAGE, (off_t)(page * PAGE)) != (ssize_t)PAGE)
		abort();
}

static bool is_hole(int fd, size_t page)
{
	off_t at = (off_t)(page * PAGE), data = lseek(fd, at, SEEK_DATA);

	return data < 0 || data >= at + (off_t)PAGE;
}

/* As documented, without any cleverness. */
static unsigned expected_kind(int fd, int base_fd, const struct fcp_compare *compare, size_t page)
{
	static const unsigned char zeros[4096];
	unsigned char own[4096] = {0}, base[4096] = {0};
	unsigned kind;

	if (fd >= 0)
		read_page(fd, page, own);
	if (base_fd >= 0)
		read_page(base_fd, page, base);
	if (compare->layer && is_hole(fd, page))
		memcpy(own, base, PAGE);
	if ((compare->find & FCP_FIND_ZERO) && memcmp(own, zeros, PAGE) == 0)
		kind = FCP_FIND_ZERO;
	else
		kind = base_fd < 0 || memcmp(own, base, PAGE) == 0 ? FCP_FIND_BASE
								   : FCP_FIND_CHANGED;
	return kind & compare->find;
}

static void draw_random(int fd, size_t pages, uint64_t *random)
{
	char layout[PAGES_MAX + 1] = {0};
	size_t i = 0;

	while (i < pages) {
		char kind = "DZ--"[next_random(random) % 4];

		for (size_t run = next_random(random) % 7 + 1; run > 0 && i < pages; run--)
			layout[i++] = kind;
	}
	draw(fd, layout);
}

/* Some pages of the file as the base's: as drawn, those of both are equal where both have data. */
static void change_some(int fd, size_t pages, uint64_t *random)
{
	for (size_t page = 0; page < pages; page++)
		if (next_random(random) % 4 == 0)
			if (pwrite(fd, "other", 5, (off_t)(page * PAGE + 100)) != 5)
				abort();
}

static bool all_as_expected(const struct fcp_compare *compare, const struct fcp_ranges *within,
			    size_t pages)
{
	int fd = compare->file ? compare->file->fd : -1,
	    base_fd = compare->base ? compare->base->fd : -1;
	FCP_CLEANUP(found) struct fcp_found_ranges found = {0};
	char got[PAGES_MAX + 1], expected[PAGES_MAX + 1] = {0};
	struct fcp_error err;

	memset(expected, ' ', pages);
	for (size_t i = 0; i < within->count; i++)
		for (size_t page = within->items[i].start / PAGE;
		     page < within->items[i].end / PAGE; page++) {
			unsigned kind = expected_kind(fd, base_fd, compare, page);

			expected[page] = kind ? letter_of(kind) : ' ';
		}
	if (fcp_compare_files(compare, within, &found, &err) != 0) {
		printf("# %s\n", err.message);
		return false;
	}
	fcp_found_sort(&found);
	if (strcmp(letters(&found, pages, got), expected) == 0)
		return true;
	printf("# got      [%s]\n# expected [%s]\n", got, expected);
	return false;
}

static void random_within(struct fcp_ranges *within, size_t pages, uint64_t *random)
{
	struct fcp_error err;

	for (size_t page = 0; page < pages;) {
		size_t end = page + next_random(random) % 20 + 1;

		end = end < pages ? end : pages;
		if (fcp_ranges_add(within, page * PAGE, end * PAGE, &err) != 0)
			abort();
		page = end + next_random(random) % 5;
	}
}

static void files_at_random(void)
{
	char path[PATH_MAX], base_path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	FCP_CLEANUP(fd) int base_fd = new_file(NULL, base_path);
	const struct fcp_file file = {.fd = fd, .name = "file", .cancel_fd = -1};
	const struct fcp_file base = {.fd = base_fd, .name = "base", .cancel_fd = -1};
	uint64_t random = 13;
	int wrong = 0;

	unlink(path);
	unlink(base_path);
	for (int round = 0; round < 300; round++) {
		struct fcp_compare compare = {.cancel_fd = -1};
		FCP_CLEANUP(ranges) struct fcp_ranges within = {0};

		draw_random(fd, PAGES_MAX, &random);
		draw_random(base_fd, PAGES_MAX, &random);
		change_some(next_random(&random) % 2 ? fd : base_fd, PAGES_MAX, &random);
		random_within(&within, PAGES_MAX, &random);
		compare.find = next_random(&random) % 16 & ~(unsigned)FCP_FIND_FREE;
		compare.file = round % 5 == 4 ? NULL : &file;
		compare.base = round % 5 == 3 ? NULL : &base;
		compare.layer = round % 5 == 2;
		if (compare.layer)
			compare.find &= ~(unsigned)FCP_FIND_ZERO;
		wrong += !all_as_expected(&compare, &within, PAGES_MAX);
	}
	ok(wrong == 0, "files at random: every page is what it is page by page");
}

/* Long enough for more than one thread, and for batches that end within runs. */
static void large_files(void)
{
	const size_t pages = 12000;
	FCP_CLEANUP(fd) int fd = memfd_create("file", MFD_CLOEXEC);
	FCP_CLEANUP(fd) int base_fd = memfd_create("base", MFD_CLOEXEC);
	const struct fcp_file file = {.fd = fd, .name = "file", .cancel_fd = -1};
	const struct fcp_file base = {.fd = base_fd, .name = "base", .cancel_fd = -1};
	const struct fcp_compare compare = {&file, &base,
					    FCP_FIND_ZERO | FCP_FIND_BASE | FCP_FIND_CHANGED, false,
					    -1};
	FCP_CLEANUP(ranges) struct fcp_ranges within = {0};
	FCP_CLEANUP(found) struct fcp_found_ranges found = {0};
	FCP_CLEANUP(free) char *got = malloc(pages + 1);
	uint64_t random = 7;
	size_t wrong = 0;
	struct fcp_error err;

	if (ftruncate(fd, (off_t)(pages * PAGE)) != 0 ||
	    ftruncate(base_fd, (off_t)(pages * PAGE)) != 0 ||
	    fcp_ranges_add(&within, 0, pages * PAGE, &err) != 0)
		abort();
	for (size_t page = 0; page < pages; page++) {
		uint32_t kind = next_random(&random) % 4;

		write_page(fd, page, kind == 0 ? 'Z' : 'D');
		write_page(base_fd, page, kind == 1 ? 'Z' : 'D');
	}
	ok(fcp_compare_files(&compare, &within, &found, &err) == 0, "large files are compared");
	fcp_found_sort(&found);
	if (strcmp(letters(&found, pages, got), "bad") == 0)
		wrong = pages;
	for (size_t page = 0; page < pages && wrong < pages; page++)
		wrong += got[page] != letter_of(expected_kind(fd, base_fd, &compare, page));
	is_u64(wrong, 0, "... and all their pages are right");
	is_u64(fcp_found_bytes(&found, FCP_FIND_ZERO) + fcp_found_bytes(&found, FCP_FIND_BASE) +
		       fcp_found_bytes(&found, FCP_FIND_CHANGED),
	       pages * PAGE, "... each of one kind");
}

static void failures(void)
{
	char path[PATH_MAX], base_path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	FCP_CLEANUP(fd) int base_fd = new_file(NULL, base_path);
	FCP_CLEANUP(fd) int cancel_fd = eventfd(1, EFD_CLOEXEC);
	struct fcp_file file = {.fd = fd, .name = "file", .cancel_fd = -1};
	const struct fcp_file base = {.fd = base_fd, .name = "base", .cancel_fd = -1};
	struct fcp_compare compare = {&file, &base, FCP_FIND_CHANGED, false, -1};
	const struct fcp_ranges within = {&(struct fcp_range){0, 4 * PAGE}, 1, 1};
	FCP_CLEANUP(found) struct fcp_found_ranges found = {0};
	struct fcp_error err;

	unlink(path);
	unlink(base_path);
	draw(fd, "DDDD");
	draw(base_fd, "DD");
	ok(fcp_compare_files(&compare, &within, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_IO && strstr(err.message, "base"),
	   "a base that has become shorter is an error that names it");
	draw(base_fd, "DDDD");
	compare.cancel_fd = cancel_fd;
	ok(fcp_compare_files(&compare, &within, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "cancelled: interrupted");
}

/* ---- lists ---- */

static unsigned found_of(char letter)
{
	return letter == 'f'   ? FCP_FIND_FREE
	       : letter == 'z' ? FCP_FIND_ZERO
	       : letter == 'b' ? FCP_FIND_BASE
			       : FCP_FIND_CHANGED;
}

static void list_of(const char *text, struct fcp_found_ranges *list)
{
	struct fcp_error err;

	for (size_t i = 0; text[i]; i++)
		if (text[i] != ' ' &&
		    fcp_found_add(list, i * PAGE, (i + 1) * PAGE, found_of(text[i]), &err) != 0)
			abort();
}

static void coarser(void)
{
	static const struct {
		const char *what, *list;
		size_t align, min_run; /* in pages */
		bool rest;
		const char *expected;
	} cases[] = {
		{"nothing to do", "ffzzb cc", 1, 0, true, "ffzzb cc"},
		{"cut down", " fffffff zz zzzzb", 4, 0, false, "    ffff    zzzz "},
		{"kinds that meet are not one", "ffzzffff", 4, 0, false, "    ffff"},
		{"mixed blocks are changed", "ffzzffff", 4, 0, true, "ccccffff"},
		{"a changed page takes its block", "bbbbbcbbbbbb", 4, 0, true, "bbbbccccbbbb"},
		{"what is not listed is not", "    f       c   ", 4, 0, true, "    cccc    cccc"},
		{"the end of the memory", "bbbbbb", 4, 0, true, "bbbbcc"},
		{"a run within one block", "bbbb ff bbbb", 4, 0, true, "bbbbccccbbbb"},
		{"short runs", "ff zzz b", 1, 3, false, "   zzz  "},
		{"short runs are changed", "ff zzz b", 1, 3, true, "cc zzz c"},
		{"changed runs are never too short", "bbbbcbbb", 1, 2, true, "bbbbcbbb"},
		{"short after being cut down", " fffffff", 4, 8, true, "cccccccc"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t pages = strlen(cases[i].list);
		const struct fcp_found_grain grain = {cases[i].align * PAGE,
						      cases[i].min_run * PAGE, pages * PAGE,
						      cases[i].rest};
		FCP_CLEANUP(found) struct fcp_found_ranges list = {0}, coarse = {0};
		char text[PAGES_MAX + 1];
		struct fcp_error err;

		list_of(cases[i].list, &list);
		if (fcp_found_coarsen(&list, &grain, &coarse, &err) != 0)
			abort();
		is_str(letters(&coarse, pages, text), cases[i].expected, cases[i].what);
	}
}

/* Nothing that was listed is lost: it is in its own kind's ranges, or in changed ones. */
static void nothing_lost(void)
{
	uint64_t random = 5;
	int wrong = 0;

	for (int round = 0; round < 500; round++) {
		const struct fcp_found_grain grain = {(UINT64_C(1) << next_random(&random) % 4) *
							      PAGE,
						      next_random(&random) % 5 * PAGE,
						      FILE_PAGES * PAGE, true};
		char list_text[FILE_PAGES + 1] = {0}, text[FILE_PAGES + 1];
		FCP_CLEANUP(found) struct fcp_found_ranges list = {0}, coarse = {0};
		struct fcp_error err;

		for (size_t i = 0; i < FILE_PAGES;) {
			char kind = "fzbc "[next_random(&random) % 5];

			for (size_t run = next_random(&random) % 9 + 1; run > 0 && i < FILE_PAGES;
			     run--)
				list_text[i++] = kind;
		}
		list_of(list_text, &list);
		if (fcp_found_coarsen(&list, &grain, &coarse, &err) != 0)
			abort();
		if (strcmp(letters(&coarse, FILE_PAGES, text), "bad") == 0)
			wrong++;
		for (size_t i = 0; i < FILE_PAGES; i++)
			wrong += list_text[i] != ' ' && text[i] != list_text[i] && text[i] != 'c';
		for (size_t i = 0; i < coarse.count; i++)
			if (coarse.items[i].found != FCP_FIND_CHANGED)
				wrong += coarse.items[i].start % grain.align_bytes != 0 ||
					 coarse.items[i].end % grain.align_bytes != 0;
	}
	ok(wrong == 0,
	   "lists at random: what is cut off counts as changed, the rest is in whole blocks");
}

static void names(void)
{
	ok(fcp_find_parse("changed") == FCP_FIND_CHANGED &&
		   fcp_find_parse("base") == FCP_FIND_BASE &&
		   fcp_find_parse("free") == FCP_FIND_FREE &&
		   fcp_find_parse("zero") == FCP_FIND_ZERO,
	   "each kind has its name");
	ok(fcp_find_parse("") == 0 && fcp_find_parse("fre") == 0 && !fcp_find_name(0) &&
		   !fcp_find_name(FCP_FIND_FREE | FCP_FIND_ZERO),
	   "what is none has none");
}

static void complements(void)
{
	static const char *const layouts[] = {"", "ZZZZ", "Z--ZZ-", "-ZZ-Z--Z"};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		FCP_CLEANUP(ranges) struct fcp_ranges zeros = {0}, rest = {0};
		FCP_CLEANUP(free) char *got = NULL, *expected = runs_of(layouts[i], '-');
		struct fcp_error err;

		for (size_t page = 0; layouts[i][page]; page++)
			if (layouts[i][page] == 'Z' &&
			    fcp_ranges_add(&zeros, page * PAGE, (page + 1) * PAGE, &err) != 0)
				abort();
		if (fcp_ranges_complement(&zeros, strlen(layouts[i]) * PAGE, &rest, &err) != 0)
			abort();
		got = in_pages(&rest);
		is_str(got, expected, "what is not in a list");
	}
}

int main(void)
{
	names();
	complements();
	files_at_random();
	large_files();
	failures();
	coarser();
	nothing_lost();
	return done();
}
