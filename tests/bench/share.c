// SPDX-License-Identifier: Apache-2.0
/*
 * Sharing: how fast a file's index is built, and how long memory takes to be written when half of
 * it stands in a disk image, in runs of one to 16 pages, beside writing all of it, to the same
 * disk.
 *
 *   bench-share DIRECTORY   of a file system with reflinks
 */
#include "base/deadline.h"
#include "base/units.h"
#include "memory/share/share.h"
#include "memory/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 5
#define DISK_BYTES (400 * FCP_MIB)
#define MEMORY_BYTES (192 * FCP_MIB)
#define RUN_PAGES_MAX 16

static char disk_path[4096], memory_path[4096];
static unsigned char *memory;

static uint64_t random_state = 1;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void fail(const char *what, const struct fcp_error *err)
{
	fprintf(stderr, "bench-share: %s: %s\n", what, err ? err->message : "failed");
	exit(1);
}

static void fill(unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i += 8) {
		uint64_t number = random_number();

		memcpy(bytes + i, &number, 8);
	}
}

static int make_disk(void)
{
	int fd = open(disk_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unsigned char *piece = malloc(FCP_MIB);

	for (uint64_t at = 0; at < DISK_BYTES; at += FCP_MIB) {
		fill(piece, FCP_MIB);
		if (pwrite(fd, piece, FCP_MIB, (off_t)at) != (ssize_t)FCP_MIB)
			fail("the disk image", NULL);
	}
	free(piece);
	if (fsync(fd) != 0)
		fail("fsync", NULL);
	return fd;
}

/* Runs of the disk from anywhere, and as many pages that are nowhere, in turn. */
static void make_memory(int disk)
{
	uint64_t at = 0;

	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		fail("memory", NULL);
	for (bool shared = false; at < MEMORY_BYTES; shared = !shared) {
		uint64_t bytes = (1 + random_number() % RUN_PAGES_MAX) * FCP_PAGE_BYTES;
		uint64_t from =
			random_number() % ((DISK_BYTES - bytes) / FCP_PAGE_BYTES) * FCP_PAGE_BYTES;

		if (bytes > MEMORY_BYTES - at)
			bytes = MEMORY_BYTES - at;
		if (!shared)
			fill(memory + at, bytes);
		else if (pread(disk, memory + at, bytes, (off_t)from) != (ssize_t)bytes)
			fail("the disk image", NULL);
		at += bytes;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static double index_ms(int disk)
{
	const struct fcp_share_index_build build = {disk, disk_path, DISK_BYTES,
						    fcp_share_hash_block, -1};
	struct fcp_share_index index = {0};
	struct fcp_error err;
	uint64_t start_ns = fcp_now_ns();

	if (fcp_share_index_build(&build, &index, &err) != 0)
		fail("the index", &err);
	fcp_share_index_clear(&index);
	return fcp_ms_since(start_ns);
}

struct written {
	double ms, synced_ms;
	uint64_t shared_bytes;
};

/* A snapshot's part that lasts while the guest stands still, and with the sync at its end. */
static struct written write_memory(struct fcp_share_set *set)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_result result;
	struct fcp_error err;
	int fd = open(memory_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct fcp_writer_settings settings = {.runs = &runs,
						     .fd = fd,
						     .name = memory_path,
						     .base_fd = -1,
						     .share = set,
						     .cancel_fd = -1};
	struct written written;
	uint64_t start_ns;

	if (fd < 0 || ftruncate(fd, (off_t)MEMORY_BYTES) != 0 ||
	    fcp_page_runs_add(&runs, (struct fcp_page_run){0, MEMORY_BYTES, (uintptr_t)memory},
			      &err) != 0)
		fail(memory_path, NULL);
	start_ns = fcp_now_ns();
	if (fcp_writer_write(&settings, &result, &err) != 0)
		fail(memory_path, &err);
	written.ms = fcp_ms_since(start_ns);
	if (fdatasync(fd) != 0)
		fail("fdatasync", NULL);
	written.synced_ms = fcp_ms_since(start_ns);
	written.shared_bytes = result.shared_bytes;
	fcp_page_runs_clear(&runs);
	close(fd);
	unlink(memory_path);
	return written;
}

/* written_by_others: the disk image is open for writing, as a running VM has it, so that pages are
 * compared with the frozen copy, of which nothing is in the page cache. */
static struct written share_memory(int directory, uint64_t min_run_bytes, bool written_by_others)
{
	int writer = written_by_others ? open(disk_path, O_RDWR | O_CLOEXEC) : -1;
	int disk = open(disk_path, O_RDONLY | O_CLOEXEC);
	struct fcp_share_set set = {.min_run_bytes = min_run_bytes};
	struct written written;
	struct fcp_error err;

	if (fcp_share_add(&set, &(struct fcp_share_file){disk, disk_path, directory, -1}, &err) !=
	    0)
		fail(disk_path, &err);
	fcp_share_freeze(&set);
	if (!fcp_share_is_possible(&set)) {
		printf("  sharing: skipped, %s\n", set.sources[0].why);
		exit(0);
	}
	if (set.sources[0].is_live == written_by_others)
		fail("the lease", NULL);
	written = write_memory(&set);
	fcp_share_clear(&set);
	close(disk);
	if (writer >= 0)
		close(writer);
	return written;
}

static void row(int directory, uint64_t min_run_bytes, bool written_by_others)
{
	double plain[ROUNDS], plain_synced[ROUNDS], shared[ROUNDS], shared_synced[ROUNDS];
	struct written written = {0};

	for (int i = 0; i < ROUNDS; i++) {
		written = write_memory(NULL);
		plain[i] = written.ms;
		plain_synced[i] = written.synced_ms;
		written = share_memory(directory, min_run_bytes, written_by_others);
		shared[i] = written.ms;
		shared_synced[i] = written.synced_ms;
	}
	printf("  %s, runs of %2llu KiB or more: %llu of %llu MiB written, %.0f ms, to the disk "
	       "%.0f; without "
	       "sharing %.0f ms, %.0f; ratio %.2f, %.2f\n",
	       written_by_others ? "a disk in use " : "no disk in use",
	       (unsigned long long)(min_run_bytes / 1024),
	       (unsigned long long)((MEMORY_BYTES - written.shared_bytes) / FCP_MIB),
	       (unsigned long long)(MEMORY_BYTES / FCP_MIB), median(shared), median(shared_synced),
	       median(plain), median(plain_synced), median(shared) / median(plain),
	       median(shared_synced) / median(plain_synced));
}

int main(int argc, char **argv)
{
	double ms[ROUNDS];
	struct rusage usage;
	int disk, directory;

	if (argc < 2)
		return 2;
	snprintf(disk_path, sizeof(disk_path), "%s/bench-disk", argv[1]);
	snprintf(memory_path, sizeof(memory_path), "%s/bench-memory", argv[1]);
	directory = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	disk = make_disk();
	make_memory(disk);
	for (int i = 0; i < ROUNDS; i++)
		ms[i] = index_ms(disk);
	printf("  index of %llu MiB: %.0f ms\n", (unsigned long long)(DISK_BYTES / FCP_MIB),
	       median(ms));
	close(disk);
	for (uint64_t min_run = FCP_PAGE_BYTES; min_run <= 16 * FCP_PAGE_BYTES; min_run *= 4)
		for (int in_use = 0; in_use < 2; in_use++)
			row(directory, min_run, in_use);
	getrusage(RUSAGE_SELF, &usage);
	printf("  peak of this program, without the memory that it writes: %llu MiB\n",
	       (unsigned long long)usage.ru_maxrss / 1024 - MEMORY_BYTES / FCP_MIB);
	unlink(disk_path);
	return 0;
}
