// SPDX-License-Identifier: Apache-2.0
#include "firecracker/process.h"

#include "base/cleanup.h"

#include <fcntl.h>
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

/* One line of /proc/PID/maps; path is "" for anonymous memory. */
struct line {
	uint64_t bytes;
	char mode[5];
	unsigned long inode;
	const char *path;
};

static bool parse_line(const char *text, struct line *line_)
{
	unsigned long start, end;
	int path = 0;

	if (sscanf(text, "%lx-%lx %4s %*x %*s %lu %n", &start, &end, line_->mode, &line_->inode, &path) < 4)
		return false;
	line_->bytes = end - start;
	line_->path = path > 0 ? text + path : "";
	return true;
}

/*
 * A writable mapping of a file that can hold guest memory. A private one of any size: what is left
 * of a memory file that the VM was restored from is in pieces after a discard. A shared one is never
 * cut, and Firecracker has small ones of its own: vCPUs, a page of a memfd in each network device.
 */
static bool is_file_memory(const struct line *line)
{
	if (line->inode == 0 || line->path[0] != '/')
		return false;
	return line->mode[3] == 'p' || line->bytes >= SHARED_MIN_BYTES;
}

static void add_mapping(const struct line *line, const char *program, struct fcp_process_memory *memory)
{
	if (line->mode[1] != 'w')
		return;
	if (line->inode == 0 && line->mode[3] == 'p')
		memory->anonymous_bytes += line->bytes;
	/* The data of a program or a library stands behind its code. */
	else if (is_file_memory(line) && strcmp(line->path, program) != 0) {
		memory->of_files = true;
		memory->restored |= line->mode[3] == 'p';
	}
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
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_process_memory memory = {0};
	char program[4352] = "";
	struct line line;
	size_t room = 0;

	if (!maps)
		return fcp_error_set(err, FCP_ERR_IO, errno, "/proc/%d/maps", (int)pid);
	while (getline(&text, &room, maps) > 0) {
		if (!parse_line(text, &line))
			continue;
		if (line.mode[2] == 'x')
			snprintf(program, sizeof(program), "%s", line.path);
		add_mapping(&line, program, &memory);
	}
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
