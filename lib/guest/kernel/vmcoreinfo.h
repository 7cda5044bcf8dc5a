// SPDX-License-Identifier: Apache-2.0
/*
 * VMCOREINFO: what a Linux kernel says of its own layout to those who read its memory. The kernel
 * keeps it as an ELF note of its own pages (kernel/vmcore_info.c, before 6.9 kernel/crash_core.c:
 * alloc_pages_exact(), filled in by crash_save_vmcoreinfo_init()).
 * Documentation/admin-guide/kdump/vmcoreinfo.rst says what the keys mean.
 */
#ifndef FCP_GUEST_KERNEL_VMCOREINFO_H
#define FCP_GUEST_KERNEL_VMCOREINFO_H

#include "guest/arch/arch.h"

/* The first bytes of the note's page: sizes 11 and n, type 0, the name, OSRELEASE=. */
#define FCP_GUEST_NOTE_HEAD_BYTES 34
/* VMCOREINFO_BYTES is a page; later kernels may need more. */
#define FCP_GUEST_NOTE_TEXT_MAX 16384
#define FCP_GUEST_NOTE_SYMBOLS_MAX 64
#define FCP_GUEST_RELEASE_BYTES 65

/* Marks an absent key; never a legal value. */
#define FCP_GUEST_NONE UINT64_MAX

/* Where the kernel's log lies (kernel/printk/printk_ringbuffer.h); see
 * guest/kernel/kernel_log.h. */
struct fcp_guest_log_layout {
	uint64_t prb; /* the address of the pointer to the ring */
	uint64_t desc_ring, text_ring;
	uint64_t count_bits, descs, head_id, tail_id;	     /* of desc_ring */
	uint64_t desc_bytes, state, text_block, begin, next; /* of a descriptor */
	uint64_t size_bits, data, head_lpos;		     /* of text_ring */
};

/* The keys that the readers use. Addresses are virtual and relocated already (KASLR). */
struct fcp_guest_note {
	uint64_t gpa;	 /* of the note's first byte */
	uint64_t digest; /* of the text: copies of one note have the same */
	char release[FCP_GUEST_RELEASE_BYTES];

	const struct fcp_guest_arch *arch;
	struct fcp_range image; /* virtual addresses that the kernel's image lies in */
	uint64_t image_voffset; /* of it: virtual address - GPA */
	unsigned levels;	/* of the page tables */

	uint64_t page_bytes;
	uint64_t page_table; /* swapper_pg_dir or init_top_pgt */
	uint64_t init_top_pgt;
	uint64_t stext, init_uts_ns;
	uint64_t uts_name;				     /* NONE before 6.0 */
	uint64_t phys_base, five_levels, sme_mask;	     /* x86_64 */
	uint64_t kimage_voffset, phys_offset, va_bits, t1sz; /* arm64 */

	uint64_t mem_section, mem_section_length, mem_section_bytes, section_mem_map;
	uint64_t section_size_bits, max_physmem_bits;
	uint64_t mem_map; /* FLATMEM: address of the pointer */

	uint64_t struct_page_bytes;
	uint64_t page_flags, page_refcount, page_mapping, page_lru, page_mapcount, page_private;
	uint64_t page_compound; /* compound_head; compound_info since 7.1 */

	uint64_t node_data, node_data_length;
	uint64_t contig_page_data; /* the only node */
	uint64_t pgdat_bytes, pgdat_node_zones, pgdat_nr_zones;
	uint64_t pgdat_node_id, pgdat_start_pfn, pgdat_spanned_pages;
	uint64_t zone_bytes, zone_free_area, zone_vm_stat, zone_spanned_pages;
	uint64_t free_area_bytes, free_area_free_list, zone_free_area_length, free_list_length;
	uint64_t list_head_bytes, list_head_next;
	uint64_t nr_free_pages;

	uint64_t buddy_mapcount; /* as 32 bits */
	uint64_t slab_mapcount;	 /* since 6.10, as 32 bits */
	uint64_t pg_slab, pg_swapbacked, pg_private;
	uint64_t pg_zeroed; /* proposed for 7.x: free pages that the guest knows to be zeros */

	struct fcp_guest_log_layout log; /* since 5.10 */

	/* All symbols in the kernel's image: text or data, in use as long as the kernel runs. */
	unsigned symbol_count;
	uint64_t symbols[FCP_GUEST_NOTE_SYMBOLS_MAX];
};

/* Do these FCP_GUEST_NOTE_HEAD_BYTES bytes begin a note? */
bool fcp_guest_note_begins(const void *head);

/*
 * Reads the note at gpa. FCP_ERR_UNSUPPORTED: there is no note; a key that the readers need is
 * missing; a key is given twice or has an implausible value (the message names it); the kernel has
 * crashed; what the note shows of it is not supported. FCP_ERR_IO from the source.
 */
int fcp_guest_note_read(const struct fcp_guest_memory *memory, uint64_t gpa,
			struct fcp_guest_note *note_, struct fcp_error *err);

/* Reads the note's text (bytes bytes, no final NUL needed) into *note_, but for gpa. */
int fcp_guest_note_parse(const char *text, size_t bytes, struct fcp_guest_note *note_,
			 struct fcp_error *err);

/* FCP_ERR_UNSUPPORTED that names a key which is missing. Returns -1. */
int fcp_guest_note_missing(struct fcp_error *err, const char *key);

/* The GPA of an address in the kernel's image. */
static inline uint64_t fcp_guest_image_gpa(const struct fcp_guest_note *note, uint64_t address)
{
	return address - note->image_voffset;
}

#endif
