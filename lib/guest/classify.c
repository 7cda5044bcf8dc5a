// SPDX-License-Identifier: Apache-2.0
#include "guest/classify.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/memmap.h"
#include "guest/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_BYTES (UINT64_C(2) << 20)
#define RUN_PAGES 32

/* _mapcount as a page type (include/linux/page-flags.h): bits cleared of all up to 6.9 (buddy
 * ~0x80; table 0x200, up to 5.10 0x400), the top byte since 6.12 (buddy 0xf0). The note has no
 * value for page tables, so where neither scheme shows they stay unknown. */
#define BUDDY_BIT 0xffffff7fu
#define TYPE_BASE 0xf0000000u
#define TABLE_BIT 0x200u
#define TABLE_BIT_5_10 0x400u
#define BUDDY_BYTE 0xf0000000u
#define TABLE_BYTE 0xf2u
#define NOT_MAPPED 0xffffffffu

struct classifier {
	const struct fcp_guest_classify_settings *settings;
	struct fcp_guest_classes *classes;
	struct fcp_guest_kernel kernel;
	struct fcp_guest_memmap memmap;
	struct fcp_ranges image; /* GPAs that the kernel's image is mapped to */
	uint8_t head_class;	 /* of the last page that is no tail */
	unsigned char run[RUN_PAGES * FCP_PAGE_BYTES];
};

const char *fcp_guest_page_class_name(enum fcp_guest_page_class page_class)
{
	static const char *const names[FCP_GUEST_PAGE_CLASSES] = {
		[FCP_GUEST_PAGE_UNKNOWN] = "unknown",
		[FCP_GUEST_PAGE_FREE] = "free",
		[FCP_GUEST_PAGE_ZERO] = "zero",
		[FCP_GUEST_PAGE_CACHE] = "page cache",
		[FCP_GUEST_PAGE_ANONYMOUS] = "anonymous",
		[FCP_GUEST_PAGE_SLAB] = "slab",
		[FCP_GUEST_PAGE_TABLES] = "page tables",
		[FCP_GUEST_PAGE_KERNEL_IMAGE] = "kernel image",
		[FCP_GUEST_PAGE_RESERVED] = "reserved",
	};

	return (unsigned)page_class < FCP_GUEST_PAGE_CLASSES ? names[page_class] : "unknown";
}

static bool flag(uint64_t flags, uint64_t number)
{
	return number != FCP_GUEST_NONE && (flags >> number & 1);
}

static bool is_reserved(const struct fcp_guest_note *note, uint64_t flags)
{
	/* PG_reserved lies just below PG_private, since 2.6 and still in 7.3. */
	return note->pg_private != FCP_GUEST_NONE && note->pg_private > 0 &&
	       flag(flags, note->pg_private - 1);
}

static bool is_slab(const struct fcp_guest_note *note, const struct fcp_guest_page *page)
{
	if (note->slab_mapcount != FCP_GUEST_NONE)
		return page->mapcount >> 24 == (uint32_t)note->slab_mapcount >> 24;
	return flag(page->flags, note->pg_slab);
}

static uint32_t table_bit(const struct fcp_guest_note *note)
{
	unsigned major = 0, minor = 0;

	if (sscanf(note->release, "%u.%u", &major, &minor) == 2 &&
	    (major < 5 || (major == 5 && minor < 11)))
		return TABLE_BIT_5_10;
	return TABLE_BIT;
}

static bool is_table(const struct fcp_guest_note *note, const struct fcp_guest_page *page)
{
	if (note->buddy_mapcount == BUDDY_BIT)
		return (page->mapcount & (TYPE_BASE | table_bit(note))) == TYPE_BASE;
	return note->buddy_mapcount == BUDDY_BYTE && page->mapcount >> 24 == TABLE_BYTE;
}

static bool in_image(const struct classifier *classifier, uint64_t gpa)
{
	for (size_t i = 0; i < classifier->image.count; i++)
		if (gpa >= classifier->image.items[i].start && gpa < classifier->image.items[i].end)
			return true;
	return false;
}

static uint8_t class_of(const struct classifier *classifier, uint64_t pfn,
			const struct fcp_guest_page *page)
{
	const struct fcp_guest_note *note = &classifier->kernel.note;

	if (page->compound & 1)
		return classifier->head_class;
	if (is_reserved(note, page->flags))
		return in_image(classifier, pfn << FCP_GUEST_PAGE_SHIFT)
			       ? FCP_GUEST_PAGE_KERNEL_IMAGE
			       : FCP_GUEST_PAGE_RESERVED;
	if (is_slab(note, page))
		return FCP_GUEST_PAGE_SLAB;
	if (is_table(note, page))
		return FCP_GUEST_PAGE_TABLES;
	/* Of another type (offline, guard, ...): its mapping is none. No reference: on its way. */
	if ((page->mapcount >= BUDDY_BYTE && page->mapcount != NOT_MAPPED) || page->refcount == 0)
		return FCP_GUEST_PAGE_UNKNOWN;
	if (page->mapping & 1)
		return FCP_GUEST_PAGE_ANONYMOUS;
	/* Bit 1 alone: a driver's movable page, as the balloon's. */
	return page->mapping != 0 && !(page->mapping & 2) ? FCP_GUEST_PAGE_CACHE
							  : FCP_GUEST_PAGE_UNKNOWN;
}

static bool is_free_head(const struct classifier *classifier, uint64_t pfn,
			 const struct fcp_guest_page *page)
{
	const struct fcp_guest_note *note = &classifier->kernel.note;

	return page->mapcount == (uint32_t)note->buddy_mapcount && !(page->compound & 1) &&
	       page->private_ < note->zone_free_area_length &&
	       pfn % (UINT64_C(1) << page->private_) == 0;
}

/* The pages of one region; free says how many of those to come are of a free block. */
static int class_region(struct classifier *classifier, const struct fcp_guest_region *region,
			struct fcp_error *err)
{
	uint64_t pfn = region->gpa >> FCP_GUEST_PAGE_SHIFT;
	uint64_t end = pfn + (region->bytes >> FCP_GUEST_PAGE_SHIFT);
	uint8_t *pages = classifier->classes->pages + region->offset / FCP_PAGE_BYTES;
	uint64_t most = FCP_GUEST_MEMMAP_RUN_BYTES / classifier->kernel.note.struct_page_bytes;
	uint64_t free = 0;

	while (pfn < end) {
		uint64_t stop = fcp_guest_memmap_section_end(&classifier->memmap, pfn);
		uint64_t count;

		stop = stop < end ? stop : end;
		count = stop - pfn < most ? stop - pfn : most;
		if (fcp_cancelled(classifier->settings->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
		if (fcp_guest_memmap_address(&classifier->memmap, pfn) == 0) {
			memset(pages, FCP_GUEST_PAGE_UNKNOWN, (size_t)(stop - pfn));
			pages += stop - pfn;
			pfn = stop;
			continue;
		}
		if (fcp_guest_memmap_read(&classifier->memmap, pfn, count, err) < 0)
			return -1;
		for (uint64_t i = 0; i < count; i++) {
			struct fcp_guest_page page = fcp_guest_memmap_page(&classifier->memmap, i);

			if (free == 0 && is_free_head(classifier, pfn + i, &page))
				free = UINT64_C(1) << page.private_;
			classifier->head_class = class_of(classifier, pfn + i, &page);
			*pages++ = free > 0 ? FCP_GUEST_PAGE_FREE : classifier->head_class;
			free -= free > 0;
		}
		pfn += count;
	}
	return 0;
}

/* Where the kernel's image is mapped to: text, data, what is between. */
static int find_image(struct classifier *classifier, struct fcp_error *err)
{
	uint64_t step;

	for (uint64_t at = 0; at < FCP_GUEST_IMAGE_BYTES; at += step) {
		uint64_t address = FCP_GUEST_IMAGE_START + at;
		struct fcp_guest_leaf leaf;

		if (fcp_guest_lookup(&classifier->kernel.tables, address, &leaf, err) < 0)
			return -1;
		step = leaf.bytes - (address - leaf.start);
		if (leaf.mapped && leaf.bytes <= LARGE_BYTES &&
		    fcp_ranges_add(&classifier->image, leaf.gpa, leaf.gpa + leaf.bytes, err) < 0)
			return -1;
	}
	return 0;
}

static bool all_zeros(const unsigned char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, FCP_PAGE_BYTES - 1) == 0;
}

/* Pages of zeros among those of one extent of data. */
static int class_zeros(struct classifier *classifier, const struct fcp_range *data,
		       struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = &classifier->kernel.memory;
	uint64_t at = fcp_align_down(data->start, FCP_PAGE_BYTES);

	while (at < data->end) {
		const struct fcp_guest_region *region;
		uint64_t gpa, bytes;

		if (fcp_cancelled(classifier->settings->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
		if (!fcp_guest_memory_gpa(memory, at, &gpa) ||
		    !(region = fcp_guest_memory_region(memory, gpa, FCP_PAGE_BYTES)))
			return 0;
		bytes = region->bytes - (gpa - region->gpa);
		bytes = bytes < sizeof(classifier->run) ? bytes : sizeof(classifier->run);
		if (fcp_guest_memory_read(memory, gpa, classifier->run, (size_t)bytes, err) < 0)
			return -1;
		for (uint64_t i = 0; i < bytes; i += FCP_PAGE_BYTES) {
			uint8_t *page = &classifier->classes->pages[(at + i) / FCP_PAGE_BYTES];

			if (*page != FCP_GUEST_PAGE_FREE && all_zeros(classifier->run + i))
				*page = FCP_GUEST_PAGE_ZERO;
		}
		at += bytes;
	}
	return 0;
}

/* A hole of a whole file is zeros without being read; of what is free it says nothing. */
static void class_hole(struct classifier *classifier, uint64_t start, uint64_t end)
{
	uint8_t *pages = classifier->classes->pages;

	if (!classifier->settings->zero || classifier->kernel.memory.holes == FCP_GUEST_HOLES_BASE)
		return;
	for (uint64_t i = start / FCP_PAGE_BYTES; i < end / FCP_PAGE_BYTES; i++)
		if (pages[i] != FCP_GUEST_PAGE_FREE)
			pages[i] = FCP_GUEST_PAGE_ZERO;
}

static int look_at_data(struct classifier *classifier, struct fcp_error *err)
{
	struct fcp_guest_classes *classes = classifier->classes;
	struct fcp_range data = {0, 0};

	for (;;) {
		uint64_t hole = data.end;

		if (fcp_guest_memory_data(&classifier->kernel.memory, hole, &data, err) < 0)
			return -1;
		class_hole(classifier, fcp_align_up(hole, FCP_PAGE_BYTES),
			   fcp_align_down(data.start, FCP_PAGE_BYTES));
		if (data.start >= data.end)
			return 0;
		if (classifier->settings->zero && class_zeros(classifier, &data, err) < 0)
			return -1;
		for (uint64_t at = fcp_align_down(data.start, FCP_PAGE_BYTES); at < data.end;
		     at += FCP_PAGE_BYTES)
			classes->data_bytes[classes->pages[at / FCP_PAGE_BYTES]] += FCP_PAGE_BYTES;
	}
}

static int classify(struct classifier *classifier, const struct fcp_guest_memory *memory,
		    struct fcp_error *err)
{
	struct fcp_guest_classes *classes = classifier->classes;
	struct fcp_guest_search search;

	if (fcp_guest_kernel_find(memory, classifier->settings->cancel_fd, &classifier->kernel,
				  &search, err) < 0 ||
	    fcp_guest_memmap_init(&classifier->kernel, &classifier->memmap, err) < 0 ||
	    find_image(classifier, err) < 0)
		return -1;
	classes->page_count = memory->bytes / FCP_PAGE_BYTES;
	classes->pages = malloc((size_t)classes->page_count);
	if (!classes->pages)
		return fcp_error_nomem(err);
	for (unsigned i = 0; i < classifier->kernel.memory.region_count; i++)
		if (class_region(classifier, &classifier->kernel.memory.regions[i], err) < 0)
			return -1;
	if (look_at_data(classifier, err) < 0)
		return -1;
	for (uint64_t i = 0; i < classes->page_count; i++)
		classes->bytes[classes->pages[i]] += FCP_PAGE_BYTES;
	memcpy(classes->release, classifier->kernel.note.release, sizeof(classes->release));
	return 0;
}

int fcp_guest_classify(const struct fcp_guest_memory *memory,
		       const struct fcp_guest_classify_settings *settings,
		       struct fcp_guest_classes *classes_, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct classifier *classifier = calloc(1, sizeof(*classifier));
	struct fcp_guest_classes classes = {.page_count = 0};
	int status;

	if (!classifier)
		return fcp_error_nomem(err);
	classifier->settings = settings;
	classifier->classes = &classes;
	status = classify(classifier, memory, err);
	fcp_guest_memmap_clear(&classifier->memmap);
	fcp_ranges_clear(&classifier->image);
	if (status < 0)
		fcp_guest_classes_clear(&classes);
	else
		*classes_ = classes;
	return status;
}

void fcp_guest_classes_clear(struct fcp_guest_classes *classes)
{
	if (!classes)
		return;
	free(classes->pages);
	*classes = (struct fcp_guest_classes){.page_count = 0};
}
