// SPDX-License-Identifier: Apache-2.0
#include "firecracker/process.h"

#include "base/cleanup.h"

#include <fcntl.h>
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

static void add_mapping(const char *line, struct fcp_process_memory *memory)
{
	unsigned long start, end, inode;
	char mode[5];
	uint64_t bytes;

	if (sscanf(line, "%lx-%lx %4s %*x %*s %lu", &start, &end, mode, &inode) != 4 || mode[1] != 'w')
		return;
	bytes = end - start;
	if (inode == 0 && mode[3] == 'p')
		memory->anonymous_bytes += bytes;
	else if (bytes > memory->largest_file_bytes)
		memory->largest_file_bytes = bytes;
}

static int find_userfault(pid_t pid, bool *userfault_, struct fcp_error *err)
{
	FCP_CLEANUP(dir) DIR *dir = NULL;
	char path[64], link[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", path);
	*userfault_ = false;
	while ((entry = readdir(dir)) != NULL) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[length > 0 ? length : 0] = '\0';
		if (strcmp(link, "anon_inode:[userfaultfd]") == 0)
			*userfault_ = true;
	}
	return 0;
}

int fcp_process_memory(pid_t pid, struct fcp_process_memory *memory_, struct fcp_error *err)
{
	FCP_CLEANUP(file) FILE *maps = open_proc(pid, "maps");
	FCP_CLEANUP(free) char *line = NULL;
	struct fcp_process_memory memory = {0};
	size_t room = 0;

	if (!maps)
		return fcp_error_set(err, FCP_ERR_IO, errno, "/proc/%d/maps", (int)pid);
	while (getline(&line, &room, maps) > 0)
		add_mapping(line, &memory);
	if (find_userfault(pid, &memory.userfault, err) != 0)
		return -1;
	*memory_ = memory;
	return 0;
}

int fcp_process_mapping(pid_t pid, uint64_t address, struct fcp_process_mapping *mapping_,
			struct fcp_error *err)
{
	FCP_CLEANUP(file) FILE *maps = open_proc(pid, "maps");
	FCP_CLEANUP(free) char *line = NULL;
	size_t room = 0;

	while (maps && getline(&line, &room, maps) > 0) {
		unsigned long start, end, offset, inode;
		char mode[5];

		if (sscanf(line, "%lx-%lx %4s %lx %*s %lu", &start, &end, mode, &offset, &inode) != 5 ||
		    address < start || address >= end)
			continue;
		*mapping_ = (struct fcp_process_mapping){start, end, offset, mode[3] == 's' && inode != 0};
		return 0;
	}
	return fcp_error_set(err, FCP_ERR_IO, maps ? EFAULT : errno, "/proc/%d/maps", (int)pid);
}
