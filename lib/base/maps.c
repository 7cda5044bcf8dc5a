// SPDX-License-Identifier: Apache-2.0
#include "base/maps.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

bool fcp_mapping_parse(char *line, struct fcp_mapping *mapping_)
{
	struct fcp_mapping mapping = {.path = ""};
	unsigned major_number, minor_number;
	char mode[5];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &mapping.start, &mapping.end, mode, &mapping.offset, &major_number,
		   &minor_number, &mapping.inode, &path) < 7 ||
	    strlen(mode) != 4 || mapping.end < mapping.start)
		return false;
	mapping.dev = makedev(major_number, minor_number);
	mapping.readable = mode[0] == 'r';
	mapping.writable = mode[1] == 'w';
	mapping.executable = mode[2] == 'x';
	mapping.shared = mode[3] == 's';
	if (path > 0) {
		line[strcspn(line, "\n")] = '\0';
		mapping.path = line + path;
	}
	*mapping_ = mapping;
	return true;
}

static int proc_error(const char *path, int errnum, struct fcp_error *err)
{
	if (errnum == EACCES || errnum == EPERM)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errnum,
				     "%s: reading a process's memory needs permission to trace it",
				     path);
	if (access("/proc/self", F_OK) != 0)
		return fcp_error_set(err, FCP_ERR_IO, 0, "%s: /proc is not mounted", path);
	return fcp_error_set(err, errnum == ENOENT ? FCP_ERR_STATE : FCP_ERR_IO, errnum, "%s",
			     path);
}

int fcp_proc_open(pid_t pid, const char *name, struct fcp_error *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : proc_error(path, errno, err);
}

int fcp_proc_count_fds(pid_t pid, const char *const links[], unsigned counts_[], unsigned count,
		       struct fcp_error *err)
{
	char path[64], link[256];
	FCP_CLEANUP(dir) DIR *dir = NULL;
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return proc_error(path, errno, err);
	memset(counts_, 0, count * sizeof(*counts_));
	while ((entry = readdir(dir)) != NULL) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[length > 0 ? length : 0] = '\0';
		for (unsigned i = 0; i < count; i++)
			counts_[i] += strcmp(link, links[i]) == 0;
	}
	return 0;
}

int fcp_maps_open(pid_t pid, struct fcp_maps *maps_, struct fcp_error *err)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return proc_error(path, errno, err);
	*maps_ = (struct fcp_maps){.file = file};
	return 0;
}

bool fcp_maps_next(struct fcp_maps *maps, struct fcp_mapping *mapping_)
{
	while (getline(&maps->line, &maps->room, maps->file) > 0)
		if (fcp_mapping_parse(maps->line, mapping_))
			return true;
	return false;
}

void fcp_maps_close(struct fcp_maps *maps)
{
	if (maps->file)
		fclose(maps->file);
	free(maps->line);
	*maps = (struct fcp_maps){0};
}
