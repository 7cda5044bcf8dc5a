// SPDX-License-Identifier: Apache-2.0
/* The writer against the memory of a child process that stands still. */
#include "memory/clone.h"
#include "memory/writer.h"

#include "tap.h"

#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 4096
#define BYTES (PAGES * FCP_PAGE_BYTES)

static unsigned char *memory; /* the child's, at the same address */
static pid_t child;

static unsigned char *page_at(size_t page)
{
	return memory + page * FCP_PAGE_BYTES;
}

/* Every third page is zeros, every other has bytes of its own. */
static void fill_memory(void)
{
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		abort();
	for (size_t page = 0; page < PAGES; page++)
		for (size_t i = 0; page % 3 != 0 && i < FCP_PAGE_BYTES; i++)
			page_at(page)[i] = (unsigned char)(page * 31 + i * 7 + 1);
}

static void start_child(void)
{
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static int empty_file(void)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)BYTES) != 0)
		abort();
	return fd;
}

/* Runs of `length` pages with gaps of `gap` pages between. */
static void add_runs(struct fcp_page_runs *runs, size_t length, size_t gap)
{
	struct fcp_error err;

	for (size_t page = 0; page + length <= PAGES; page += length + gap) {
		uint64_t start = page * FCP_PAGE_BYTES, end = start + length * FCP_PAGE_BYTES;

		if (fcp_page_runs_add(runs,
				      (struct fcp_page_run){start, end, (uintptr_t)memory + start},
				      &err) != 0)
			abort();
	}
}

/* Pages of the file that differ from memory within the runs, or are not zeros outside of them. */
static uint64_t wrong_pages(int fd, const struct fcp_page_runs *runs)
{
	unsigned char *file = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t wrong = 0;
	size_t run = 0;

	for (size_t page = 0; page < PAGES; page++) {
		static const unsigned char zeros[FCP_PAGE_BYTES];
		uint64_t at = page * FCP_PAGE_BYTES;
		const unsigned char *expected = zeros;

		while (run < runs->count && runs->items[run].end <= at)
			run++;
		if (run < runs->count && runs->items[run].start <= at)
			expected = page_at(page);
		wrong += memcmp(file + at, expected, FCP_PAGE_BYTES) != 0;
	}
	munmap(file, BYTES);
	return wrong;
}

static uint64_t data_bytes(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 ? (uint64_t)file.st_blocks * 512 : 0;
}

static struct fcp_writer_settings settings_of(const struct fcp_page_runs *runs, int fd,
					      unsigned threads)
{
	return (struct fcp_writer_settings){.pid = child,
					    .runs = runs,
					    .fd = fd,
					    .name = "vm.mem",
					    .base_fd = -1,
					    .threads = threads,
					    .cancel_fd = -1};
}

static void test_whole(size_t length, size_t gap, unsigned threads)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_settings settings;
	struct fcp_writer_result result;
	struct fcp_error err = {0};
	uint64_t differing = 1;
	int fd = empty_file();

	add_runs(&runs, length, gap);
	settings = settings_of(&runs, fd, threads);
	ok(fcp_writer_write(&settings, &result, &err) == 0,
	   "runs of %zu, gaps of %zu, %u threads: %s", length, gap, threads, err.message);
	is_u64(result.read_bytes, runs.bytes, "all is read");
	is_u64(result.written_bytes + result.zero_bytes, runs.bytes, "zeros are not written");
	is_u64(data_bytes(fd), result.written_bytes, "zeros occupy nothing");
	is_u64(wrong_pages(fd, &runs), 0, "the file holds the runs, and nothing else");
	ok(fcp_writer_verify(&settings, &differing, &err) == 0 && differing == 0, "it verifies");
	fcp_page_runs_clear(&runs);
	close(fd);
}

/* The base has: page 1 mod 4 as memory, 2 mod 4 other bytes, the rest zeros (holes). */
static int make_base(void)
{
	int fd = empty_file();
	unsigned char other[FCP_PAGE_BYTES];

	memset(other, 0x5a, sizeof(other));
	for (size_t page = 0; page < PAGES; page++) {
		off_t at = (off_t)(page * FCP_PAGE_BYTES);
		const unsigned char *bytes = page % 4 == 1 ? page_at(page) : other;

		if ((page % 4 == 1 || page % 4 == 2) &&
		    pwrite(fd, bytes, FCP_PAGE_BYTES, at) != (ssize_t)FCP_PAGE_BYTES)
			abort();
	}
	return fd;
}

static void test_base(bool layer)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_settings settings;
	struct fcp_writer_result result;
	struct fcp_clone_result cloned;
	struct fcp_error err = {0};
	uint64_t equal = 0, differing = 1;
	int base = make_base(), fd = memfd_create("memory", MFD_CLOEXEC);
	const struct fcp_clone_settings clone = {.from = base,
						 .to = fd,
						 .name = "vm.mem",
						 .bytes = BYTES,
						 .cancel_fd = -1};

	add_runs(&runs, PAGES, 0);
	ok(fcp_clone_file(&clone, &cloned, &err) == 0, "a copy of the base");
	settings = settings_of(&runs, fd, 2);
	settings.base_fd = base;
	settings.layer = layer;
	ok(fcp_writer_write(&settings, &result, &err) == 0, "over a base: %s", err.message);
	is_u64(wrong_pages(fd, &runs), 0, "the file is the memory");
	for (size_t page = 0; page < PAGES; page++)
		equal += page % 4 == 1 && page % 3 != 0;
	is_u64(result.equal_bytes, equal * FCP_PAGE_BYTES, "what the base has too is not written");
	ok(fcp_writer_verify(&settings, &differing, &err) == 0 && differing == 0, "it verifies");
	fcp_page_runs_clear(&runs);
	close(base);
	close(fd);
}

static void test_verify_finds_it(void)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_settings settings;
	struct fcp_writer_result result;
	struct fcp_error err = {0};
	uint64_t differing = 0;
	int fd = empty_file();

	add_runs(&runs, PAGES, 0);
	settings = settings_of(&runs, fd, 1);
	ok(fcp_writer_write(&settings, &result, &err) == 0, "written");
	if (pwrite(fd, "x", 1, 5 * FCP_PAGE_BYTES) != 1 ||
	    pwrite(fd, "x", 1, 6 * FCP_PAGE_BYTES + 9) != 1)
		abort();
	ok(fcp_writer_verify(&settings, &differing, &err) == 0, "verified");
	is_u64(differing, 2, "two pages differ");
	fcp_page_runs_clear(&runs);
	close(fd);
}

static void test_copy(void)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_settings settings;
	struct fcp_error err = {0};
	unsigned char *buffer = malloc(BYTES);
	uint64_t at = 0, wrong = 0;

	add_runs(&runs, 7, 3);
	settings = settings_of(&runs, -1, 3);
	ok(fcp_writer_copy(&settings, buffer, &err) == 0, "copied to memory: %s", err.message);
	for (size_t i = 0; i < runs.count; i++) {
		size_t bytes = (size_t)(runs.items[i].end - runs.items[i].start);

		wrong += memcmp(buffer + at, (void *)(uintptr_t)runs.items[i].address, bytes) != 0;
		at += bytes;
	}
	is_u64(wrong, 0, "run after run");
	free(buffer);
	fcp_page_runs_clear(&runs);
}

static void test_failures(void)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_settings settings;
	struct fcp_writer_result result;
	struct fcp_error err = {0};
	int fd = empty_file(), cancel[2];

	add_runs(&runs, PAGES, 0);
	settings = settings_of(&runs, fd, 2);
	if (pipe(cancel) != 0 || write(cancel[1], "x", 1) != 1)
		abort();
	settings.cancel_fd = cancel[0];
	ok(fcp_writer_write(&settings, &result, &err) != 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "interrupted");
	settings.cancel_fd = -1;
	settings.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ok(fcp_writer_write(&settings, &result, &err) != 0 && err.errnum == ENOSPC, "no room: %s",
	   err.message);
	close(settings.fd);
	settings.fd = fd;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ok(fcp_writer_write(&settings, &result, &err) != 0 && err.errnum == ESRCH,
	   "the process ended: %s", err.message);
	fcp_page_runs_clear(&runs);
	close(fd);
	close(cancel[0]);
	close(cancel[1]);
}

int main(void)
{
	fill_memory();
	start_child();
	test_whole(PAGES, 0, 1);
	test_whole(PAGES, 0, 4);
	test_whole(1, 1, 1);
	test_whole(1, 2, 3);
	test_whole(13, 5, 2);
	test_whole(300, 1, 2);
	test_base(false);
	test_base(true);
	test_verify_finds_it();
	test_copy();
	test_failures();
	return done();
}
