// SPDX-License-Identifier: Apache-2.0
#include "base/meminfo.h"

#include "base/cleanup.h"

bool fcp_memory_available(uint64_t *bytes_)
{
	FCP_CLEANUP(file) FILE *file = fopen("/proc/meminfo", "re");
	FCP_CLEANUP(free) char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		unsigned long kib;

		if (sscanf(line, "MemAvailable: %lu kB", &kib) == 1) {
			*bytes_ = (uint64_t)kib * 1024;
			return true;
		}
	}
	return false;
}
