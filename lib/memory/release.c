// SPDX-License-Identifier: Apache-2.0
#include "memory/release.h"

#include "base/units.h"
#include "memory/claim.h"
#include "memory/pages.h"
#include "memory/sparse.h"

#include <errno.h>
#include <sys/vfs.h>

/* A cancellation, or a process that waits for the file, waits for at most one piece. */
#define PIECE_BYTES (32 * FCP_MIB)

static int punch_unsupported(const struct fcp_file *file, struct fcp_error *err)
{
	struct statfs fs = {0};

	fstatfs(file->fd, &fs);
	return fcp_error_set(
		err, FCP_ERR_UNSUPPORTED, EOPNOTSUPP,
		"%.200s: its file system (type 0x%lx) cannot punch holes; keep memory files on "
		"ext4, xfs, btrfs or tmpfs",
		file->name, (unsigned long)fs.f_type & 0xffffffff);
}

static int punch_error(const struct fcp_file *file, int errnum, uint64_t done_bytes,
		       struct fcp_error *err)
{
	enum fcp_error_class error_class = FCP_ERR_IO;
	const char *why = "cannot release";

	switch (errnum) {
	case EOPNOTSUPP:
	case ENOSYS:
		return punch_unsupported(file, err);
	case EPERM:
		why = "sealed or immutable, cannot release";
		break;
	case ETXTBSY:
		error_class = FCP_ERR_BUSY;
		why = "in use as swap, cannot release";
		break;
	case ENOSPC:
		why = "no room to note one more hole, cannot release";
		break;
	}
	return fcp_error_set(err, error_class, errnum,
			     "%.200s: %s more than the %llu bytes released until then", file->name,
			     why, (unsigned long long)done_bytes);
}

static int punch_piece(const struct fcp_file *file, struct fcp_range piece, uint64_t done_bytes,
		       struct fcp_error *err)
{
	int errnum = fcp_pages_punch(file->fd, piece);

	return errnum == 0 ? 0 : punch_error(file, errnum, done_bytes, err);
}

static int claim_lost_error(const struct fcp_file *file, enum fcp_claim_end end,
			    uint64_t done_bytes, struct fcp_error *err)
{
	if (end == FCP_CLAIM_WANTED)
		fcp_file_wanted(file, err);
	else
		fcp_error_set(err, FCP_ERR_BUSY, 0,
			      "%.200s: this process was stopped while it released pages, and "
			      "somebody opened the file: what they wrote may be lost",
			      file->name);
	return fcp_error_wrap(err, "%llu bytes were released", (unsigned long long)done_bytes);
}

/* The claim is checked before and after; no thread gives it up in between. */
static int punch_claimed(const struct fcp_file *file, const struct fcp_range *piece,
			 uint64_t *done_bytes, struct fcp_error *err)
{
	struct fcp_claim_change change;
	enum fcp_claim_end end = FCP_CLAIM_KEPT;
	int punched;

	if (file->claim && !fcp_claim_change_begin(file->claim, &change))
		return claim_lost_error(file, FCP_CLAIM_WANTED, *done_bytes, err);
	punched = punch_piece(file, *piece, *done_bytes, err);
	if (file->claim)
		end = fcp_claim_change_end(file->claim, &change);
	if (punched < 0)
		return -1;
	*done_bytes += piece->end - piece->start;
	return end == FCP_CLAIM_KEPT ? 0 : claim_lost_error(file, end, *done_bytes, err);
}

int fcp_release_range(const struct fcp_file *file, uint64_t start, uint64_t end,
		      uint64_t *done_bytes, struct fcp_error *err)
{
	while (start < end) {
		uint64_t bytes = end - start < PIECE_BYTES ? end - start : PIECE_BYTES;
		const struct fcp_range piece = {start, start + bytes};

		if (fcp_file_poll(file, err) < 0)
			return fcp_error_wrap(err, "%llu bytes were released",
					      (unsigned long long)*done_bytes);
		if (punch_claimed(file, &piece, done_bytes, err) < 0)
			return -1;
		start += bytes;
	}
	return 0;
}

int fcp_release_ranges(const struct fcp_file *file, const struct fcp_ranges *ranges,
		       uint64_t *done_bytes, struct fcp_error *err)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (fcp_release_range(file, ranges->items[i].start, ranges->items[i].end,
				      done_bytes, err) < 0)
			return -1;
	return 0;
}

/*
 * Counts the data in one range. *data is the extent seen last, kept from range to range, so that a
 * range in a known hole costs no system call.
 */
static int count_data(const struct fcp_file *file, const struct fcp_range *range,
		      struct fcp_range *data, uint64_t *data_bytes, struct fcp_error *err)
{
	uint64_t at = range->start;

	while (at < range->end) {
		int more = data->end > at ? 1
					  : fcp_sparse_next(file->fd, file->name, at, INT64_MAX,
							    data, err);

		if (more < 0)
			return -1;
		if (more == 0)
			*data = (struct fcp_range){INT64_MAX, UINT64_MAX};
		if (data->start >= range->end)
			break;
		if (data->start > at)
			at = data->start;
		*data_bytes += (data->end < range->end ? data->end : range->end) - at;
		at = data->end;
	}
	return 0;
}

static int count_holes(const struct fcp_file *file, const struct fcp_ranges *ranges,
		       uint64_t *hole_bytes_, struct fcp_error *err)
{
	struct fcp_range data = {0, 0};
	uint64_t data_bytes = 0;

	for (size_t i = 0; i < ranges->count; i++)
		if (count_data(file, &ranges->items[i], &data, &data_bytes, err) < 0)
			return -1;
	*hole_bytes_ = fcp_ranges_bytes(ranges) - data_bytes;
	return 0;
}

int fcp_release_check(const struct fcp_file *file, const struct fcp_ranges *ranges,
		      uint64_t allocated_before_bytes, uint64_t *released_bytes_,
		      struct fcp_error *err)
{
	uint64_t bytes = fcp_ranges_bytes(ranges), hole_bytes, less_bytes = 0;
	struct fcp_file_size now;

	if (count_holes(file, ranges, &hole_bytes, err) < 0 ||
	    fcp_file_size(file->fd, file->name, &now, err) < 0)
		return -1;
	if (now.allocated_bytes < allocated_before_bytes)
		less_bytes = allocated_before_bytes - now.allocated_bytes;
	if (hole_bytes == 0)
		hole_bytes = less_bytes < bytes ? less_bytes : bytes;
	*released_bytes_ = hole_bytes;
	return 0;
}
