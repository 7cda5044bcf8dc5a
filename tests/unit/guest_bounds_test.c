// SPDX-License-Identifier: Apache-2.0
/*
 * What a scan costs at most: reads of the memory, counted at the system calls, and memory of its
 * own. Of ever larger files with the same data, and of guests that lie to make it long. Nothing
 * here depends on how fast the machine is.
 */
#include "guest_fixture.h"
#include "tap.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIB (UINT64_C(1) << 30)
/* lib/guest/allocator/sections.c: what is read at least, and at most in relation to what the file
 * holds. */
#define READ_BASE (256 * FIXTURE_MIB)
#define READ_FACTOR 4
/* Searches, page tables, lists and gates beside the memmap. */
#define READ_OTHER (16 * FIXTURE_MIB)
#define OWN_MEMORY (64 * FIXTURE_MIB)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static uint64_t calls, bytes_read;

/* In place of the C library's, for all of this program. */
ssize_t counted_pread(int fd, void *buffer, size_t bytes, off_t offset) __asm__("pread64");
ssize_t counted_pread(int fd, void *buffer, size_t bytes, off_t offset)
{
	calls++;
	bytes_read += bytes;
	return syscall(SYS_pread64, fd, buffer, bytes, offset);
}

off_t counted_lseek(int fd, off_t offset, int whence) __asm__("lseek64");
off_t counted_lseek(int fd, off_t offset, int whence)
{
	calls++;
	return syscall(SYS_lseek, fd, offset, whence);
}

static uint64_t held_bytes(const struct fixture *fixture)
{
	struct stat status;

	return fstat(fixture->fd, &status) < 0 ? 0 : (uint64_t)status.st_blocks * 512;
}

static int scan(struct fixture *fixture, uint64_t *free_bytes_, struct fcp_error *err)
{
	struct fcp_guest_free found;
	int status;

	calls = bytes_read = 0;
	status = fixture_find(fixture, FCP_HOLES_ZERO, &found, err);
	*free_bytes_ = found.free_bytes;
	fcp_guest_free_clear(&found);
	return status;
}

static void same_data_in_ever_larger_files(void)
{
	static const uint64_t sizes[] = {GIB / 4, 16 * GIB, 256 * GIB};
	uint64_t first_calls = 0, first_bytes = 0, first_free = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fcp_error err = {0};
		struct fixture fixture;
		uint64_t free_bytes;

		fixture_build(&fixture, &(struct fixture_settings){.bytes = sizes[i],
								   .rest = FIXTURE_REST_HOLE});
		if (!ok(scan(&fixture, &free_bytes, &err) == 0, "%" PRIu64 " MiB",
			sizes[i] / FIXTURE_MIB))
			printf("# %s\n", err.message);
		printf("# %" PRIu64 " reads and seeks, %" PRIu64 " KiB; the file holds %" PRIu64
		       " KiB\n",
		       calls, bytes_read >> 10, held_bytes(&fixture) >> 10);
		if (i == 0) {
			first_calls = calls;
			first_bytes = bytes_read;
			first_free = free_bytes;
		}
		is_u64(free_bytes, first_free, "the same is free");
		/* A page of sections for 32 GiB, a page table for 64 GiB of memmap, other layouts,
		 * and the roots of the sections behind RAM where one does not fit. */
		ok(calls <= first_calls + 600 && bytes_read <= first_bytes + FIXTURE_MIB,
		   "found with the same work");
		fixture_close(&fixture);
	}
}

/* A refusal, for a read of no more than is allowed. */
static void costs_no_more(struct fixture *fixture, const char *why, const char *what)
{
	uint64_t most = READ_BASE + READ_FACTOR * held_bytes(fixture) + READ_OTHER;
	struct fcp_error err = {0};
	uint64_t free_bytes;

	ok(scan(fixture, &free_bytes, &err) < 0 && err.error_class == FCP_ERR_UNSUPPORTED,
	   "%s is refused", what);
	has_str(err.message, why, "for that reason");
	ok(bytes_read <= most && calls <= 2 * most / 4096,
	   "and costs no more than what is there allows");
	printf("# %" PRIu64 " reads and seeks, %" PRIu64 " KiB\n", calls, bytes_read >> 10);
}

static void memmaps_that_repeat(void)
{
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.bytes = 256 * GIB,
							   .rest = FIXTURE_REST_ONE_LEAF});
	costs_no_more(&fixture, "again and again", "256 GiB, a memmap of the same 2 MiB");
	fixture_close(&fixture);
	fixture_build(&fixture, &(struct fixture_settings){.bytes = 256 * GIB,
							   .rest = FIXTURE_REST_ONE_PAGE});
	costs_no_more(&fixture, "again and again", "256 GiB, a memmap of the same page");
	fixture_close(&fixture);
}

/* Each section claims a map of its own place; all show the same. */
static void sections_that_lie(void)
{
	struct fixture fixture;

	fixture_build(&fixture,
		      &(struct fixture_settings){.bytes = 256 * GIB, .rest = FIXTURE_REST_HOLE});
	for (uint64_t number = 1; number < 257 * 8; number++) {
		uint64_t at = FIXTURE_SECTIONS + number * 16;
		uint64_t word = fixture_read_word(&fixture, at);
		uint64_t pages = number << 15;

		if (word != 0)
			fixture_write_word(&fixture, at, word - pages * FIXTURE_PAGE_BYTES);
	}
	costs_no_more(&fixture, "", "256 GiB, each section a copy of the first");
	fixture_close(&fixture);
}

/* The list of order 0 leads through every other page, and never to its end. */
static void endless_list(void)
{
	uint64_t last = 0x1fff;
	struct fixture fixture;

	fixture_build(&fixture,
		      &(struct fixture_settings){.bytes = 256 * GIB, .rest = FIXTURE_REST_HOLE});
	fixture_write_word(&fixture, fixture_page(0x209) + FIXTURE_LRU,
			   fixture_page_address(&fixture, last) + FIXTURE_LRU);
	for (uint64_t pfn = last; pfn > 0x1000; pfn--)
		fixture_write_word(&fixture, fixture_page(pfn) + FIXTURE_LRU,
				   fixture_page_address(&fixture, pfn - 1) + FIXTURE_LRU);
	fixture_write_word(&fixture, fixture_page(0x1000) + FIXTURE_LRU,
			   fixture_page_address(&fixture, last) + FIXTURE_LRU);
	costs_no_more(&fixture, "not marked free", "a list in a circle of pages in use");
	ok(calls < 2000, "and is left at once");
	fixture_close(&fixture);
}

/* The peak of a child that scans, or only starts, in bytes. */
static uint64_t peak_bytes(struct fixture *fixture, bool scans)
{
	struct fcp_error err = {0};
	struct rusage usage;
	uint64_t free_bytes;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (scans)
			scan(fixture, &free_bytes, &err);
		_exit(0);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
		return UINT64_MAX;
	return (uint64_t)usage.ru_maxrss << 10;
}

static void own_memory(enum fixture_rest rest, const char *what)
{
	struct fixture fixture;
	uint64_t before, peak;

	if (SANITIZED) {
		skip(what, "a sanitizer's memory is not ours");
		return;
	}
	fixture_build(&fixture, &(struct fixture_settings){.bytes = 256 * GIB, .rest = rest});
	before = peak_bytes(&fixture, false);
	peak = peak_bytes(&fixture, true);
	ok(peak - before <= OWN_MEMORY + 256 * GIB / 4096 / 8, "%s", what);
	printf("# %" PRIu64 " KiB\n", (peak - before) >> 10);
	fixture_close(&fixture);
}

int main(void)
{
	/* First: what this process has had before would count too. */
	own_memory(FIXTURE_REST_ONE_LEAF, "own memory, as many blocks and ranges as there can be");
	own_memory(FIXTURE_REST_HOLE, "own memory, 256 GiB of which little is there");
	same_data_in_ever_larger_files();
	memmaps_that_repeat();
	sections_that_lie();
	endless_list();
	return done();
}
