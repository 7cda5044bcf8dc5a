// SPDX-License-Identifier: Apache-2.0
#include "memory/release.h"

#include "memory/range.h"
#include "memory/releaser.h"
#include "memory/sparse.h"

#include "memory_fixture.h"
#include "tap.h"

#include <linux/memfd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

static struct fcp_madvise_ranges_settings settings_of(const char *path)
{
	return (struct fcp_madvise_ranges_settings){.size = sizeof(
							    struct fcp_madvise_ranges_settings),
						    .mem_file_path = path,
						    .holes = FCP_HOLES_ZERO,
						    .find = FCP_FIND_ZERO,
						    .cancel_fd = -1};
}

/* Runs the step on a drawn file and compares the file and what is told of it. */
static void step_makes(const char *layout, const char *after, uint64_t min_run_bytes,
		       const char *what)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	struct fcp_madvise_ranges_settings settings = settings_of(path);
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err = {0};
	char *now;

	settings.min_run_bytes = min_run_bytes;
	draw(fd, layout);
	close(fd);
	if (!ok(fcp_madvise_ranges(&settings, &result, &err) == 0 &&
			result.outcome.status == FCP_STATUS_OK,
		"%s: done", what))
		printf("# %s\n", err.message);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now = drawn(fd);
	is_str(now, after, what);
	is_u64(result.released_bytes, fcp_ranges_bytes(&result.ranges), "... all of it released");
	is_u64(result.mem_file.logical_bytes, strlen(layout) * PAGE, "... the size is as it was");
	ok(result.released_bytes == 0 ||
		   result.mem_file.allocated_bytes < result.mem_file.allocated_before_bytes,
	   "... and it occupies less");
	free(now);
	close(fd);
	unlink(path);
	fcp_madvise_ranges_result_clear(&result);
}

/*
 * The bytes of the first case, before and after, in pages of 4096 bytes:
 *
 *   page      0   1   2   3   4   5   6   7
 *   before    D   Z   Z   D   -   Z   D   Z      D data   Z zeros   - hole
 *   punched       |=======|       |===|   |===|
 *   after     D   -   -   D   -   -   D   -      size 32768 before and after
 */
static void whole_step(void)
{
	step_makes("DZZD-ZDZ", "D--D--D-", 0, "zeros become holes");
	step_makes("ZZD", "--D", 0, "at the start");
	step_makes("DZZ", "D--", 0, "at the end");
	step_makes("ZZZZ", "----", 0, "only zeros");
	step_makes("DDDD", "DDDD", 0, "only data");
	step_makes("----", "----", 0, "only holes");
	step_makes("Z", "-", 0, "one page");
	step_makes("ZDZZDZZZ", "ZD--D---", 2 * PAGE, "runs shorter than --min-run stay");
}

static void random_files(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	struct fcp_madvise_ranges_settings settings = settings_of(path);
	uint64_t seed = 99;
	int wrong = 0;

	for (int round = 0; round < 100; round++) {
		struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
		char layout[81] = {0}, *before, *after;
		struct fcp_error err;

		for (size_t i = 0; i < 80; i++)
			layout[i] = "DDZ-"[next_random(&seed) % 4];
		draw(fd, layout);
		before = drawn(fd);
		close(fd);
		wrong += fcp_madvise_ranges(&settings, &result, &err) < 0;
		fd = open(path, O_RDWR | O_CLOEXEC);
		after = drawn(fd);
		for (char *c = before; *c; c++)
			*c = *c == 'Z' ? '-' : *c;
		wrong += strcmp(before, after) != 0;
		free(before);
		free(after);
		fcp_madvise_ranges_result_clear(&result);
	}
	is_u64((uint64_t)wrong, 0, "100 random files: zeros are holes, all else is as it was");
	close(fd);
	unlink(path);
}

static void given_ranges(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	struct fcp_range items[] = {{PAGE, 2 * PAGE}, {2 * PAGE, 3 * PAGE}};
	struct fcp_ranges ranges = {.items = items, .count = 2};
	struct fcp_madvise_ranges_settings settings = settings_of(path);
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err = {0};
	char *now;

	settings.find = 0;
	settings.ranges = &ranges;
	draw(fd, "DDDDZ");
	close(fd);
	ok(fcp_madvise_ranges(&settings, &result, &err) == 0, "given ranges are released as given");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now = drawn(fd);
	is_str(now, "D--DZ", "... and no more than these");
	free(now);
	close(fd);
	is_u64(result.released_bytes, 2 * PAGE, "... and reported");
	fcp_madvise_ranges_result_clear(&result);

	items[1].end = 6 * PAGE;
	ok(fcp_madvise_ranges(&settings, &result, &err) < 0 && err.error_class == FCP_ERR_USAGE,
	   "a range past the end is refused");
	has_str(err.message, "past the end", "... and says so");
	is_u64(result.released_bytes, 0, "... before anything is released");
	fcp_madvise_ranges_result_clear(&result);
	unlink(path);
}

static void kept(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	struct fcp_madvise_ranges_settings settings = settings_of(path);
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err;
	char *text, *now;

	draw(fd, "DZZDZ");
	settings.keep = true;
	ok(fcp_madvise_ranges(&settings, &result, &err) == 0, "keep: lists what it would release");
	text = in_pages(&result.ranges);
	now = drawn(fd);
	is_str(text, "1+2 4+1", "... in full");
	is_str(now, "DZZDZ", "... and leaves the file alone");
	is_u64(result.released_bytes, 0, "... and reports nothing as released");
	free(text);
	free(now);
	fcp_madvise_ranges_result_clear(&result);
	close(fd);
	unlink(path);
}

static void refused(const char *path, enum fcp_error_class error_class, const char *part,
		    const char *what)
{
	const struct fcp_madvise_ranges_settings settings = settings_of(path);
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err = {0};

	ok(fcp_madvise_ranges(&settings, &result, &err) < 0 && err.error_class == error_class &&
		   result.outcome.status == FCP_STATUS_FAILED,
	   "%s is refused", what);
	has_str(err.message, part, "... with the reason");
	fcp_madvise_ranges_result_clear(&result);
}

static void no_memory_files(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);

	refused(path, FCP_ERR_INPUT, "empty", "an empty file");
	if (ftruncate(fd, 5000) < 0)
		abort();
	refused(path, FCP_ERR_INPUT, "not a multiple of 4096", "a size that is not in pages");
	close(fd);
	unlink(path);
	refused(path, FCP_ERR_IO, path, "a file that is not there");
	refused("/dev/null", FCP_ERR_INPUT, "not a regular file", "a device");
}

/* Write-sealed memory cannot be punched: the error says why, the count says how far it came. */
static void sealed_memfd(void)
{
	FCP_CLEANUP(fd) int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const struct fcp_file file = {.fd = fd, .name = "sealed", .cancel_fd = -1};
	struct fcp_error err = {0};
	uint64_t done_bytes = 0;

	if (fd < 0) {
		skip("a sealed memfd", "no memfd here");
		return;
	}
	draw(fd, "DZZD");
	ok(fcp_release_range(&file, PAGE, 2 * PAGE, &done_bytes, &err) == 0, "a memfd is punched");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0)
		abort();
	ok(fcp_release_range(&file, 2 * PAGE, 3 * PAGE, &done_bytes, &err) < 0 &&
		   err.error_class == FCP_ERR_IO && err.errnum == EPERM,
	   "a sealed one is not");
	has_str(err.message, "sealed: sealed or immutable", "... and says that it is sealed");
	has_str(err.message, "4096 bytes released", "... and how much had been released");
	is_u64(done_bytes, PAGE, "... and counts it");
}

static void read_only(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	struct fcp_file file = {.name = "mem", .cancel_fd = -1};
	struct fcp_error err = {0};
	uint64_t done_bytes = 0;

	draw(fd, "ZZ");
	close(fd);
	file.fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	ok(fcp_release_range(&file, 0, PAGE, &done_bytes, &err) < 0 &&
		   err.error_class == FCP_ERR_IO,
	   "a descriptor that may not write fails");
	is_u64(done_bytes, 0, "... with nothing released");
	close(file.fd);
}

static void cancelled(void)
{
	char path[PATH_MAX];
	int fd = new_file(NULL, path);
	FCP_CLEANUP(fd) int cancel_fd = eventfd(1, EFD_CLOEXEC);
	struct fcp_madvise_ranges_settings settings = settings_of(path);
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err = {0};
	char *now;

	settings.cancel_fd = cancel_fd;
	draw(fd, "DZZD");
	close(fd);
	ok(fcp_madvise_ranges(&settings, &result, &err) < 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "a cancelled run ends so");
	is_u64(result.mem_file.logical_bytes, 4 * PAGE, "... with the result filled in");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now = drawn(fd);
	is_str(now, "DZZD", "... and nothing done, as nothing is reported");
	free(now);
	close(fd);
	unlink(path);
	fcp_madvise_ranges_result_clear(&result);
}

/* More ranges than may wait, then an error in the thread: _put() or _finish() hands it on. */
static void releaser_thread(void)
{
	FCP_CLEANUP(fd) int fd = memfd_create("many", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const struct fcp_file file = {.fd = fd, .name = "many", .cancel_fd = -1};
	struct fcp_releaser *releaser;
	struct fcp_error err = {0};
	uint64_t done_bytes = 0;
	int put = 0;

	for (size_t i = 0; i < 6000; i++)
		write_page(fd, i, 'D');
	if (fcp_releaser_start(&file, &releaser, &err) < 0)
		abort();
	for (size_t i = 0; i < 6000 && put == 0; i += 2)
		put = fcp_releaser_put(i * PAGE, (i + 1) * PAGE, releaser, &err);
	ok(put == 0 && fcp_releaser_finish(releaser, false, &done_bytes, &err) == 0,
	   "3000 ranges through the thread");
	is_u64(done_bytes, 3000 * PAGE, "... are all punched");

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 ||
	    fcp_releaser_start(&file, &releaser, &err) < 0)
		abort();
	for (size_t i = 1; i < 6000 && put == 0; i += 2)
		put = fcp_releaser_put(i * PAGE, (i + 1) * PAGE, releaser, &err);
	ok(put < 0 && err.errnum == EPERM, "an error of the thread ends the puts");
	err = (struct fcp_error){0};
	ok(fcp_releaser_finish(releaser, false, &done_bytes, &err) < 0 && err.errnum == EPERM,
	   "... and is what finish says");
	is_u64(done_bytes, 0, "... with nothing counted");
}

/* Against one lseek(2) a page. */
static void checked(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	uint64_t seed = 5;
	int wrong = 0;

	unlink(path);
	for (int round = 0; round < 200; round++) {
		FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
		char layout[51] = {0}, *now;
		uint64_t expected = 0, got = 0;
		struct fcp_error err;

		for (size_t i = 0; i < 50; i++)
			layout[i] = "D-"[next_random(&seed) % 2];
		draw(fd, layout);
		now = drawn(fd);
		for (size_t i = 0; i < 50; i++) {
			if (next_random(&seed) % 2)
				continue;
			fcp_ranges_add(&ranges, i * PAGE, (i + 1) * PAGE, &err);
			expected += now[i] == '-' ? PAGE : 0;
		}
		wrong += fcp_release_check(&file, &ranges, 0, &got, &err) < 0 || got != expected;
		free(now);
	}
	is_u64((uint64_t)wrong, 0, "holes inside of ranges, 200 random layouts");
}

static void sizes(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	struct fcp_file_size size = {0};
	struct fcp_range extent = {0};
	struct fcp_error err = {0};

	unlink(path);
	draw(fd, "--------------------------------DD--------------------------------");
	ok(fcp_file_size(fd, path, &size, &err) == 0 && size.logical_bytes == 66 * PAGE &&
		   size.allocated_bytes < 66 * PAGE,
	   "a sparse file occupies less than its size");
	ok(fcp_sparse_next(fd, path, 0, 66 * PAGE, &extent, &err) == 1 &&
		   extent.start <= 32 * PAGE && extent.end >= 34 * PAGE,
	   "its extent is found");
	ok(fcp_sparse_next(fd, path, 0, 33 * PAGE, &extent, &err) == 1 && extent.end == 33 * PAGE,
	   "... clipped to what is asked for");
	is_u64((uint64_t)fcp_sparse_next(fd, path, 66 * PAGE, UINT64_MAX, &extent, &err), 0,
	       "... and none is behind the end");
	ok(fcp_sparse_next(-1, "mem", 0, PAGE, &extent, &err) < 0 && err.errnum == EBADF,
	   "a bad descriptor is an error");
}

int main(void)
{
	whole_step();
	random_files();
	given_ranges();
	kept();
	no_memory_files();
	sealed_memfd();
	read_only();
	cancelled();
	releaser_thread();
	checked();
	sizes();
	return done();
}
