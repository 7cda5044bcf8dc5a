// SPDX-License-Identifier: Apache-2.0
#include "firecracker/process.h"

#include "base/cleanup.h"
#include "base/maps.h"

#include <string.h>

/* Guest memory is a multiple of this (mem_size_mib). */
#define SHARED_MIN_BYTES (1 << 20)

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	if (pid <= 0) {
		errno = ESRCH;
		return NULL;
	}
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_)
{
	FCP_CLEANUP(file) FILE *statm = open_proc(pid, "statm");
	unsigned long resident;

	if (!statm || fscanf(statm, "%*u %lu", &resident) != 1)
		return false;
	*rss_bytes_ = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

/* The numbers behind "Name:" in /proc/PID/status. */
static bool read_status(pid_t pid, const char *name, unsigned long *first_, unsigned long *second_)
{
	FCP_CLEANUP(file) FILE *status = open_proc(pid, "status");
	FCP_CLEANUP(free) char *line = NULL;
	size_t length = strlen(name), room = 0;

	while (status && getline(&line, &room, status) > 0)
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return sscanf(line + length + 1, "%lu %lu", first_, second_) >= 1;
	return false;
}

bool fcp_process_swap(pid_t pid, uint64_t *swap_bytes_)
{
	unsigned long kib, unused;

	if (!read_status(pid, "VmSwap", &kib, &unused))
		return false;
	*swap_bytes_ = (uint64_t)kib * 1024;
	return true;
}

bool fcp_process_owner(pid_t pid, uid_t *uid_, gid_t *gid_)
{
	unsigned long uid, gid, real;

	/* "Uid: real effective saved filesystem" */
	if (!read_status(pid, "Uid", &real, &uid) || !read_status(pid, "Gid", &real, &gid))
		return false;
	*uid_ = (uid_t)uid;
	*gid_ = (gid_t)gid;
	return true;
}

/*
 * A writable mapping of a file that can hold guest memory. A private one of any size: what is left
 * of a memory file that the VM was restored from is in pieces after a discard. A shared one is never
 * cut, and Firecracker has small ones of its own: vCPUs, a page of a memfd in each network device.
 */
static bool is_file_memory(const struct fcp_mapping *mapping)
{
	if (mapping->inode == 0 || mapping->path[0] != '/')
		return false;
	return !mapping->shared || mapping->end - mapping->start >= SHARED_MIN_BYTES;
}

static void add_mapping(const struct fcp_mapping *mapping, const char *program,
			struct fcp_process_memory *memory)
{
	if (!mapping->writable)
		return;
	if (mapping->inode == 0 && !mapping->shared)
		memory->anonymous_bytes += mapping->end - mapping->start;
	/* The data of a program or a library stands behind its code. */
	else if (is_file_memory(mapping) && strcmp(mapping->path, program) != 0) {
		memory->of_files = true;
		memory->restored |= !mapping->shared;
	}
}

int fcp_process_memory(pid_t pid, struct fcp_process_memory *memory_, struct fcp_error *err)
{
	static const char *const userfault[] = {"anon_inode:[userfaultfd]"};
	FCP_CLEANUP(maps) struct fcp_maps maps = {0};
	struct fcp_process_memory memory = {0};
	struct fcp_mapping mapping;
	char program[4352] = "";
	unsigned count;

	if (fcp_maps_open(pid, &maps, err) != 0)
		return -1;
	while (fcp_maps_next(&maps, &mapping)) {
		if (mapping.executable)
			snprintf(program, sizeof(program), "%s", mapping.path);
		add_mapping(&mapping, program, &memory);
	}
	if (fcp_proc_count_fds(pid, userfault, &count, 1, err) != 0)
		return -1;
	memory.userfault = count > 0;
	*memory_ = memory;
	return 0;
}

int fcp_process_mapping(pid_t pid, uint64_t address, struct fcp_process_mapping *mapping_,
			struct fcp_error *err)
{
	FCP_CLEANUP(maps) struct fcp_maps maps = {0};
	struct fcp_mapping found;

	if (fcp_maps_open(pid, &maps, err) != 0)
		return -1;
	while (fcp_maps_next(&maps, &found)) {
		if (address < found.start || address >= found.end)
			continue;
		*mapping_ = (struct fcp_process_mapping){found.start, found.end, found.offset,
							 found.shared && found.inode != 0};
		return 0;
	}
	return fcp_error_set(err, FCP_ERR_IO, EFAULT, "/proc/%d/maps", (int)pid);
}

bool fcp_process_restored_from(pid_t pid, char path_[FCP_PROCESS_PATH_BYTES])
{
	FCP_CLEANUP(file) FILE *maps = open_proc(pid, "maps");
	FCP_CLEANUP(free) char *line = NULL;
	uint64_t largest_bytes = SHARED_MIN_BYTES - 1;
	size_t room = 0;

	while (maps && getline(&line, &room, maps) > 0) {
		unsigned long start, end, inode;
		char mode[5];

		if (sscanf(line, "%lx-%lx %4s %*x %*s %lu", &start, &end, mode, &inode) != 4 ||
		    strcmp(mode, "rw-p") != 0 || inode == 0 || end - start <= largest_bytes)
			continue;
		largest_bytes = end - start;
		snprintf(path_, FCP_PROCESS_PATH_BYTES, "/proc/%d/map_files/%lx-%lx", (int)pid, start,
			 end);
	}
	return largest_bytes >= SHARED_MIN_BYTES;
}
