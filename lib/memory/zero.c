// SPDX-License-Identifier: Apache-2.0
#include "memory/zero.h"

#include "memory/compare.h"
#include "memory/sparse.h"

/*
 * How much is read before the sink is called: enough for a second thread to pay off, and little
 * enough to keep the window's list of runs small and what was read up to date when the sink acts on
 * it.
 */
#define WINDOW_BYTES (64 * FCP_MIB)
#define WINDOW_RUNS 65536

struct zero_scanner {
	const struct fcp_zero_scan *scan;
	struct fcp_page_runs window; /* still to be read; addresses are the offsets */
	struct fcp_found_ranges found;
	struct fcp_range run; /* of zeros, not reported yet */
	size_t skipped;	      /* ranges of scan->skip already passed */
};

static int tell_run(struct zero_scanner *scanner, struct fcp_error *err)
{
	struct fcp_range run = scanner->run;

	scanner->run = (struct fcp_range){0, 0};
	if (run.start == run.end)
		return 0;
	return scanner->scan->sink(run.start, run.end, scanner->scan->sink_arg, err);
}

/* The last run of a window may continue in the next one. */
static int tell_found(struct zero_scanner *scanner, struct fcp_error *err)
{
	for (size_t i = 0; i < scanner->found.count; i++) {
		const struct fcp_found_range *found = &scanner->found.items[i];

		if (scanner->run.end != found->start) {
			if (tell_run(scanner, err) != 0)
				return -1;
			scanner->run.start = found->start;
		}
		scanner->run.end = found->end;
	}
	return 0;
}

/* Reading past the end is not an error of the disk if the file has become shorter. */
static int scan_failed(const struct zero_scanner *scanner, struct fcp_error *err)
{
	const struct fcp_file *file = scanner->scan->file;
	const struct fcp_page_runs *window = &scanner->window;
	struct fcp_file_size size;
	struct fcp_error other;

	if (err->error_class == FCP_ERR_IO &&
	    fcp_file_size(file->fd, file->name, &size, &other) == 0 &&
	    size.logical_bytes < window->items[window->count - 1].end)
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: truncated while it was read",
				     file->name);
	return -1;
}

static int scan_window(struct zero_scanner *scanner, struct fcp_error *err)
{
	const struct fcp_compare compare = {.file = scanner->scan->file,
					    .find = FCP_FIND_ZERO,
					    .cancel_fd = scanner->scan->file->cancel_fd};

	if (scanner->window.count == 0)
		return 0;
	if (fcp_compare_runs(&compare, 0, &scanner->window, &scanner->found, err) != 0)
		return scan_failed(scanner, err);
	fcp_found_sort(&scanner->found);
	if (tell_found(scanner, err) != 0)
		return -1;
	scanner->found.count = 0;
	scanner->window.count = 0;
	scanner->window.bytes = 0;
	return 0;
}

/* Whole pages, all of them data, none to be skipped. */
static int add_zero_stretch(struct zero_scanner *scanner, uint64_t start, uint64_t end,
			    struct fcp_error *err)
{
	while (start < end) {
		uint64_t room = WINDOW_BYTES - scanner->window.bytes;
		uint64_t until = end - start < room ? end : start + room;

		if (fcp_page_runs_add(&scanner->window, (struct fcp_page_run){start, until, start},
				      err) != 0)
			return -1;
		if ((scanner->window.bytes == WINDOW_BYTES ||
		     scanner->window.count >= WINDOW_RUNS) &&
		    scan_window(scanner, err) != 0)
			return -1;
		start = until;
	}
	return 0;
}

/* An extent, without what is to be skipped. Extents come in order, so each range is passed once. */
static int add_extent(struct zero_scanner *scanner, struct fcp_range extent, struct fcp_error *err)
{
	const struct fcp_ranges *skip = scanner->scan->skip;

	while (skip && scanner->skipped < skip->count && extent.start < extent.end) {
		const struct fcp_range *range = &skip->items[scanner->skipped];

		if (range->start >= extent.end)
			break;
		if (range->start > extent.start &&
		    add_zero_stretch(scanner, extent.start, range->start, err) != 0)
			return -1;
		if (range->end > extent.start)
			extent.start = range->end;
		if (range->end > extent.end)
			return 0;
		scanner->skipped++;
	}
	return add_zero_stretch(scanner, extent.start, extent.end, err);
}

static int scan_all(struct zero_scanner *scanner, uint64_t end, struct fcp_error *err)
{
	const struct fcp_file *file = scanner->scan->file;
	struct fcp_range extent = {0, 0};
	int more;

	while ((more = fcp_sparse_next_pages(file->fd, file->name, extent.end, end, &extent, err)) >
	       0)
		if (add_extent(scanner, extent, err) != 0)
			return -1;
	if (more < 0 || scan_window(scanner, err) != 0)
		return -1;
	return tell_run(scanner, err);
}

int fcp_zero_scan(const struct fcp_zero_scan *scan, struct fcp_error *err)
{
	struct zero_scanner scanner = {.scan = scan};
	struct fcp_file_size size;
	int ran;

	if (fcp_file_size(scan->file->fd, scan->file->name, &size, err) != 0)
		return -1;
	ran = scan_all(&scanner, fcp_align_down(size.logical_bytes, FCP_PAGE_BYTES), err);
	fcp_page_runs_clear(&scanner.window);
	fcp_found_clear(&scanner.found);
	return ran;
}
