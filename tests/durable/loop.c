// SPDX-License-Identifier: Apache-2.0
/*
 * Checkpoints of one VM by the library, in one process: loop API-SOCK SNAP MEM TIMES. Exit 1 when
 * one fails, or when descriptors or memory in use have grown since the tenth. The allocator must
 * not keep freed blocks back (GLIBC_TUNABLES, see checkpoint.bats): it counts them as in use.
 */
#include <dirent.h>
#include <fcpause.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define SETTLED 10

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static int checkpoint(char **argv)
{
	const struct fcp_snapshot_settings snapshot = {
		.size = sizeof(snapshot),
		.api_sock = argv[1],
		.snapshot_path = argv[2],
		.mem_file_path = argv[3],
		.resume = true,
		.force = true,
		.cancel_fd = -1,
	};
	const struct fcp_madvise_ranges_settings trim = {
		.size = sizeof(trim),
		.find = FCP_FIND_ZERO | FCP_FIND_FREE,
		.cancel_fd = -1,
	};
	const struct fcp_pause_settings settings = {
		.size = sizeof(settings),
		.snapshot = &snapshot,
		.trim = &trim,
	};
	struct fcp_pause_result result = FCP_PAUSE_RESULT_INIT;
	struct fcp_error err = {0};
	int ran = fcp_pause(&settings, &result, &err);

	if (ran < 0 || result.vm_state != FCP_VM_RUNNING || !result.snapshot->created)
		printf("failed: %s\n", err.message);
	ran = ran < 0 || result.vm_state != FCP_VM_RUNNING ? -1 : 0;
	fcp_pause_result_clear(&result);
	return ran;
}

int main(int argc, char **argv)
{
	long times = argc == 5 ? atol(argv[4]) : 0;
	size_t bytes = 0, bytes_now = 0;
	int fds = 0, fds_now = 0;

	for (long i = 1; i <= times; i++) {
		if (checkpoint(argv) != 0)
			return 1;
		fds_now = count_fds();
		bytes_now = mallinfo2().uordblks;
		printf("%ld: %d descriptors, %zu bytes\n", i, fds_now, bytes_now);
		if (i == SETTLED) {
			fds = fds_now;
			bytes = bytes_now;
		}
	}
	/* A block a run, as small as there are, would be four times as much. */
	if (fds_now > fds || bytes_now > bytes + (size_t)(times - SETTLED) * 8)
		return 1;
	return times > 0 ? 0 : 2;
}
