// SPDX-License-Identifier: Apache-2.0
#include "memory/overlay.h"

#include "base/units.h"
#include "memory/pages.h"
#include "memory/sparse.h"

#include <errno.h>
#include <unistd.h>

int fcp_overlay_read(const struct fcp_overlay *overlay, struct fcp_range range,
		     unsigned char *buffer_, struct fcp_error *err)
{
	struct fcp_range data = {range.start, range.start};
	int more;

	if (fcp_pages_read(overlay->base_fd, "base", range, buffer_, err) != 0)
		return -1;
	while ((more = fcp_sparse_next(overlay->layer_fd, overlay->name, data.end, range.end, &data,
				       err)) > 0)
		if (fcp_pages_read(overlay->layer_fd, overlay->name, data,
				   buffer_ + (data.start - range.start), err) != 0)
			return -1;
	return more;
}

static int overlay_error(const char *name, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
}

/* The page that was written is data with those beside it, or the whole file is, or it is a hole. */
static int no_layer_error(const char *name, const struct fcp_range *data, uint64_t bytes,
			  struct fcp_error *err)
{
	if (data->end - data->start > FCP_PAGE_BYTES && data->end < bytes)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"%.200s: a layer cannot be kept here: the file system's blocks, of %llu "
			"bytes, are larger than the guest's pages",
			name, (unsigned long long)(data->end - data->start));
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "%.200s: a layer cannot be kept here: the file system does not tell "
			     "holes from pages of zeros",
			     name);
}

int fcp_overlay_try(int fd, const char *name, uint64_t bytes, struct fcp_error *err)
{
	static const unsigned char zeros[FCP_PAGE_BYTES];
	struct fcp_range data = {0, 0};
	int more;

	if (ftruncate(fd, (off_t)bytes) != 0 ||
	    pwrite(fd, zeros, sizeof(zeros), FCP_PAGE_BYTES) != (ssize_t)sizeof(zeros) ||
	    fdatasync(fd) != 0)
		return overlay_error(name, err);
	more = fcp_sparse_next(fd, name, 0, bytes, &data, err);
	if (more < 0)
		return -1;
	if (more == 0 || data.start != FCP_PAGE_BYTES || data.end != 2 * (uint64_t)FCP_PAGE_BYTES)
		return no_layer_error(name, &data, bytes, err);
	return ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)bytes) == 0 ? 0
									 : overlay_error(name, err);
}
