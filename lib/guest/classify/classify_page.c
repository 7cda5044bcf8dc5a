// SPDX-License-Identifier: Apache-2.0
#include "base/enums.h"
#include "guest/classify/classify_parts.h"

#include <stdio.h>

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

const char *fcp_page_class_name(enum fcp_page_class page_class)
{
	static const char *const names[FCP_PAGE_CLASSES] = {
		[FCP_PAGE_FREE] = "free",	    [FCP_PAGE_ZERO] = "zero",
		[FCP_PAGE_CACHE] = "page_cache",    [FCP_PAGE_SHMEM] = "shmem",
		[FCP_PAGE_ANONYMOUS] = "anonymous", [FCP_PAGE_SLAB] = "slab",
		[FCP_PAGE_TABLES] = "page_tables",  [FCP_PAGE_KERNEL_IMAGE] = "kernel_image",
		[FCP_PAGE_RESERVED] = "reserved",   [FCP_PAGE_UNKNOWN] = "unknown",
	};

	return names[(unsigned)page_class < FCP_PAGE_CLASSES ? page_class : FCP_PAGE_UNKNOWN];
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
	/* The release is looked at only for what is a page type at all. */
	if (note->buddy_mapcount == BUDDY_BIT)
		return (page->mapcount & TYPE_BASE) == TYPE_BASE && page->mapcount != NOT_MAPPED &&
		       (page->mapcount & table_bit(note)) == 0;
	return note->buddy_mapcount == BUDDY_BYTE && page->mapcount >> 24 == TABLE_BYTE;
}

bool fcp_guest_is_free_head(const struct fcp_guest_note *note, uint64_t pfn,
			    const struct fcp_guest_page *page)
{
	return page->mapcount == (uint32_t)note->buddy_mapcount && !(page->compound & 1) &&
	       page->private_ < note->zone_free_area_length &&
	       pfn % (UINT64_C(1) << page->private_) == 0;
}

enum fcp_page_class fcp_guest_class_of_page(const struct fcp_guest_note *note,
					    const struct fcp_guest_page *page)
{
	if (is_reserved(note, page->flags))
		return FCP_PAGE_RESERVED;
	if (is_slab(note, page))
		return FCP_PAGE_SLAB;
	if (is_table(note, page))
		return FCP_PAGE_TABLES;
	/* Of another type (offline, guard, ...): it has no mapping. No reference: on its way. */
	if ((page->mapcount >= BUDDY_BYTE && page->mapcount != NOT_MAPPED) || page->refcount == 0)
		return FCP_PAGE_UNKNOWN;
	if (page->mapping & 1)
		return FCP_PAGE_ANONYMOUS;
	/* Bit 1 alone: a driver's movable page, as the balloon's. */
	if (page->mapping == 0 || (page->mapping & 2))
		return FCP_PAGE_UNKNOWN;
	/* Of all pages of files only mm/shmem.c's can go to swap. */
	return flag(page->flags, note->pg_swapbacked) ? FCP_PAGE_SHMEM : FCP_PAGE_CACHE;
}
