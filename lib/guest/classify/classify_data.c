// SPDX-License-Identifier: Apache-2.0
/* Holes and zeros among the runs, on their way to the sink. */
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/classify/classify_parts.h"
#include "memory/zero.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int tell_class_run(struct fcp_guest_class_stream *stream,
			  const struct fcp_guest_class_run *next, struct fcp_error *err)
{
	struct fcp_guest_class_run *run = &stream->run;

	if (run->end == next->start && run->page_class == next->page_class &&
	    run->data == next->data) {
		run->end = next->end;
		return 0;
	}
	if (fcp_guest_class_stream_end(stream, err) < 0)
		return -1;
	*run = *next;
	return 0;
}

int fcp_guest_class_stream_end(struct fcp_guest_class_stream *stream, struct fcp_error *err)
{
	const struct fcp_guest_classify_settings *settings = stream->settings;

	if (stream->run.start == stream->run.end)
		return 0;
	return settings->sink(&stream->run, settings->sink_arg, err);
}

/* A hole of a whole file is zeros without being read; of what is free it says nothing. */
static int put_hole(struct fcp_guest_class_stream *stream, struct fcp_guest_class_run run,
		    struct fcp_error *err)
{
	if (stream->settings->zero && stream->memory->holes != FCP_HOLES_BASE &&
	    run.page_class != FCP_PAGE_FREE)
		run.page_class = FCP_PAGE_ZERO;
	return tell_class_run(stream, &run, err);
}

/* Reads on from there, no further than the region and the data go. */
static int fill_window(struct fcp_guest_class_stream *stream, uint64_t at, struct fcp_error *err)
{
	const struct fcp_guest_region *region = stream->region;
	uint64_t gpa = region->gpa + (at - region->offset);
	uint64_t end = least(at + sizeof(stream->bytes),
			     least(stream->data.end, region->offset + region->bytes));

	if (fcp_cancelled(stream->settings->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	if (fcp_guest_memory_read(stream->memory, gpa, stream->bytes, (size_t)(end - at), err) < 0)
		return -1;
	stream->window = (struct fcp_range){at, end};
	return 0;
}

static int put_data(struct fcp_guest_class_stream *stream, struct fcp_guest_class_run run,
		    struct fcp_error *err)
{
	struct fcp_guest_class_run page = run;

	if (!stream->settings->zero || run.page_class == FCP_PAGE_FREE)
		return tell_class_run(stream, &run, err);
	for (; page.start < run.end; page.start = page.end) {
		page.end = page.start + FCP_PAGE_BYTES;
		if (page.start >= stream->window.end && fill_window(stream, page.start, err) < 0)
			return -1;
		page.page_class =
			fcp_page_is_zero(stream->bytes + (page.start - stream->window.start))
				? FCP_PAGE_ZERO
				: run.page_class;
		if (tell_class_run(stream, &page, err) < 0)
			return -1;
	}
	return 0;
}

/* A page with any data in it is data. */
static int find_class_data(struct fcp_guest_class_stream *stream, uint64_t at,
			   struct fcp_error *err)
{
	struct fcp_range *data = &stream->data;

	if (fcp_guest_memory_data(stream->memory, at, data, err) < 0)
		return -1;
	data->start = fcp_align_down(data->start, FCP_PAGE_BYTES);
	data->end = fcp_align_up(data->end, FCP_PAGE_BYTES);
	return 0;
}

int fcp_guest_class_stream_put(struct fcp_guest_class_stream *stream, const struct fcp_range *range,
			       enum fcp_page_class page_class, struct fcp_error *err)
{
	struct fcp_guest_class_run run = {.start = range->start, .page_class = page_class};

	for (; run.start < range->end; run.start = run.end) {
		int put;

		if (run.start >= stream->data.end && find_class_data(stream, run.start, err) < 0)
			return -1;
		run.data = run.start >= stream->data.start;
		run.end = least(range->end, run.data ? stream->data.end : stream->data.start);
		put = run.data ? put_data(stream, run, err) : put_hole(stream, run, err);
		if (put < 0)
			return -1;
	}
	return 0;
}
