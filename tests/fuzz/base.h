// SPDX-License-Identifier: Apache-2.0
/*
 * The guests whose memory the fuzzer changes: made-up ones (tests/unit/guest_fixture.h) and what a
 * scan looks at of real ones (bases/, made by distil.c), each with the places that matter.
 *
 * A file of bases/ is, when unpacked, a header and then the pages that hold data: number (4 bytes)
 * and content each.
 */
#ifndef FCP_TESTS_FUZZ_BASE_H
#define FCP_TESTS_FUZZ_BASE_H

#include "store.h"

#include "guest/allocator/memmap.h"

#define BASE_MAGIC UINT64_C(0x3165736162706366)

struct base_header {
	uint64_t magic, bytes;
};

/* Places in the memory file. */
struct places {
	uint64_t *items;
	unsigned count, capacity;
};

enum place_kind {
	PLACE_ENTRY,	  /* of a page table that a scan walks, present */
	PLACE_SECTION,	  /* a word of mem_section */
	PLACE_ZONE,	  /* a word of a zone: list links, counts */
	PLACE_NODE,	  /* node_data's slots, nr_zones */
	PLACE_NAME,	  /* init_uts_ns, by words */
	PLACE_TRAMPOLINE, /* the last word of each low page */
	PLACE_DATA,	  /* words of the image's data that are not 0 */
	PLACE_HEAD,	  /* the struct pages of free blocks */
	PLACE_PAGE,	  /* struct pages */
	PLACE_FREE,	  /* pages that are free */
	PLACE_USED,	  /* pages that a scan reads and that are in use */
	PLACE_POINTER,	  /* pointers to the note, in the image's data */
	PLACE_KINDS,
};

struct base {
	struct store *store;
	struct fcp_guest_kernel *kernel; /* as it is before any change */
	struct fcp_guest_memmap *memmap;
	uint64_t note; /* offset of its header */
	char *note_text;
	size_t note_bytes;
	struct places places[PLACE_KINDS];
	uint64_t *head_pfns; /* of PLACE_HEAD */
};

/* A first byte of BASE_MORE and above: FUZZ_BASE, the path of one more, where it is set. */
#define BASE_MORE 0xf0

/* The base that an input's first byte asks for: made when it is first asked for. */
struct base *base_get(uint8_t byte);

/* Reads a base's pages (a path that ends in .gz is unpacked); ends the program when it cannot. */
struct store *base_load(const char *path);

/* The virtual address of the first node. */
uint64_t base_node(const struct base *base);

/* Where the kernel has that GPA mapped with all of RAM. */
uint64_t base_direct(const struct base *base, uint64_t gpa);

/* The offset of a virtual address in the base as it was, or UINT64_MAX. */
uint64_t base_offset(const struct base *base, uint64_t address);

#endif
