// SPDX-License-Identifier: Apache-2.0
#include "memory/clone.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "memory/sparse.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

/* A cancellation waits for one piece at most. */
#define PIECE_BYTES (64 * FCP_MIB)
#define BUFFER_BYTES FCP_MIB

static int copy_failed(const struct fcp_clone_settings *settings, int errnum, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot copy its base%s", settings->name,
			     errnum == 0 ? ", which has become shorter" : "");
}

/* For file systems between which the kernel does not copy. */
static int copy_by_hand(const struct fcp_clone_settings *settings, uint64_t at, uint64_t end,
			struct fcp_error *err)
{
	FCP_CLEANUP(free) char *buffer = malloc(BUFFER_BYTES);

	if (!buffer)
		return fcp_error_nomem(err);
	while (at < end) {
		size_t wanted = end - at < BUFFER_BYTES ? (size_t)(end - at) : (size_t)BUFFER_BYTES;
		ssize_t got = pread(settings->from, buffer, wanted, (off_t)at);
		ssize_t put = got <= 0 ? 0 : pwrite(settings->to, buffer, (size_t)got, (off_t)at);

		if ((got < 0 || put < 0) && errno == EINTR)
			continue;
		if (got <= 0 || put < 0)
			return copy_failed(settings, got == 0 ? 0 : errno, err);
		at += (uint64_t)put;
	}
	return 0;
}

static int copy_piece(const struct fcp_clone_settings *settings, uint64_t at, uint64_t end,
		      struct fcp_error *err)
{
	while (at < end) {
		off_t in = (off_t)at, out = (off_t)at;
		ssize_t got = copy_file_range(settings->from, &in, settings->to, &out, (size_t)(end - at), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == ENOSPC || errno == EIO || errno == EDQUOT))
			return copy_failed(settings, errno, err);
		/* Another file system, an older kernel; 0 is what some file systems say instead. */
		if (got <= 0)
			return copy_by_hand(settings, at, end, err);
		at += (uint64_t)got;
	}
	return 0;
}

static int copy_data(const struct fcp_clone_settings *settings, uint64_t *copied_bytes,
		     struct fcp_error *err)
{
	struct fcp_range data = {0, 0};
	int more;

	while ((more = fcp_sparse_next(settings->from, "base", data.end, settings->bytes, &data, err)) > 0)
		for (uint64_t at = data.start, end; at < data.end; at = end) {
			end = data.end - at < PIECE_BYTES ? data.end : at + PIECE_BYTES;
			if (fcp_cancelled(settings->cancel_fd))
				return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
						     settings->name);
			if (copy_piece(settings, at, end, err) != 0)
				return -1;
			*copied_bytes += end - at;
		}
	return more;
}

int fcp_clone_file(const struct fcp_clone_settings *settings, struct fcp_clone_result *result_,
		   struct fcp_error *err)
{
	struct fcp_clone_result result = {0};

	if (ioctl(settings->to, FICLONE, settings->from) == 0)
		result.reflinked = true;
	else if (ftruncate(settings->to, (off_t)settings->bytes) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", settings->name);
	else if (copy_data(settings, &result.copied_bytes, err) != 0)
		return -1;
	*result_ = result;
	return 0;
}
