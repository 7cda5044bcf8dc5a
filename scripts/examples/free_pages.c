// SPDX-License-Identifier: Apache-2.0
/*
 * free_pages MEMORY OUT: copies the memory of a paused guest without the pages that the guest holds
 * free; they are holes in OUT. MEMORY is a memory file, or the memfd of a VMM whose VM is paused,
 * as /proc/PID/fd/N.
 *
 *   cc -o free_pages free_pages.c $(pkg-config --cflags --libs libfcpause)
 */
#include <fcpause.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int copy_range(int from, int to, uint64_t start, uint64_t end)
{
	static char buffer[1 << 20];

	while (start < end) {
		size_t want = end - start < sizeof(buffer) ? end - start : sizeof(buffer);
		ssize_t got = pread(from, buffer, want, (off_t)start);

		if (got <= 0 || pwrite(to, buffer, (size_t)got, (off_t)start) != got)
			return -1;
		start += (uint64_t)got;
	}
	return 0;
}

/* All of it but the ranges, which are in ascending order. */
static int copy_rest(int from, int to, uint64_t bytes, const struct fcp_ranges *left_out)
{
	uint64_t at = 0;

	for (size_t i = 0; i < left_out->count; i++) {
		if (copy_range(from, to, at, left_out->items[i].start) != 0)
			return -1;
		at = left_out->items[i].end;
	}
	return copy_range(from, to, at, bytes) == 0 ? ftruncate(to, (off_t)bytes) : -1;
}

/* A gate that refuses is no failure: everything is copied then. */
static int find_free(int fd, struct fcp_free_pages_result *result)
{
	struct fcp_memory_source memory = FCP_MEMORY_SOURCE_INIT;
	struct fcp_free_pages_settings settings = FCP_FREE_PAGES_SETTINGS_INIT;
	struct fcp_error err;

	memory.fd = fd;
	settings.memory = &memory;
	if (fcp_free_pages(&settings, result, &err) < 0) {
		fprintf(stderr, "free_pages: %s\n", err.message);
		return -1;
	}
	if (result->outcome.status != FCP_STATUS_OK)
		fprintf(stderr, "free_pages: all is copied: %s\n", result->outcome.reason);
	return 0;
}

int main(int argc, char **argv)
{
	struct fcp_free_pages_result result = FCP_FREE_PAGES_RESULT_INIT;
	int from, to, failed;
	off_t bytes;

	if (argc != 3) {
		fprintf(stderr, "usage: free_pages MEMORY OUT\n");
		return 2;
	}
	from = open(argv[1], O_RDONLY | O_CLOEXEC);
	bytes = from < 0 ? -1 : lseek(from, 0, SEEK_END);
	to = bytes < 0 ? -1 : open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0) {
		fprintf(stderr, "free_pages: %s: %s\n", bytes < 0 ? argv[1] : argv[2],
			strerror(errno));
		return 1;
	}
	failed = find_free(from, &result);
	if (!failed && copy_rest(from, to, (uint64_t)bytes, &result.ranges) != 0) {
		fprintf(stderr, "free_pages: %s: %s\n", argv[2], strerror(errno));
		failed = 1;
	}
	if (!failed)
		printf("%" PRIu64 " of %jd bytes left out\n", result.range_bytes, (intmax_t)bytes);
	fcp_free_pages_result_clear(&result);
	return failed ? 1 : 0;
}
