// SPDX-License-Identifier: Apache-2.0
/*
 * A small guest's memory, made up: a memory file (memfd, sparse) with a VMCOREINFO note, page
 * tables, a memmap, a node with its zones and free lists, kernel text and data. All gates pass;
 * each test then breaks one thing. Free blocks: see guest_fixture_blocks.
 *
 *   GPA        what lies there (one page where nothing is said)
 *   0          page frame 0           0x9e000    the real-mode trampoline's page table
 *   16 MiB     text, 64 pages         18 MiB     data: page table root, init_uts_ns, node_data, bss
 *   20 MiB     note (two pages)       21 MiB     pglist_data (two pages)
 *   22 MiB     mem_section's roots, and their sections
 *   23 MiB     page tables            24 MiB     the memmap of the first 32 MiB, in reverse order
 */
#ifndef FCP_TESTS_UNIT_GUEST_FIXTURE_H
#define FCP_TESTS_UNIT_GUEST_FIXTURE_H

#include "guest/free_pages.h"

#include <stdbool.h>

#define FIXTURE_RELEASE "6.1.0-fixture"
#define FIXTURE_MIB (UINT64_C(1) << 20)

#define FIXTURE_TRAMPOLINE UINT64_C(0x9e000)
#define FIXTURE_TEXT (16 * FIXTURE_MIB)
#define FIXTURE_TEXT_PAGES 64
#define FIXTURE_DATA (18 * FIXTURE_MIB)
#define FIXTURE_ROOT FIXTURE_DATA
#define FIXTURE_UTS (FIXTURE_DATA + 0x1000)
#define FIXTURE_NODE_DATA (FIXTURE_DATA + 0x2000)
#define FIXTURE_BSS (FIXTURE_DATA + 0x3000)
#define FIXTURE_NOTE (20 * FIXTURE_MIB)
#define FIXTURE_NODE (21 * FIXTURE_MIB)
#define FIXTURE_SECTION_ROOTS (22 * FIXTURE_MIB)
#define FIXTURE_SECTIONS (FIXTURE_SECTION_ROOTS + 0x1000)
#define FIXTURE_TABLES (23 * FIXTURE_MIB)
#define FIXTURE_MEMMAP (24 * FIXTURE_MIB)
#define FIXTURE_REST (64 * FIXTURE_MIB) /* 2 MiB, see enum fixture_rest */
#define FIXTURE_END (32 * FIXTURE_MIB)

/* Of the struct page, as the note says. */
#define FIXTURE_PAGE_BYTES 64
#define FIXTURE_LRU 8
#define FIXTURE_MAPPING 24
#define FIXTURE_PRIVATE 40
#define FIXTURE_MAPCOUNT 48
#define FIXTURE_REFCOUNT 52
#define FIXTURE_BUDDY 0xffffff7fu

/* Of the zone that has pages, in the node: free_area[11] of two lists each, vm_stat. */
#define FIXTURE_ORDERS 11
#define FIXTURE_TYPES 2
#define FIXTURE_ZONE_BYTES 1024
#define FIXTURE_FREE_AREA 128
#define FIXTURE_AREA_BYTES (FIXTURE_TYPES * 16 + 8)
#define FIXTURE_VM_STAT 896
#define FIXTURE_SPANNED 120

/* What the memmap shows of the pages that the fixture does not have: those from 32 MiB on. */
enum fixture_rest {
	FIXTURE_REST_IN_USE,   /* one page of pages in use, again and again */
	FIXTURE_REST_HOLE,     /* a memmap that is a hole of the file, from 128 MiB on */
	FIXTURE_REST_ONE_LEAF, /* 2 MiB with every other page free, repeated from 128 MiB on */
	FIXTURE_REST_ONE_PAGE, /* the same, one page by one page table */
};

struct fixture_settings {
	uint64_t bytes;	   /* of RAM; 0: 32 MiB */
	uint64_t low_hole; /* where the hole below 4 GiB starts; 0: 3 GiB */
	bool five_levels;
	bool narrow;		/* all addresses fit into 39 bits (arm64) */
	enum fixture_rest rest; /* but the first: RAM of 256 MiB or more */
	bool no_pointer;	/* the note is found by the search of all pages only */
	bool no_trampoline;	/* nothing says that this kernel runs */
	bool not_extreme;	/* mem_section is one array */
	const char *note_edit;	/* "KEY=VALUE" puts it in KEY's place; "KEY" alone takes it out */
};

struct fixture {
	int fd;
	struct fixture_settings settings;
	uint64_t tables_used; /* pages taken from FIXTURE_TABLES on */
};

struct fixture_block {
	uint64_t pfn;
	unsigned order, type;
};

extern const struct fixture_block fixture_blocks[];
extern const unsigned fixture_block_count;

/* Builds the memory; exits the program when the machine cannot (no memory). */
void fixture_build(struct fixture *fixture, const struct fixture_settings *settings);
void fixture_close(struct fixture *fixture);

/*
 * Puts what another kernel left behind into the memory: a copy of the first kernel, of that
 * release, base bytes above it (whole, of its own memmap and lists; but no trampoline). RAM must
 * reach 32 MiB + base.
 */
void fixture_add_kernel(struct fixture *fixture, uint64_t base, const char *release);

/* Puts the trampoline of the kernel at base into that page; 0 is the first kernel. */
void fixture_put_trampoline(struct fixture *fixture, uint64_t base, uint64_t gpa);

/* Bytes of the memory, by GPA. */
void fixture_write(struct fixture *fixture, uint64_t gpa, const void *bytes, size_t length);
void fixture_read(struct fixture *fixture, uint64_t gpa, void *bytes, size_t length);
void fixture_write_word(struct fixture *fixture, uint64_t gpa, uint64_t word);
void fixture_write_half(struct fixture *fixture, uint64_t gpa, uint32_t half);
uint64_t fixture_read_word(struct fixture *fixture, uint64_t gpa);

/* Punches a hole. */
void fixture_punch(struct fixture *fixture, uint64_t gpa, uint64_t length);

/* The GPA of a struct page, of the first 32 MiB; and its virtual address. */
uint64_t fixture_page(uint64_t pfn);
uint64_t fixture_page_address(const struct fixture *fixture, uint64_t pfn);

/* The GPA of free_area[order].free_list[type]; nr_free lies behind the lists. */
uint64_t fixture_list(unsigned order, unsigned type);
uint64_t fixture_list_address(const struct fixture *fixture, unsigned order, unsigned type);
uint64_t fixture_nr_free(unsigned order);

/* The virtual address at which the kernel has all RAM mapped. */
uint64_t fixture_direct(const struct fixture *fixture, uint64_t gpa);

/* Scans it: fcp_guest_find_free() of the whole file, holes as said. */
int fixture_find(struct fixture *fixture, enum fcp_holes holes, struct fcp_guest_free *free_,
		 struct fcp_error *err);

#endif
