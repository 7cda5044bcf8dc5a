// SPDX-License-Identifier: Apache-2.0
/*
 * guest_file FILE: the made-up guest of tests/unit/guest_fixture as a memory file of 32 MiB, with
 * bytes left behind in all its free pages.
 */
#include "tests/unit/guest_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool copy(int from, int to, uint64_t bytes)
{
	static char page[4096];

	for (uint64_t at = 0; at < bytes; at += sizeof(page))
		if (pread(from, page, sizeof(page), (off_t)at) != sizeof(page) ||
		    pwrite(to, page, sizeof(page), (off_t)at) != sizeof(page))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	int out = argc == 2 ? open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600) : -1;
	static char left[4096];
	struct fixture guest;

	if (out < 0) {
		perror("guest_file FILE");
		return 2;
	}
	memset(left, 'x', sizeof(left));
	fixture_build(&guest, &(struct fixture_settings){0});
	for (unsigned i = 0; i < fixture_block_count; i++)
		for (uint64_t page = 0; page < UINT64_C(1) << fixture_blocks[i].order; page++)
			fixture_write(&guest, (fixture_blocks[i].pfn + page) * sizeof(left), left,
				      sizeof(left));
	return copy(guest.fd, out, 32 << 20) ? 0 : 1;
}
