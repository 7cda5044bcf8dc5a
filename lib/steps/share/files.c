// SPDX-License-Identifier: Apache-2.0
#include "steps/share/files.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "base/list.h"
#include "firecracker/root.h"
#include "memory/file.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * A file that cannot be opened is a mistake in the settings, not a reason for Firecracker to write.
 */
static int open_one(const char *name, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int path_fd = fcp_path_open_own(name, err);
	struct stat status;
	int fd = -1;

	if (path_fd >= 0 && fstat(path_fd, &status) == 0 && !S_ISREG(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: not a regular file to share storage with", name);
	if (path_fd >= 0)
		fd = fcp_file_reopen(path_fd, name, O_RDONLY, err);
	if (fd < 0 && err->error_class == FCP_ERR_IO)
		err->error_class = FCP_ERR_INPUT;
	return fd;
}

int fcp_share_files_open(const char *const *names, size_t count, struct fcp_share_files *files_,
			 struct fcp_error *err)
{
	*files_ = (struct fcp_share_files){.names = names};
	if (count > FCP_SHARES_MAX)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "more than %d files to share storage with", FCP_SHARES_MAX);
	for (size_t i = 0; i < count; i++) {
		files_->fds[i] = open_one(names[i], err);
		if (files_->fds[i] < 0)
			return -1;
		files_->count++;
		for (size_t other = 0; other < i; other++)
			if (fcp_fd_same_file(files_->fds[other], files_->fds[i]))
				return fcp_error_set(err, FCP_ERR_INPUT, 0,
						     "%.200s and %.200s are the same "
						     "file",
						     names[other], names[i]);
	}
	return 0;
}

bool fcp_share_files_have(const struct fcp_share_files *files, int fd)
{
	for (size_t i = 0; i < files->count; i++)
		if (fcp_fd_same_file(files->fds[i], fd))
			return true;
	return false;
}

int fcp_share_files_add(const struct fcp_share_files *files, int directory, int cancel_fd,
			struct fcp_share_set *set, struct fcp_error *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct fcp_share_file file = {files->fds[i], files->names[i], directory,
						    cancel_fd};

		if (fcp_share_add(set, &file, err) != 0)
			return -1;
	}
	return 0;
}

/* One sentence for any number of files: usually all have the same reason. */
void fcp_share_files_doubt(const struct fcp_share_set *set, char *text_, size_t bytes)
{
	const struct fcp_share_source *first = NULL;
	size_t others = 0;
	char more[32] = "";

	text_[0] = '\0';
	for (size_t i = 0; i < set->count; i++) {
		if (set->sources[i].fd >= 0 && !set->sources[i].off)
			continue;
		if (first)
			others++;
		else
			first = &set->sources[i];
	}
	if (others > 0)
		snprintf(more, sizeof(more), " and %zu more", others);
	if (first)
		snprintf(text_, bytes, "no storage is shared with %.150s%s: %s", first->file.name,
			 more,
			 first->why ? first->why
				    : "it could not be read to its end or cloned from");
}

struct fcp_share_report **fcp_share_files_report(const struct fcp_share_set *set)
{
	struct fcp_share_report **reports = fcp_list_new(set->count, sizeof(**reports));

	for (size_t i = 0; reports && i < set->count; i++)
		*reports[i] =
			(struct fcp_share_report){.frozen = set->sources[i].fd >= 0,
						  .index_read = set->sources[i].index_read,
						  .shared_bytes = set->sources[i].shared_bytes};
	return reports;
}

void fcp_share_files_close(struct fcp_share_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		close(files->fds[i]);
	files->count = 0;
}
