// SPDX-License-Identifier: Apache-2.0
/* What each page is used for: pages of a made-up guest, marked as a kernel of 6.1 marks them. */
#include "base/enums.h"
#include "guest/classify/classify.h"
#include "guest_large.h"
#include "tap.h"

#include <unistd.h>

#define PAGE UINT64_C(4096)
#define GIB (UINT64_C(1) << 30)
#define FIRST 0x1b00 /* a PFN that is in use, with 8 more */
#define FILE_MAPPING UINT64_C(0xffff888000001000)
#define RUNS_MAX 4096

static const char with_private[] = "NUMBER(PG_lru)=4\nNUMBER(PG_private)=13";

/* What the sink was told. */
static struct {
	struct fcp_guest_class_run runs[RUNS_MAX];
	unsigned count, fail_at;
} told;

static int keep(const struct fcp_guest_class_run *run, void *arg, struct fcp_error *err)
{
	(void)arg;
	if (told.count < RUNS_MAX)
		told.runs[told.count] = *run;
	if (++told.count == told.fail_at) {
		*err = (struct fcp_error){.error_class = FCP_ERR_BUSY, .message = "the sink's"};
		return -1;
	}
	return 0;
}

static int classify(struct fixture *fixture, enum fcp_holes holes, bool zero, struct fcp_error *err)
{
	const struct fcp_guest_classify_settings settings = {.zero = zero,
							     .cancel_fd = -1,
							     .sink = keep};
	char release[FCP_GUEST_RELEASE_BYTES] = "";
	struct fcp_guest_memory memory;
	int status;

	told.count = 0;
	*err = (struct fcp_error){0};
	if (fcp_guest_memory_open_file(fixture->fd, holes, -1, &memory, err) < 0)
		return -1;
	status = fcp_guest_classify(&memory, &settings, release, err);
	if (status == 0 && strcmp(release, FIXTURE_RELEASE) != 0)
		printf("# the release is %s\n", release);
	return status;
}

/* Classes it all; gives up when that fails. */
static void classify_all(struct fixture *fixture, enum fcp_holes holes, bool zero, const char *what)
{
	struct fcp_error err;

	if (ok(classify(fixture, holes, zero, &err) == 0, "%s", what))
		return;
	printf("# %s\n", err.message);
	told.count = 0;
}

static const struct fcp_guest_class_run *run_at(uint64_t offset)
{
	static const struct fcp_guest_class_run none;

	for (unsigned i = 0; i < told.count && i < RUNS_MAX; i++)
		if (offset >= told.runs[i].start && offset < told.runs[i].end)
			return &told.runs[i];
	return &none;
}

static void is_class(uint64_t pfn, enum fcp_page_class expected)
{
	is_str(fcp_page_class_name(run_at(pfn * PAGE)->page_class), fcp_page_class_name(expected),
	       fcp_page_class_name(expected));
}

/* All of RAM, in order, each run as long as it can be. */
static void is_whole(uint64_t bytes)
{
	uint64_t at = 0;
	bool longest = true;

	for (unsigned i = 0; i < told.count && i < RUNS_MAX; i++) {
		const struct fcp_guest_class_run *run = &told.runs[i];

		if (run->start != at || run->end <= run->start || run->end % PAGE != 0)
			break;
		longest &= i == 0 || run->page_class != run[-1].page_class ||
			   run->data != run[-1].data;
		at = run->end;
	}
	is_u64(at, bytes, "the runs are all of RAM, in order");
	ok(longest, "and none could be longer");
}

static uint64_t sum(enum fcp_page_class page_class, bool only_data)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < told.count && i < RUNS_MAX; i++)
		if (told.runs[i].page_class == page_class && (told.runs[i].data || !only_data))
			bytes += told.runs[i].end - told.runs[i].start;
	return bytes;
}

static uint64_t data_bytes(void)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < FCP_PAGE_CLASSES; i++)
		bytes += sum((enum fcp_page_class)i, true);
	return bytes;
}

static void mark(struct fixture *fixture, uint64_t pfn, uint64_t flags, uint64_t mapping,
		 uint32_t mapcount)
{
	fixture_write_word(fixture, fixture_page(pfn), flags);
	fixture_write_word(fixture, fixture_page(pfn) + FIXTURE_MAPPING, mapping);
	fixture_write_half(fixture, fixture_page(pfn) + FIXTURE_MAPCOUNT, mapcount);
}

static void mark_all(struct fixture *fixture)
{
	mark(fixture, FIRST, 1u << 4, FILE_MAPPING, 0);		     /* lru, a mapping */
	mark(fixture, FIRST + 1, 1u << 4, FILE_MAPPING | 1, 0);	     /* bit 0: anonymous */
	mark(fixture, FIRST + 2, 1u << 9, 0, UINT32_MAX);	     /* slab */
	mark(fixture, FIRST + 3, 0, 0, 0xfffffdff);		     /* a page table */
	mark(fixture, FIRST + 4, 1u << 12, 0, UINT32_MAX);	     /* reserved */
	mark(fixture, FIRST + 5, 0, FILE_MAPPING | 2, 0);	     /* movable: a balloon's */
	mark(fixture, FIXTURE_TEXT / 4096, 1u << 12, 0, UINT32_MAX); /* reserved, of the image */
	/* A compound page: what its head is. */
	mark(fixture, FIRST + 6, 1u << 9 | 1u << 16, 0, UINT32_MAX);
	fixture_write_word(fixture, fixture_page(FIRST + 7) + FIXTURE_LRU,
			   fixture_page_address(fixture, FIRST + 6) | 1);
	/* Of a file, and yet it would go to swap. */
	mark(fixture, FIRST + 8, 1u << 4 | 1u << 19, FILE_MAPPING, 0);
	/* Anonymous memory has both, too. */
	mark(fixture, FIRST + 9, 1u << 4 | 1u << 19, FILE_MAPPING | 1, 0);
}

static void each_class(void)
{
	struct fixture fixture;
	uint64_t data;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = with_private});
	mark_all(&fixture);
	classify_all(&fixture, FCP_HOLES_ZERO, false, "all pages are classed");
	is_class(FIRST, FCP_PAGE_CACHE);
	is_class(FIRST + 1, FCP_PAGE_ANONYMOUS);
	is_class(FIRST + 2, FCP_PAGE_SLAB);
	is_class(FIRST + 3, FCP_PAGE_TABLES);
	is_class(FIRST + 4, FCP_PAGE_RESERVED);
	is_class(FIRST + 5, FCP_PAGE_UNKNOWN);
	is_class(FIRST + 7, FCP_PAGE_SLAB);
	is_class(FIRST + 8, FCP_PAGE_SHMEM);
	is_class(FIRST + 9, FCP_PAGE_ANONYMOUS);
	is_class(FIXTURE_TEXT / 4096, FCP_PAGE_KERNEL_IMAGE);
	is_class(0x400, FCP_PAGE_FREE);
	is_class(0x7ff, FCP_PAGE_FREE);
	is_whole(fixture.settings.bytes);
	data = data_bytes();
	ok(data > 0 && data < fixture.settings.bytes, "and what is no hole is told");
	is_u64(sum(FCP_PAGE_ZERO, false), 0, "zeros are not looked for unasked");

	classify_all(&fixture, FCP_HOLES_ZERO, true, "with zeros");
	is_class(FIRST + 1, FCP_PAGE_ZERO);
	is_class(0x400, FCP_PAGE_FREE);
	is_class(FIXTURE_TEXT / 4096, FCP_PAGE_KERNEL_IMAGE);
	is_whole(fixture.settings.bytes);
	is_u64(data_bytes(), data, "and the same data");
	fixture_close(&fixture);
}

static void without_swapbacked(void)
{
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = "NUMBER(PG_swapbacked)"});
	mark(&fixture, FIRST, 1u << 4 | 1u << 19, FILE_MAPPING, 0);
	classify_all(&fixture, FCP_HOLES_ZERO, false, "a note without PG_swapbacked");
	is_class(FIRST, FCP_PAGE_CACHE);
	is_u64(sum(FCP_PAGE_SHMEM, false), 0, "no page is taken for tmpfs");
	fixture_close(&fixture);
}

/* Runs of one class with zeros, data and holes in them, longer than what is read at once. */
static void zeros_within(void)
{
	const uint64_t start = 0x1a00, count = 100;
	unsigned char byte = 1;
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = with_private});
	for (uint64_t i = 0; i < count; i++) {
		mark(&fixture, start + i, 1u << 4, FILE_MAPPING, 0);
		fixture_write(&fixture, (start + i) * PAGE + (i * 41 % PAGE), &byte, 1);
	}
	byte = 0;
	fixture_write(&fixture, (start + 40) * PAGE + 40 * 41, &byte, 1); /* zeros on disk */
	fixture_punch(&fixture, (start + 60) * PAGE, 8 * PAGE);
	/* In a free block the content says nothing. */
	fixture_write(&fixture, 0x400 * PAGE, &byte, 1);
	classify_all(&fixture, FCP_HOLES_ZERO, true, "zeros and holes within a run");
	is_u64(sum(FCP_PAGE_CACHE, false), (count - 9) * PAGE, "what holds something");
	ok(run_at((start + 40) * PAGE)->page_class == FCP_PAGE_ZERO &&
		   run_at((start + 40) * PAGE)->data,
	   "a page of zeros on disk");
	ok(run_at((start + 60) * PAGE)->page_class == FCP_PAGE_ZERO &&
		   !run_at((start + 60) * PAGE)->data,
	   "a hole");
	is_class(0x400, FCP_PAGE_FREE);
	is_whole(fixture.settings.bytes);
	fixture_close(&fixture);
}

/* What a hole of a layer holds lies in its base. */
static void a_layer(void)
{
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = with_private});
	mark(&fixture, FIRST, 1u << 4, FILE_MAPPING, 0);
	classify_all(&fixture, FCP_HOLES_BASE, true, "a layer");
	ok(run_at(FIRST * PAGE)->page_class == FCP_PAGE_CACHE && !run_at(FIRST * PAGE)->data,
	   "its holes are no zeros");
	fixture_close(&fixture);
}

/* The guest's word for a block that is larger than what is left of RAM. */
static void block_beyond_ram(void)
{
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.bytes = 30 * FIXTURE_MIB});
	fixture_write_half(&fixture, fixture_page(0x1c00) + FIXTURE_MAPCOUNT, FIXTURE_BUDDY);
	fixture_write_word(&fixture, fixture_page(0x1c00) + FIXTURE_PRIVATE, 10);
	classify_all(&fixture, FCP_HOLES_ZERO, true, "a free block beyond RAM");
	is_class(0x1dff, FCP_PAGE_FREE);
	is_whole(30 * FIXTURE_MIB);
	fixture_close(&fixture);
}

static void across_the_hole(void)
{
	const uint64_t bytes = 8 * GIB;
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){0});
	guest_large_grow(&fixture, bytes);
	fixture_write(&fixture, 9 * GIB - 3 * PAGE, "program", 7);
	fixture_write(&fixture, 4 * GIB, "file", 4);
	classify_all(&fixture, FCP_HOLES_ZERO, true, "8 GiB");
	is_whole(bytes);
	is_class((bytes - 3 * PAGE) / PAGE, FCP_PAGE_CACHE);
	is_class(3 * GIB / PAGE, FCP_PAGE_CACHE);
	is_class((3 * GIB - PAGE) / PAGE, FCP_PAGE_ZERO);
	ok(told.count < 100, "holes of many classes are one run");
	is_u64(sum(FCP_PAGE_CACHE, true), 2 * PAGE, "two pages of data");
	/* A page of each mapping in turn, in twos. */
	classify_all(&fixture, FCP_HOLES_ZERO, false, "8 GiB, without zeros");
	ok(told.count > 2 * GIB / PAGE, "each class is told apart");
	fixture_close(&fixture);
}

static void ends_early(void)
{
	int interrupt[2];
	struct fcp_guest_classify_settings settings = {.zero = true, .sink = keep};
	char release[FCP_GUEST_RELEASE_BYTES] = "untouched";
	struct fcp_guest_memory memory;
	struct fixture fixture;
	struct fcp_error err;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = with_private});
	told.fail_at = 3;
	ok(classify(&fixture, FCP_HOLES_ZERO, true, &err) < 0, "the sink can end it");
	is_u64(told.count, 3, "it is told of nothing more");
	is_str(err.message, "the sink's", "and its error is the answer");
	told.fail_at = 0;
	if (pipe(interrupt) == 0 && write(interrupt[1], "", 1) == 1 &&
	    fcp_guest_memory_open_file(fixture.fd, FCP_HOLES_ZERO, -1, &memory, &err) == 0) {
		settings.cancel_fd = interrupt[0];
		ok(fcp_guest_classify(&memory, &settings, release, &err) < 0 &&
			   err.error_class == FCP_ERR_INTERRUPTED,
		   "it can be interrupted");
		is_str(release, "untouched", "the release is not told then");
	}
	fixture_close(&fixture);
}

int main(void)
{
	each_class();
	without_swapbacked();
	zeros_within();
	a_layer();
	block_beyond_ram();
	across_the_hole();
	ends_early();
	return done();
}
