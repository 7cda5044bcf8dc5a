// SPDX-License-Identifier: Apache-2.0
#include "memory/clone.h"

#include "base/cleanup.h"
#include "memory/pages.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "memory/transfer.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

static int copy_failed(const struct fcp_clone_settings *settings, int errnum, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot copy its base",
			     settings->name);
}

/* For file systems between which the kernel does not copy. */
static int copy_by_hand(const struct fcp_clone_settings *settings, struct fcp_range piece,
			unsigned char *buffer, struct fcp_error *err)
{
	if (fcp_pages_read(settings->from, "its base", piece, buffer, err) != 0)
		return fcp_error_wrap(err, "%.200s", settings->name);
	return fcp_pages_write(settings->to, settings->name, piece, buffer, err);
}

static int copy_piece(struct fcp_range piece, unsigned char *buffer, void *arg,
		      struct fcp_error *err)
{
	const struct fcp_clone_settings *settings = arg;

	while (piece.start < piece.end) {
		off_t in = (off_t)piece.start, out = (off_t)piece.start;
		ssize_t got = copy_file_range(settings->from, &in, settings->to, &out,
					      (size_t)(piece.end - piece.start), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == ENOSPC || errno == EIO || errno == EDQUOT))
			return copy_failed(settings, errno, err);
		/* Another file system or an older kernel; some file systems return 0 instead. */
		if (got <= 0)
			return copy_by_hand(settings, piece, buffer, err);
		piece.start += (uint64_t)got;
	}
	return 0;
}

bool fcp_clone_reflink(int from, int to)
{
	return ioctl(to, FICLONE, from) == 0;
}

int fcp_clone_copy(const struct fcp_clone_settings *settings, const struct fcp_ranges *data,
		   struct fcp_error *err)
{
	const struct fcp_transfer transfer = {.data = data,
					      .to = settings->to,
					      .name = settings->name,
					      .meter = settings->meter,
					      .cancel_fd = settings->cancel_fd,
					      .move = copy_piece,
					      .arg = (void *)settings};

	if (ftruncate(settings->to, (off_t)settings->bytes) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", settings->name);
	return fcp_transfer_run(&transfer, err);
}

int fcp_clone_file(const struct fcp_clone_settings *settings, struct fcp_clone_result *result_,
		   struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges data = {0};

	*result_ = (struct fcp_clone_result){
		.reflinked = fcp_clone_reflink(settings->from, settings->to)};
	if (result_->reflinked)
		return 0;
	if (fcp_sparse_data(settings->from, "base", settings->bytes, &data, err) != 0 ||
	    fcp_clone_copy(settings, &data, err) != 0)
		return -1;
	result_->copied_bytes = fcp_ranges_bytes(&data);
	return 0;
}
