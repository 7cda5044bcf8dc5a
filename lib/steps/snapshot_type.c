// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot_type.h"

#include "base/units.h"
#include "firecracker/process.h"

#include <stdio.h>

/* The first version whose Diff falls back to mincore: see its change log, 1.13.0. */
#define MINCORE_MAJOR 1
#define MINCORE_MINOR 13

static bool no(char reason_[128], const char *why)
{
	snprintf(reason_, 128, "%s", why);
	return false;
}

static bool has_mincore(const char *version)
{
	unsigned major, minor;

	if (sscanf(version, "%u.%u", &major, &minor) != 2)
		return false;
	return major > MINCORE_MAJOR || (major == MINCORE_MAJOR && minor >= MINCORE_MINOR);
}

bool fcp_snapshot_diff_is_complete(pid_t pid, const struct fcp_instance *instance,
				   const struct fcp_machine_config *machine, char reason_[128])
{
	struct fcp_process_memory memory;
	struct fcp_error err;
	uint64_t swap_bytes;

	if (machine->track_dirty_pages)
		return no(reason_, "dirty pages are tracked: a Diff holds only those since the last snapshot");
	if (!has_mincore(instance->vmm_version))
		return no(reason_, "this Firecracker is older than 1.13: a Diff needs dirty tracking");
	if (pid <= 0)
		return no(reason_, "the process behind the socket is not known");
	if (fcp_process_memory(pid, &memory, &err) != 0 || !fcp_process_swap(pid, &swap_bytes))
		return no(reason_, "the process's memory cannot be looked at (permission?)");
	if (memory.of_files)
		return no(reason_, "guest memory is, or may be, backed by a file or shared");
	if (memory.anonymous_bytes < machine->mem_size_mib * FCP_MIB)
		return no(reason_, "guest memory is not found among the process's anonymous memory");
	if (memory.userfault)
		return no(reason_, "guest memory is filled in by userfaultfd");
	if (swap_bytes != 0)
		return no(reason_, "some of the process is swapped out, which mincore misses");
	snprintf(reason_, 128, "guest memory is anonymous, not swapped, not tracked: a Diff is complete");
	return true;
}
