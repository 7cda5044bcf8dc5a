// SPDX-License-Identifier: Apache-2.0
#include "memory/sparse.h"

#include "base/units.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int fcp_file_size(int fd, const char *name, struct fcp_file_size *size_, struct fcp_error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
	size_->logical_bytes = (uint64_t)status.st_size;
	size_->allocated_bytes = (uint64_t)status.st_blocks * 512;
	return 0;
}

static int seek_error(const char *name, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: looking for its data", name);
}

int fcp_sparse_next(int fd, const char *name, uint64_t from, uint64_t end,
		    struct fcp_range *extent_, struct fcp_error *err)
{
	off_t data, hole;

	if (from >= end || from > INT64_MAX)
		return 0;
	data = lseek(fd, (off_t)from, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? 0 : seek_error(name, err);
	if ((uint64_t)data >= end)
		return 0;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0) /* ENXIO: truncated between the two calls */
		return errno == ENXIO ? 0 : seek_error(name, err);
	extent_->start = (uint64_t)data;
	extent_->end = (uint64_t)hole < end ? (uint64_t)hole : end;
	return 1;
}

int fcp_sparse_next_pages(int fd, const char *name, uint64_t from, uint64_t end,
			  struct fcp_range *extent_, struct fcp_error *err)
{
	int more = fcp_sparse_next(fd, name, from, end, extent_, err);

	if (more > 0) {
		extent_->start = fcp_align_down(extent_->start, FCP_PAGE_BYTES);
		extent_->end = fcp_align_up(extent_->end, FCP_PAGE_BYTES);
	}
	return more;
}

int fcp_sparse_data(int fd, const char *name, uint64_t bytes, struct fcp_ranges *data_,
		    struct fcp_error *err)
{
	struct fcp_range extent = {0, 0};
	int more;

	while ((more = fcp_sparse_next(fd, name, extent.end, bytes, &extent, err)) > 0)
		if (fcp_ranges_add(data_, extent.start, extent.end, err) != 0)
			return -1;
	return more;
}
