// SPDX-License-Identifier: Apache-2.0
/* Applies a layer's data to its base. */
#include "memory/overlay.h"

#include "base/units.h"
#include "memory/pages.h"
#include "memory/transfer.h"
#include "memory/zero.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

struct overlay_job {
	const struct fcp_overlay_apply *apply;
	struct fcp_overlay_applied applied;
	bool copy; /* storage cannot be shared here */
};

/* A part of one piece, and its bytes. */
struct overlay_stretch {
	struct fcp_range range;
	bool zero;
	const unsigned char *bytes;
};

static int copy_stretch(struct overlay_job *job, const struct overlay_stretch *stretch,
			struct fcp_error *err)
{
	job->applied.copied_bytes += stretch->range.end - stretch->range.start;
	return fcp_pages_write(job->apply->out_fd, job->apply->out, stretch->range, stretch->bytes,
			       err);
}

static bool clone_range(const struct fcp_overlay_apply *apply, struct fcp_range range)
{
	struct file_clone_range clone = {.src_fd = apply->layer_fd,
					 .src_offset = range.start,
					 .src_length = range.end - range.start,
					 .dest_offset = range.start};

	return ioctl(apply->out_fd, FICLONERANGE, &clone) == 0;
}

bool fcp_overlay_can_share(const struct fcp_overlay_apply *apply)
{
	uint64_t start = apply->data->count > 0 ? apply->data->items[0].start : 0;

	return apply->data->count == 0 ||
	       clone_range(apply, (struct fcp_range){start, start + FCP_PAGE_BYTES});
}

/*
 * false if the two files cannot share storage; then nothing else can be shared either, except that
 * partial pages never can.
 */
static bool clone_stretch(struct overlay_job *job, struct fcp_range range)
{
	if (job->copy || (range.start | range.end) % FCP_PAGE_BYTES != 0)
		return false;
	if (!clone_range(job->apply, range)) {
		job->copy = true;
		return false;
	}
	job->applied.cloned_bytes += range.end - range.start;
	return true;
}

static int put_stretch(struct overlay_job *job, const struct overlay_stretch *stretch,
		       struct fcp_error *err)
{
	int errnum;

	if (stretch->range.start == stretch->range.end)
		return 0;
	if (!stretch->zero)
		return clone_stretch(job, stretch->range) ? 0 : copy_stretch(job, stretch, err);
	errnum = fcp_pages_punch(job->apply->out_fd, stretch->range);
	if (errnum == EOPNOTSUPP)
		return copy_stretch(job, stretch, err);
	if (errnum != 0)
		return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot make a hole",
				     job->apply->out);
	job->applied.zero_bytes += stretch->range.end - stretch->range.start;
	return 0;
}

/*
 * Adjacent pages of one kind share a call. A page that the layer has only a part of is never
 * punched.
 */
static int put_piece(struct overlay_job *job, struct fcp_range piece, const unsigned char *bytes,
		     struct fcp_error *err)
{
	struct overlay_stretch stretch = {{piece.start, piece.start}, false, bytes};

	while (stretch.range.end < piece.end) {
		uint64_t at = stretch.range.end,
			 next = fcp_align_down(at, FCP_PAGE_BYTES) + FCP_PAGE_BYTES;
		bool whole = at % FCP_PAGE_BYTES == 0 && next <= piece.end;
		bool zero = whole && fcp_page_is_zero(bytes + (at - piece.start));

		if (zero != stretch.zero) {
			if (put_stretch(job, &stretch, err) != 0)
				return -1;
			stretch = (struct overlay_stretch){{at, at},
							   zero,
							   bytes + (at - piece.start)};
		}
		stretch.range.end = next < piece.end ? next : piece.end;
	}
	return put_stretch(job, &stretch, err);
}

static int move_piece(struct fcp_range piece, unsigned char *buffer, void *arg,
		      struct fcp_error *err)
{
	struct overlay_job *job = arg;

	job->applied.data_bytes += piece.end - piece.start;
	if (fcp_pages_read(job->apply->layer_fd, job->apply->layer, piece, buffer, err) != 0)
		return -1;
	return put_piece(job, piece, buffer, err);
}

int fcp_overlay_apply(const struct fcp_overlay_apply *apply, struct fcp_overlay_applied *applied_,
		      struct fcp_error *err)
{
	struct overlay_job job = {.apply = apply};
	const struct fcp_transfer transfer = {.data = apply->data,
					      .to = apply->out_fd,
					      .name = apply->out,
					      .meter = apply->meter,
					      .cancel_fd = apply->cancel_fd,
					      .move = move_piece,
					      .arg = &job};

	if (fcp_transfer_run(&transfer, err) != 0)
		return -1;
	*applied_ = job.applied;
	return 0;
}
