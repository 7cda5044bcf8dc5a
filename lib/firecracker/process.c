// SPDX-License-Identifier: Apache-2.0
#include "firecracker/process.h"

#include "base/cleanup.h"

bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_)
{
	FCP_CLEANUP(file) FILE *statm = NULL;
	unsigned long resident;
	char path[64];

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	statm = fopen(path, "re");
	if (!statm || fscanf(statm, "%*u %lu", &resident) != 1)
		return false;
	*rss_bytes_ = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}
