// SPDX-License-Identifier: Apache-2.0
#include "firecracker/process.h"

#include "base/cleanup.h"
#include "base/maps.h"

#include <string.h>

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

/* The numbers after "Name:" in /proc/PID/status. */
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

bool fcp_process_anonymous(pid_t pid, uint64_t *bytes_)
{
	unsigned long resident_kib, unused;
	uint64_t swap_bytes;

	if (!read_status(pid, "RssAnon", &resident_kib, &unused) ||
	    !fcp_process_swap(pid, &swap_bytes))
		return false;
	*bytes_ = (uint64_t)resident_kib * 1024 + swap_bytes;
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
 * Of the file that the VM was restored from: in pieces of any size, after discards. Private huge
 * pages show a path too ("/anon_hugepage (deleted)"). The data of a program or a library follows
 * its code.
 */
static bool is_restored_memory(const struct fcp_mapping *mapping, const char *program)
{
	return mapping->writable && !mapping->executable && !mapping->shared &&
	       mapping->inode != 0 && mapping->path[0] == '/' &&
	       strcmp(mapping->path, "/anon_hugepage (deleted)") != 0 &&
	       strcmp(mapping->path, program) != 0;
}

bool fcp_process_restored_from(pid_t pid, char path_[FCP_PROCESS_PATH_BYTES])
{
	FCP_CLEANUP(maps) struct fcp_maps maps = {0};
	uint64_t largest_bytes = 0;
	struct fcp_mapping mapping;
	struct fcp_error ignored;
	char program[4352] = "";

	if (fcp_maps_open(pid, &maps, &ignored) != 0)
		return false;
	while (fcp_maps_next(&maps, &mapping)) {
		/*
		 * Between the code and the data of a file there can be the kernel's own ([vdso]).
		 */
		if (mapping.executable && mapping.path[0] == '/')
			snprintf(program, sizeof(program), "%s", mapping.path);
		if (!is_restored_memory(&mapping, program) ||
		    mapping.end - mapping.start <= largest_bytes)
			continue;
		largest_bytes = mapping.end - mapping.start;
		snprintf(path_, FCP_PROCESS_PATH_BYTES, "/proc/%d/map_files/%lx-%lx", (int)pid,
			 (unsigned long)mapping.start, (unsigned long)mapping.end);
	}
	return largest_bytes > 0;
}
