// SPDX-License-Identifier: Apache-2.0
#include "steps/resume/files.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "firecracker/root.h"
#include "firecracker/state_file.h"
#include "memory/attributes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int fcp_resume_files_check_names(const struct fcp_resume_settings *settings, struct fcp_error *err)
{
	if (!settings->snapshot_path && settings->mem_file_path)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"a VM is loaded from two files: no path of the snapshot file given");
	if (settings->snapshot_path && !settings->mem_file_path)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"a VM is loaded from two files: no path of the memory file given");
	return 0;
}

/* Opens the file by its directory, as seen in Firecracker's root. *seen_ is owned. */
static int open_vm_file(const struct fcp_resume_settings *settings, pid_t pid, const char *path,
			char **seen_, struct fcp_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	FCP_CLEANUP(free)
	char *directory =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	struct fcp_place place;
	int fd;

	if (!directory)
		return fcp_error_nomem(err);
	if (fcp_place_open(pid, settings->chroot_base, directory, &place, err) != 0)
		return -1;
	fd = openat(place.directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fcp_error_set(err, FCP_ERR_INPUT, errno, "%.200s", path);
	else if (asprintf(seen_, "%s/%s", place.seen, name) < 0) {
		*seen_ = NULL;
		close(fd);
		fd = fcp_error_nomem(err);
	}
	fcp_place_clear(&place);
	return fd;
}

static int check_memory_file(int fd, const char *path, struct fcp_error *err)
{
	struct fcp_file_attributes attributes;
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", path);
	if (!S_ISREG(status.st_mode) || status.st_size == 0 || status.st_size % FCP_MIB != 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: not a memory file: %lld bytes are not whole "
				     "MiB",
				     path, (long long)status.st_size);
	fcp_attributes_read(fd, &attributes);
	if (attributes.holes == FCP_HOLES_BASE)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%.200s is a layer, which is incomplete without its base; make a whole "
			"file of both first (fcpause merge)",
			path);
	return 0;
}

int fcp_resume_files_find(const struct fcp_resume_settings *settings, pid_t pid,
			  struct fcp_resume_files *files_, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int snapshot = -1;
	FCP_CLEANUP(fd) int memory = -1;

	*files_ = (struct fcp_resume_files){0};
	snapshot =
		open_vm_file(settings, pid, settings->snapshot_path, &files_->snapshot_seen, err);
	if (snapshot < 0)
		return -1;
	memory = open_vm_file(settings, pid, settings->mem_file_path, &files_->memory_seen, err);
	if (memory < 0 || check_memory_file(memory, settings->mem_file_path, err) != 0)
		return -1;
	if (fcp_state_file_check(snapshot, settings->snapshot_path, err) == 0)
		return 0;
	if (err->error_class == FCP_ERR_PROTOCOL)
		err->error_class = FCP_ERR_INPUT;
	return -1;
}

void fcp_resume_files_clear(struct fcp_resume_files *files)
{
	free(files->snapshot_seen);
	free(files->memory_seen);
	*files = (struct fcp_resume_files){0};
}
