// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/type.h"

#include "firecracker/process.h"
#include "steps/vm_memory.h"

#include <stdio.h>

/*
 * The first version whose Diff falls back to mincore, and the first that writes Diffs of several
 * memory slots correctly: see Firecracker's change log, 1.13.0 and 1.15.0.
 */
#define MINCORE_MINOR 13
#define SLOTS_MINOR 15

/*
 * The most boot memory in one slot: the hole below 4 GiB begins there, in older versions 256 MiB
 * higher; on aarch64 DRAM is from 2 to 256 GiB.
 */
#ifdef __aarch64__
#define SLOT_MAX_MIB (254 << 10)
#else
#define SLOT_MAX_MIB (3 << 10)
#endif

static bool diff_impossible(char reason_[128], const char *why)
{
	snprintf(reason_, 128, "%.127s", why);
	return false;
}

/* false if the version cannot be parsed. */
static bool is_at_least(const char *version, unsigned minor)
{
	unsigned version_major, version_minor;

	if (sscanf(version, "%u.%u", &version_major, &version_minor) != 2)
		return false;
	return version_major > 1 || (version_major == 1 && version_minor >= minor);
}

bool fcp_snapshot_diff_is_corrupt(const struct fcp_instance *instance,
				  const struct fcp_machine_config *machine)
{
	if (is_at_least(instance->vmm_version, SLOTS_MINOR))
		return false;
	return machine->mem_size_mib > SLOT_MAX_MIB || machine->hotplug_mib > 0;
}

static bool backing_is_whole(const struct fcp_guest_ram *ram, char reason_[128])
{
	switch (ram->backing) {
	case FCP_GUEST_BACKING_ANONYMOUS:
	case FCP_GUEST_BACKING_HUGETLB:
		return true;
	case FCP_GUEST_BACKING_USERFAULT:
		return diff_impossible(reason_, "guest memory is filled in by userfaultfd");
	default:
		return diff_impossible(reason_, "guest memory is backed by a file or shared");
	}
}

/* Which process has the memory, and how. */
static bool memory_is_whole(const struct fcp_firecracker *firecracker,
			    const struct fcp_machine_config *machine, char reason_[128])
{
	struct fcp_guest_ram ram;
	struct fcp_error err;
	uint64_t swap_bytes;
	bool whole;

	if (fcp_vm_memory_find(firecracker, machine, &ram, &err) != 0)
		return diff_impossible(
			reason_, err.errnum == 0
					 ? err.message
					 : "the process's memory cannot be read (permission?)");
	whole = backing_is_whole(&ram, reason_);
	fcp_guest_ram_clear(&ram);
	if (!whole)
		return false;
	if (!fcp_process_swap(fcp_firecracker_pid(firecracker), &swap_bytes))
		return diff_impossible(reason_, "the process's memory cannot be read "
						"(permission?)");
	if (swap_bytes != 0)
		return diff_impossible(reason_, "some of the process is swapped out, which mincore "
						"misses");
	return true;
}

bool fcp_snapshot_diff_is_complete(const struct fcp_firecracker *firecracker,
				   const struct fcp_instance *instance,
				   const struct fcp_machine_config *machine, char reason_[128])
{
	if (machine->track_dirty_pages)
		return diff_impossible(reason_, "dirty pages are tracked: a Diff holds only those "
						"since the last snapshot");
	if (!is_at_least(instance->vmm_version, MINCORE_MINOR))
		return diff_impossible(reason_, "this Firecracker is older than 1.13: a Diff needs "
						"dirty tracking");
	if (fcp_snapshot_diff_is_corrupt(instance, machine))
		return diff_impossible(reason_, "this Firecracker is older than 1.15: its Diff of "
						"several memory slots is corrupt");
	if (!memory_is_whole(firecracker, machine, reason_))
		return false;
	snprintf(reason_, 128,
		 "guest memory is anonymous, not swapped, not tracked: a Diff is complete");
	return true;
}
