// SPDX-License-Identifier: Apache-2.0
#include "guest/classify/classify.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/classify/classify_parts.h"
#include "guest/kernel/search.h"

#include <stdlib.h>
#include <string.h>

/* As guest/allocator/buddy.c: the reads of the memmap grow until a free block makes one of them
 * useless. */
#define FIRST_READ_BYTES 4096

/* All that one classification uses; on the heap, as it is too much for a stack. */
struct classifier {
	const struct fcp_guest_classify_settings *settings;
	struct fcp_guest_kernel kernel;
	struct fcp_guest_memmap memmap;
	/* Apart from the kernel's: each keeps the tables that it used last. */
	struct fcp_guest_tables image;
	const struct fcp_guest_region *region;
	uint64_t read_bytes;
	enum fcp_page_class head_class; /* of the last page that is no tail */
	struct fcp_range run;		/* of one class by the memmap, not passed on yet */
	enum fcp_page_class run_class;
	struct fcp_guest_class_stream stream;
};

/* ---- runs, by the memmap ---- */

/*
 * Is it the kernel's image that is mapped to gpa? *bytes_ = up to where that is the answer. The
 * image is mapped in one piece, so what is mapped to gpa needs no search.
 */
static int in_image(struct classifier *classifier, uint64_t gpa, bool *image_, uint64_t *bytes_,
		    struct fcp_error *err)
{
	const struct fcp_guest_note *note = &classifier->kernel.note;
	uint64_t address = fcp_align_down(gpa + note->image_voffset, FCP_PAGE_BYTES);
	uint64_t at = address - note->image.start;
	struct fcp_guest_leaf leaf;

	*image_ = false;
	*bytes_ = 0 - at; /* to its start; behind it, more than there is */
	if (at >= note->image.end - note->image.start)
		return 0;
	if (fcp_guest_lookup(&classifier->image, address, &leaf, err) < 0)
		return -1;
	*image_ = leaf.mapped && leaf.bytes <= FCP_GUEST_LARGE_BYTES &&
		  leaf.gpa + (address - leaf.start) == gpa;
	*bytes_ = leaf.bytes - (address - leaf.start);
	return 0;
}

static int put_reserved(struct classifier *classifier, struct fcp_range run, struct fcp_error *err)
{
	const struct fcp_guest_region *region = classifier->region;

	while (run.start < run.end) {
		struct fcp_range part = run;
		uint64_t bytes;
		bool image;

		if (in_image(classifier, region->gpa + (run.start - region->offset), &image, &bytes,
			     err) < 0)
			return -1;
		if (bytes < run.end - run.start)
			part.end = run.start + bytes;
		if (fcp_guest_class_stream_put(&classifier->stream, &part,
					       image ? FCP_PAGE_KERNEL_IMAGE : FCP_PAGE_RESERVED,
					       err) < 0)
			return -1;
		run.start = part.end;
	}
	return 0;
}

static int pass_run(struct classifier *classifier, struct fcp_error *err)
{
	struct fcp_range run = classifier->run;

	classifier->run.start = run.end;
	if (classifier->run_class == FCP_PAGE_RESERVED)
		return put_reserved(classifier, run, err);
	return fcp_guest_class_stream_put(&classifier->stream, &run, classifier->run_class, err);
}

/* Takes the pages from the last one's end up to that PFN. */
static int take(struct classifier *classifier, uint64_t end_pfn, enum fcp_page_class page_class,
		struct fcp_error *err)
{
	if (page_class != classifier->run_class) {
		if (pass_run(classifier, err) < 0)
			return -1;
		classifier->run_class = page_class;
	}
	classifier->run.end =
		fcp_guest_region_offset(classifier->region, end_pfn << FCP_GUEST_PAGE_SHIFT);
	return 0;
}

/* ---- the memmap ---- */

/* Looks at count struct pages that have been read; *next_ = the PFN to go on with. */
static int take_pages(struct classifier *classifier, uint64_t first, uint64_t count,
		      uint64_t *next_, struct fcp_error *err)
{
	const struct fcp_guest_region *region = classifier->region;
	const struct fcp_guest_note *note = &classifier->kernel.note;
	uint64_t end = (region->gpa + region->bytes) >> FCP_GUEST_PAGE_SHIFT;
	uint64_t pfn = first;

	while (pfn < first + count) {
		struct fcp_guest_page page =
			fcp_guest_memmap_page(&classifier->memmap, pfn - first);
		enum fcp_page_class page_class = classifier->head_class;
		uint64_t pages = 1;

		if (fcp_guest_is_free_head(note, pfn, &page)) {
			page_class = FCP_PAGE_FREE;
			pages = UINT64_C(1) << page.private_;
			pages = pages < end - pfn ? pages : end - pfn;
		} else if (!(page.compound & 1)) {
			page_class = fcp_guest_class_of_page(note, &page);
			classifier->head_class = page_class;
		}
		pfn += pages;
		if (take(classifier, pfn, page_class, err) < 0)
			return -1;
	}
	*next_ = pfn;
	return 0;
}

/* The pages from pfn on that can be read together, up to stop. */
static int take_some(struct classifier *classifier, uint64_t pfn, uint64_t stop, uint64_t *next_,
		     struct fcp_error *err)
{
	uint64_t count = classifier->read_bytes / classifier->kernel.note.struct_page_bytes;

	*next_ = stop;
	if (fcp_guest_memmap_address(&classifier->memmap, pfn) == 0)
		return take(classifier, stop, FCP_PAGE_UNKNOWN, err);
	if (fcp_cancelled(classifier->settings->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	count = count < stop - pfn ? count : stop - pfn;
	if (fcp_guest_memmap_read(&classifier->memmap, pfn, count, err) < 0 ||
	    take_pages(classifier, pfn, count, next_, err) < 0)
		return -1;
	if (*next_ - pfn > count)
		classifier->read_bytes = FIRST_READ_BYTES;
	else if (classifier->read_bytes < FCP_GUEST_MEMMAP_RUN_BYTES)
		classifier->read_bytes *= 2;
	return 0;
}

static int take_region(struct classifier *classifier, const struct fcp_guest_region *region,
		       struct fcp_error *err)
{
	uint64_t pfn = region->gpa >> FCP_GUEST_PAGE_SHIFT;
	uint64_t end = pfn + (region->bytes >> FCP_GUEST_PAGE_SHIFT);

	classifier->region = region;
	classifier->stream.region = region;
	classifier->run = (struct fcp_range){region->offset, region->offset};
	while (pfn < end) {
		uint64_t stop = fcp_guest_memmap_section_end(&classifier->memmap, pfn);

		if (take_some(classifier, pfn, stop < end ? stop : end, &pfn, err) < 0)
			return -1;
	}
	return pass_run(classifier, err);
}

/* ---- all of it ---- */

static int classify(struct classifier *classifier, const struct fcp_guest_memory *memory,
		    struct fcp_error *err)
{
	struct fcp_guest_kernel *kernel = &classifier->kernel;
	struct fcp_guest_search search;

	if (fcp_guest_kernel_find(memory, classifier->settings->cancel_fd, kernel, &search, err) <
		    0 ||
	    fcp_guest_memmap_init(kernel, &classifier->memmap, err) < 0)
		return -1;
	fcp_guest_tables_copy(&kernel->tables, &classifier->image);
	classifier->stream.memory = &kernel->memory;
	classifier->stream.settings = classifier->settings;
	for (unsigned i = 0; i < kernel->memory.region_count; i++)
		if (take_region(classifier, &kernel->memory.regions[i], err) < 0)
			return -1;
	return fcp_guest_class_stream_end(&classifier->stream, err);
}

int fcp_guest_classify(const struct fcp_guest_memory *memory,
		       const struct fcp_guest_classify_settings *settings,
		       char release_[FCP_GUEST_RELEASE_BYTES], struct fcp_error *err)
{
	FCP_CLEANUP(free) struct classifier *classifier = calloc(1, sizeof(*classifier));
	int status;

	if (!classifier)
		return fcp_error_nomem(err);
	classifier->settings = settings;
	classifier->read_bytes = FIRST_READ_BYTES;
	classifier->head_class = classifier->run_class = FCP_PAGE_UNKNOWN;
	status = classify(classifier, memory, err);
	fcp_guest_memmap_clear(&classifier->memmap);
	if (status == 0)
		memcpy(release_, classifier->kernel.note.release, FCP_GUEST_RELEASE_BYTES);
	return status;
}
