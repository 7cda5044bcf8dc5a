// SPDX-License-Identifier: Apache-2.0
/*
 * guest_file FILE [arm64 | GIB [scattered]]: the made-up guest of tests/unit/guest_fixture as a
 * memory file of 32 MiB without a hole, with bytes left behind in all its free pages; that of
 * tests/unit/guest_arm64, of 64 MiB; or, of tests/unit/guest_large, grown to that many GiB, sparse,
 * and with many more free pages.
 */
#include "tests/unit/guest_arm64.h"
#include "tests/unit/guest_large.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What has data; the rest is holes in the copy too. */
static bool copy(int from, int to, uint64_t bytes)
{
	static char page[4096];
	off_t at = 0, end;

	for (; (at = lseek(from, at, SEEK_DATA)) >= 0; at = end)
		for (end = lseek(from, at, SEEK_HOLE); at < end; at += (off_t)sizeof(page))
			if (pread(from, page, sizeof(page), at) != sizeof(page) ||
			    pwrite(to, page, sizeof(page), at) != sizeof(page))
				return false;
	return ftruncate(to, (off_t)bytes) == 0;
}

/* As Firecracker writes it: zeros are written too. */
static bool fill(int to, uint64_t bytes)
{
	static const char zeros[1 << 20];

	for (uint64_t at = 0; at < bytes; at += sizeof(zeros))
		if (pwrite(to, zeros, sizeof(zeros), (off_t)at) != sizeof(zeros))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	bool arm64 = argc > 2 && strcmp(argv[2], "arm64") == 0;
	uint64_t gib = argc > 2 && !arm64 ? strtoull(argv[2], NULL, 10) : 0;
	int out = argc > 1 ? open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600) : -1;
	static char left[4096];
	struct fixture guest;

	if (out < 0) {
		perror("guest_file FILE [arm64 | GIB [scattered]]");
		return 2;
	}
	memset(left, 'x', sizeof(left));
	if (arm64)
		arm64_build(&guest, &(struct arm64_settings){0});
	else
		fixture_build(&guest, &(struct fixture_settings){0});
	for (unsigned i = 0; i < fixture_block_count; i++)
		for (uint64_t page = 0; page < UINT64_C(1) << fixture_blocks[i].order; page++)
			fixture_write(&guest, (fixture_blocks[i].pfn + page) * sizeof(left), left,
				      sizeof(left));
	if (gib > 0)
		guest_large_grow(&guest, gib << 30);
	if (gib > 0 && argc > 3)
		guest_large_scatter(&guest);
	if (gib == 0 && !fill(out, guest.settings.bytes))
		return 1;
	return copy(guest.fd, out, guest.settings.bytes) ? 0 : 1;
}
