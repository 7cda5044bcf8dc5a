// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "guest_memory.h"

/*
 * process_vm_readv: unlike /proc/PID/mem it also reads what a page-fault handler has yet to bring.
 */
static int print_range(int pid, unsigned long start, unsigned long end)
{
	static char buf[1 << 20];

	while (start < end) {
		size_t want = end - start < sizeof(buf) ? end - start : sizeof(buf);
		struct iovec local = {buf, want}, remote = {(void *)start, want};
		ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (n <= 0 || fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return 1;
		start += (unsigned long)n;
	}
	return 0;
}

int guest_memory_print(int pid)
{
	unsigned long start = 0, end = 0, from, to;
	char path[64], line[4096];
	FILE *in;
	int ret = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	in = fopen(path, "re");
	while (in && !ret && fgets(line, sizeof(line), in)) {
		bool flags = !strncmp(line, "VmFlags:", 8);

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			start = from;
			end = to;
		}
		/* Guest memory is what a fork does not copy (dc) and has no huge pages (nh). */
		if (flags && strstr(line, " dc") && strstr(line, " nh"))
			ret = print_range(pid, start, end);
	}
	if (in)
		fclose(in);
	return !in || ret || fflush(stdout) ? 1 : 0;
}
