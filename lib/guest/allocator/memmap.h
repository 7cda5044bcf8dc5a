// SPDX-License-Identifier: Apache-2.0
/*
 * The memmap: an array of struct page, one for each page frame (PFN). The kernel maps it by section
 * (include/linux/mmzone.h: struct mem_section; mm/sparse.c: section_mem_map is coded minus the
 * section's first PFN) or, FLATMEM, as one array. It is contiguous in the kernel's virtual memory
 * at most: each of its pages is translated.
 */
#ifndef FCP_GUEST_ALLOCATOR_MEMMAP_H
#define FCP_GUEST_ALLOCATOR_MEMMAP_H

#include "guest/kernel/kernel.h"

#define FCP_GUEST_PAGE_SHIFT 12
/* A run of struct pages that is read at once is no longer than this, in bytes. */
#define FCP_GUEST_MEMMAP_RUN_BYTES (128u << 10)

/* A struct page, as far as the allocator's free pages show in it. */
struct fcp_guest_page {
	uint64_t flags, mapping, private_, lru_next, compound;
	uint32_t mapcount, refcount;
};

/* Owned: release with fcp_guest_memmap_clear(). kernel is borrowed, its tables are used. */
struct fcp_guest_memmap {
	struct fcp_guest_kernel *kernel;
	uint64_t section_pages; /* PFNs of a section; FLATMEM: all */
	uint64_t section_count; /* those that RAM needs */
	uint64_t *sections;	/* address of the struct page of PFN 0, coded; 0: no section */
	uint64_t last_section;	/* one that has a map */
	uint32_t *by_address;	/* sections in the order of their maps; NULL: all have one base */
	struct fcp_range hole;	/* of the file, the last that was met; data lies behind it */
	uint64_t read_bytes;	/* so far, of budget_bytes */
	uint64_t budget_bytes;	/* what a guest that lies can make us read */
	unsigned char run[FCP_GUEST_MEMMAP_RUN_BYTES];
};

/*
 * Reads the sections. *memmap_ may be cleared on failure too. FCP_ERR_UNSUPPORTED: the roots or the
 * sections are not mapped, or RAM has no section at all.
 */
int fcp_guest_memmap_init(struct fcp_guest_kernel *kernel, struct fcp_guest_memmap *memmap_,
			  struct fcp_error *err);
void fcp_guest_memmap_clear(struct fcp_guest_memmap *memmap);

/* The same with the sections behind the layout's RAM: they show that there is another layout. */
int fcp_guest_memmap_init_wide(struct fcp_guest_kernel *kernel, struct fcp_guest_memmap *memmap_,
			       struct fcp_error *err);

/*
 * Does the kernel's own list of sections agree with the layout of its memory: a section with a map
 * wherever the layout has RAM, and none where it has none? Tells layouts apart that all lead to the
 * same kernel in low memory.
 */
bool fcp_guest_memmap_fits_layout(const struct fcp_guest_memmap *memmap);

/* Does the kernel have sections with a map behind the layout's RAM (of a wide one)? */
bool fcp_guest_memmap_goes_on(const struct fcp_guest_memmap *memmap);

/* The virtual address of pfn's struct page; 0 when its section has none. */
uint64_t fcp_guest_memmap_address(const struct fcp_guest_memmap *memmap, uint64_t pfn);

/* *pfn_ = the PFN whose struct page lies at address; false when it is not RAM's. */
bool fcp_guest_memmap_pfn(const struct fcp_guest_memmap *memmap, uint64_t address, uint64_t *pfn_);

/* The end of the PFNs that can be read together with pfn: the section's. */
uint64_t fcp_guest_memmap_section_end(const struct fcp_guest_memmap *memmap, uint64_t pfn);

/*
 * *next_ = the first PFN from first on, stop at most, whose struct page may hold data: those before
 * lie in holes of a whole file, and are zeros. All lie in one section that has a map.
 * FCP_ERR_UNSUPPORTED: not mapped.
 */
int fcp_guest_memmap_skip_holes(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t stop,
				uint64_t *next_, struct fcp_error *err);

/*
 * Reads the struct pages of count PFNs from first on into memmap->run; count times SIZE(page) fits
 * there, and all lie in one section. Pages of the memmap that lie in a hole of a whole file are
 * zeros without being read. FCP_ERR_UNSUPPORTED: not mapped, or no RAM, or read too much already
 * for what the file holds.
 */
int fcp_guest_memmap_read(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t count,
			  struct fcp_error *err);

/* Takes the fields of the struct page at index of memmap->run. */
struct fcp_guest_page fcp_guest_memmap_page(const struct fcp_guest_memmap *memmap, uint64_t index);

/* Reads one struct page. Errors as fcp_guest_memmap_read(), and a PFN without a section. */
int fcp_guest_memmap_read_page(struct fcp_guest_memmap *memmap, uint64_t pfn,
			       struct fcp_guest_page *page_, struct fcp_error *err);

#endif
