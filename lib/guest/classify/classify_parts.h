// SPDX-License-Identifier: Apache-2.0
/* Between guest/classify*.c only: a page's class, and runs of them on their way to the sink. */
#ifndef FCP_GUEST_CLASSIFY_CLASSIFY_PARTS_H
#define FCP_GUEST_CLASSIFY_CLASSIFY_PARTS_H

#include "guest/classify/classify.h"
#include "guest/allocator/memmap.h"

/* Is it the head of a free block (of 2^private_ pages)? */
bool fcp_guest_is_free_head(const struct fcp_guest_note *note, uint64_t pfn,
			    const struct fcp_guest_page *page);

/* The class of a page that is no tail of a compound page and not free. The kernel's image is
 * RESERVED: its struct pages do not show it. */
enum fcp_page_class fcp_guest_class_of_page(const struct fcp_guest_note *note,
					    const struct fcp_guest_page *page);

/* Data that is looked at for zeros is read in pieces of this size. */
#define FCP_GUEST_CLASS_WINDOW_BYTES (128u << 10)

/* Runs on their way to the sink: split where data ends or begins and where zeros do, and merged.
 * Zero-initialise it but for the first three. */
struct fcp_guest_class_stream {
	const struct fcp_guest_memory *memory;
	const struct fcp_guest_classify_settings *settings;
	const struct fcp_guest_region *region; /* of the runs to come */
	struct fcp_range data;	 /* the first data at or after the last run's end, whole pages */
	struct fcp_range window; /* what of the file is in bytes */
	struct fcp_guest_class_run run; /* not told yet */
	unsigned char bytes[FCP_GUEST_CLASS_WINDOW_BYTES];
};

/* Takes the next run, within the region, in ascending order. Errors as fcp_guest_classify(). */
int fcp_guest_class_stream_put(struct fcp_guest_class_stream *stream, const struct fcp_range *range,
			       enum fcp_page_class page_class, struct fcp_error *err);

/* Tells the sink of the last run. */
int fcp_guest_class_stream_end(struct fcp_guest_class_stream *stream, struct fcp_error *err);

#endif
