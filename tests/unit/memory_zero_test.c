// SPDX-License-Identifier: Apache-2.0
#include "memory/zero.h"

#include "memory_fixture.h"
#include "tap.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>

static int append(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	return fcp_ranges_add(arg, start, end, err);
}

static int find_zeros(const struct fcp_file *file, const struct fcp_ranges *skip,
		      struct fcp_ranges *ranges_, struct fcp_error *err)
{
	const struct fcp_zero_scan scan = {.file = file,
					   .skip = skip,
					   .sink = append,
					   .sink_arg = ranges_};

	return fcp_zero_scan(&scan, err);
}

static void check_layout(const char *dir, const char *layout, const char *what)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(dir, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	struct fcp_ranges ranges = {0};
	struct fcp_error err = {0};
	char *got, *expected, *now;

	unlink(path);
	draw(fd, layout);
	now = drawn(fd);
	expected = runs_of(now, 'Z');
	if (find_zeros(&file, NULL, &ranges, &err) < 0)
		printf("# %s\n", err.message);
	got = in_pages(&ranges);
	is_str(got, expected, what);
	free(got);
	free(expected);
	free(now);
	fcp_ranges_clear(&ranges);
}

static void layouts(const char *dir)
{
	check_layout(dir, "D", "one page of data");
	check_layout(dir, "Z", "one page of zeros");
	check_layout(dir, "-", "one page of a hole");
	check_layout(dir, "DDDDDDDD", "only data");
	check_layout(dir, "ZZZZZZZZ", "only zeros");
	check_layout(dir, "--------", "only holes");
	check_layout(dir, "--DZZD", "a hole at the start");
	check_layout(dir, "DZZD--", "a hole at the end");
	check_layout(dir, "D--ZZZ", "zeros in the last extent");
	check_layout(dir, "DDDZDDD", "a zero page inside of data");
	check_layout(dir, "ZZ--ZZ", "a hole between zeros is in no run");
	check_layout(dir, "ZDZDZD", "every other page");
	check_layout(dir, "-D-D-D-Z", "extents of one page");
}

/* Random layouts, long enough for several chunks of the reader now and then. */
static void random_layouts(const char *dir, int rounds)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(dir, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	uint64_t seed = 42;
	int wrong = 0;

	unlink(path);
	for (int round = 0; round < rounds; round++) {
		size_t pages = round % 10 == 0 ? 700 : 1 + next_random(&seed) % 60;
		FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
		char layout[1024] = {0};
		char kind = 'D', *now, *got, *expected;
		struct fcp_error err;

		for (size_t i = 0; i < pages; i++) {
			if (next_random(&seed) % 4 == 0)
				kind = "DZ-"[next_random(&seed) % 3];
			layout[i] = kind;
		}
		draw(fd, layout);
		now = drawn(fd);
		expected = runs_of(now, 'Z');
		wrong += find_zeros(&file, NULL, &ranges, &err) < 0;
		got = in_pages(&ranges);
		if (strcmp(got, expected) != 0 && wrong++ == 0)
			printf("# round %d: %s\n#      got %s\n# expected %s\n", round, now, got,
			       expected);
		free(now);
		free(got);
		free(expected);
	}
	ok(wrong == 0, "%d random layouts, page by page", rounds);
}

/* What is skipped is neither read nor reported, whatever it cuts through. */
static void skipping(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	uint64_t seed = 7;
	int wrong = 0;

	unlink(path);
	for (int round = 0; round < 200; round++) {
		FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0}, skip = {0};
		char layout[41] = {0}, *now, *got, *expected;
		struct fcp_error err;

		for (size_t i = 0; i < 40; i++)
			layout[i] = "DZ-ZZ"[next_random(&seed) % 5];
		draw(fd, layout);
		now = drawn(fd);
		for (size_t i = 0; i < 40; i++) {
			if (next_random(&seed) % 3 != 0)
				continue;
			fcp_ranges_add(&skip, i * PAGE, (i + 1) * PAGE, &err);
			now[i] = 's';
		}
		expected = runs_of(now, 'Z');
		wrong += find_zeros(&file, &skip, &ranges, &err) < 0;
		got = in_pages(&ranges);
		wrong += strcmp(got, expected) != 0;
		free(now);
		free(got);
		free(expected);
	}
	is_u64((uint64_t)wrong, 0, "ranges to skip, 200 random layouts");
}

static void huge_and_sparse(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
	const off_t size = (off_t)1 << 39;
	char zeros[4096] = {0};
	struct fcp_error err = {0};

	unlink(path);
	if (ftruncate(fd, size) < 0 || pwrite(fd, zeros, PAGE, size - 4096) != (ssize_t)PAGE) {
		skip("512 GiB of hole", "the file system has no files that long");
		return;
	}
	ok(find_zeros(&file, NULL, &ranges, &err) == 0, "512 GiB, one page of them data");
	is_u64(ranges.count ? ranges.items[0].start : 0, (uint64_t)size - 4096, "... is found");
}

struct intruder {
	int fd;
	int runs;
};

static int truncate_at_first_run(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	struct intruder *intruder = arg;

	(void)start;
	(void)end;
	(void)err;
	if (intruder->runs++ == 0 && ftruncate(intruder->fd, 4096) < 0)
		abort();
	return 0;
}

static int fail_at_first_run(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	(void)start;
	(void)end;
	++*(int *)arg;
	return fcp_error_set(err, FCP_ERR_MEMORY, 0, "the sink's own");
}

/* 80 MiB of "ZD" pairs: more than is read before the sink is told; a run at the start. */
static int long_file(char path[PATH_MAX])
{
	int fd = new_file(NULL, path);

	unlink(path);
	for (size_t i = 0; i < 20480; i++)
		write_page(fd, i, i % 2 ? 'D' : 'Z');
	return fd;
}

static void truncated_meanwhile(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = long_file(path);
	const struct fcp_file file = {.fd = fd, .name = "mem", .cancel_fd = -1};
	struct intruder intruder = {.fd = fd};
	const struct fcp_zero_scan scan = {.file = &file,
					   .sink = truncate_at_first_run,
					   .sink_arg = &intruder};
	struct fcp_error err = {0};

	ok(fcp_zero_scan(&scan, &err) < 0 && err.error_class == FCP_ERR_BUSY,
	   "a file that is truncated meanwhile is an error, no signal");
	has_str(err.message, "mem: truncated", "... that says so");
}

static void stopped(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = long_file(path);
	FCP_CLEANUP(fd) int cancel_fd = eventfd(1, EFD_CLOEXEC);
	const struct fcp_file file = {.fd = fd, .name = "mem", .cancel_fd = cancel_fd};
	const struct fcp_file calm = {.fd = fd, .name = "mem", .cancel_fd = -1};
	struct fcp_ranges ranges = {0};
	int calls = 0;
	const struct fcp_zero_scan scan = {.file = &calm,
					   .sink = fail_at_first_run,
					   .sink_arg = &calls};
	struct fcp_error err = {0};

	ok(find_zeros(&file, NULL, &ranges, &err) < 0 && err.error_class == FCP_ERR_INTERRUPTED,
	   "a cancelled scan ends");
	fcp_ranges_clear(&ranges);
	ok(fcp_zero_scan(&scan, &err) < 0 && calls == 1, "a sink that fails ends the scan");
	is_str(err.message, "the sink's own", "... with its error");
}

static void odd_size(void)
{
	char path[PATH_MAX];
	FCP_CLEANUP(fd) int fd = new_file(NULL, path);
	const struct fcp_file file = {.fd = fd, .name = path, .cancel_fd = -1};
	FCP_CLEANUP(ranges) struct fcp_ranges ranges = {0};
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_error err;

	unlink(path);
	draw(fd, "DZZ");
	if (ftruncate(fd, 2 * 4096 + 100) < 0)
		abort();
	ok(find_zeros(&file, NULL, &ranges, &err) == 0, "a file that ends inside of a page");
	text = in_pages(&ranges);
	is_str(text, "1+1", "... is scanned up to its last whole page");
}

/* Runs the layouts on an ext4 of its own, which goes with this process's mount namespace. */
static void on_file_system(const char *options, const char *what)
{
	char image[PATH_MAX], directory[PATH_MAX], command[5 * PATH_MAX];
	int fd = new_file(NULL, image);

	snprintf(directory, sizeof(directory), "%.4000s.d", image);
	snprintf(command, sizeof(command),
		 "mkfs.ext4 -q -F %s %s 2>/dev/null && mkdir %s && mount -o loop %s %s 2>/dev/null",
		 options, image, directory, image, directory);
	if (ftruncate(fd, 64 << 20) < 0)
		abort();
	close(fd);
	if (system(command) == 0) {
		printf("# on ext4 with %s\n", what);
		layouts(directory);
		random_layouts(directory, 50);
		umount2(directory, MNT_DETACH);
	} else {
		skip(what, "no ext4 can be made and mounted here");
	}
	rmdir(directory);
	unlink(image);
}

int main(void)
{
	layouts(NULL);
	random_layouts(NULL, 300);
	if (access("/dev/shm", W_OK) == 0) {
		printf("# on tmpfs\n");
		layouts("/dev/shm");
		random_layouts("/dev/shm", 300);
	}
	skipping();
	huge_and_sparse();
	truncated_meanwhile();
	stopped();
	odd_size();
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0) {
		on_file_system("-b 1024", "blocks of 1 KiB");
		on_file_system("-O bigalloc -C 65536", "clusters of 64 KiB");
	} else {
		skip("other block sizes", "no permission to mount");
	}
	return done();
}
