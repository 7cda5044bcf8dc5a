// SPDX-License-Identifier: Apache-2.0
#include "memory/zero.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "memory/sparse.h"

/* As large as a core's own cache of today: the bytes that read(2) copied are still there to be
 * compared, and the cost of a call is small beside its copy. Read, not mapped: a file that is
 * truncated under a mapping kills with SIGBUS, and mapping was no faster. */
#define CHUNK_BYTES FCP_MIB
#define POLL_BYTES (4 * FCP_MIB)

struct zero_scanner {
	const struct fcp_zero_scan *scan;
	unsigned char *chunk;
	struct fcp_range run; /* of zeros, not told yet */
	uint64_t to_poll_bytes;
	size_t skipped; /* ranges of scan->skip that lie behind us */
};

static int tell_run(struct zero_scanner *scanner, struct fcp_error *err)
{
	struct fcp_range run = scanner->run;

	scanner->run = (struct fcp_range){0, 0};
	if (run.start == run.end)
		return 0;
	return scanner->scan->sink(run.start, run.end, scanner->scan->sink_arg, err);
}

static int take_chunk(struct zero_scanner *scanner, uint64_t start, size_t bytes,
		      struct fcp_error *err)
{
	for (size_t at = 0; at < bytes; at += FCP_PAGE_BYTES) {
		if (!fcp_page_is_zero(scanner->chunk + at))
			continue;
		if (scanner->run.end != start + at) {
			if (tell_run(scanner, err) < 0)
				return -1;
			scanner->run.start = start + at;
		}
		scanner->run.end = start + at + FCP_PAGE_BYTES;
	}
	return 0;
}

static int read_zero_chunk(struct zero_scanner *scanner, uint64_t start, size_t bytes,
			   struct fcp_error *err)
{
	const struct fcp_file *file = scanner->scan->file;
	size_t held = 0;

	while (held < bytes) {
		ssize_t got =
			pread(file->fd, scanner->chunk + held, bytes - held, (off_t)(start + held));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: reading at %llu",
					     file->name, (unsigned long long)(start + held));
		if (got == 0)
			return fcp_error_set(err, FCP_ERR_BUSY, 0,
					     "%.200s: somebody made it shorter while it was read",
					     file->name);
		held += (size_t)got;
	}
	return 0;
}

static int poll_now_and_then(struct zero_scanner *scanner, size_t bytes, struct fcp_error *err)
{
	if (scanner->to_poll_bytes > bytes) {
		scanner->to_poll_bytes -= bytes;
		return 0;
	}
	scanner->to_poll_bytes = POLL_BYTES;
	return fcp_file_poll(scanner->scan->file, err);
}

/* A stretch of whole pages, all of them data and none to be skipped. */
static int scan_stretch(struct zero_scanner *scanner, uint64_t start, uint64_t end,
			struct fcp_error *err)
{
	while (start < end) {
		size_t bytes = end - start < CHUNK_BYTES ? end - start : CHUNK_BYTES;

		if (poll_now_and_then(scanner, bytes, err) < 0 ||
		    read_zero_chunk(scanner, start, bytes, err) < 0 ||
		    take_chunk(scanner, start, bytes, err) < 0)
			return -1;
		start += bytes;
	}
	return 0;
}

/* An extent without what is to be skipped. Extents come in order: each range is passed once. */
static int scan_extent(struct zero_scanner *scanner, struct fcp_range extent, struct fcp_error *err)
{
	const struct fcp_ranges *skip = scanner->scan->skip;

	while (skip && scanner->skipped < skip->count && extent.start < extent.end) {
		const struct fcp_range *range = &skip->items[scanner->skipped];

		if (range->start >= extent.end)
			break;
		if (range->start > extent.start &&
		    scan_stretch(scanner, extent.start, range->start, err) < 0)
			return -1;
		if (range->end > extent.start)
			extent.start = range->end;
		if (range->end > extent.end)
			return 0;
		scanner->skipped++;
	}
	return scan_stretch(scanner, extent.start, extent.end, err);
}

int fcp_zero_scan(const struct fcp_zero_scan *scan, struct fcp_error *err)
{
	const struct fcp_file *file = scan->file;
	FCP_CLEANUP(free) unsigned char *chunk = aligned_alloc(FCP_PAGE_BYTES, CHUNK_BYTES);
	struct zero_scanner scanner = {.scan = scan, .chunk = chunk};
	struct fcp_file_size size;
	struct fcp_range extent = {0, 0};
	uint64_t end;
	int more;

	if (!chunk)
		return fcp_error_nomem(err);
	if (fcp_file_size(file->fd, file->name, &size, err) < 0)
		return -1;
	end = fcp_align_down(size.logical_bytes, FCP_PAGE_BYTES);
	while ((more = fcp_sparse_next(file->fd, file->name, extent.end, end, &extent, err)) > 0) {
		/* Blocks can be smaller than a page: a page with any data in it is looked at. */
		extent.start = fcp_align_down(extent.start, FCP_PAGE_BYTES);
		extent.end = fcp_align_up(extent.end, FCP_PAGE_BYTES);
		if (scan_extent(&scanner, extent, err) < 0)
			return -1;
	}
	return more < 0 ? -1 : tell_run(&scanner, err);
}
