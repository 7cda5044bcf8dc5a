// SPDX-License-Identifier: Apache-2.0
#include "guest_large.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define GIB (UINT64_C(1) << 30)
#define ENTRIES 512
#define LEAF (UINT64_C(1) << 63 | 0xe3) /* a page of 2 MiB, not executable */
#define TABLE UINT64_C(0x63)
#define SECTION_BYTES (UINT64_C(1) << 27)
#define PRESENT UINT64_C(0xf)

/* So much of the memmap shows the same struct pages: what repeats without end is refused. */
#define REPEATED_LEAVES 72 /* up to 9 GiB */
#define HOLE (5 * GIB)	   /* 1 GiB of RAM */
#define SCATTERED (64 * FIXTURE_MIB)
#define LEAF_BYTES (2 * FIXTURE_MIB)
#define LEAF_PFNS (LEAF_BYTES / FIXTURE_PAGE_BYTES)

static uint64_t next_table(struct fixture *fixture, uint64_t table, uint64_t index)
{
	return fixture_read_word(fixture, table + index * 8) & UINT64_C(0x000ffffffffff000);
}

static uint64_t new_table(struct fixture *fixture)
{
	return FIXTURE_TABLES + fixture->tables_used++ * PAGE;
}

/* The memmap's first GiB has the low 32 MiB's own struct pages; behind them, and in all others. */
static void map_memmap(struct fixture *fixture, uint64_t end)
{
	uint64_t start = fixture_page_address(fixture, 0), gib;
	uint64_t upper = next_table(fixture, FIXTURE_ROOT, (start >> 39) % ENTRIES);
	uint64_t middle = next_table(fixture, upper, (start >> 30) % ENTRIES);
	uint64_t lower = next_table(fixture, middle, (start >> 21) % ENTRIES);
	uint64_t shared = new_table(fixture);

	for (uint64_t i = 32 * FIXTURE_MIB / PAGE * FIXTURE_PAGE_BYTES / PAGE; i < ENTRIES; i++)
		fixture_write_word(fixture, lower + i * 8, (GUEST_LARGE_PAGES + i * PAGE) | TABLE);
	for (uint64_t i = 0; i < ENTRIES; i++)
		fixture_write_word(fixture, shared + i * 8, (HOLE + i * LEAF_BYTES) | LEAF);
	for (uint64_t i = 1; i < ENTRIES; i++)
		fixture_write_word(fixture, middle + i * 8,
				   (i < REPEATED_LEAVES ? GUEST_LARGE_PAGES
							: HOLE + i * LEAF_BYTES) |
					   LEAF);
	for (gib = 1; gib * GIB < end / PAGE * FIXTURE_PAGE_BYTES; gib++)
		fixture_write_word(fixture, upper + ((start >> 30) + gib) % ENTRIES * 8,
				   shared | TABLE);
}

static void write_struct_pages(struct fixture *fixture)
{
	static unsigned char pages[LEAF_BYTES];
	const uint64_t mappings[] = {UINT64_C(0xffff888000001000), UINT64_C(0xffff888000001001)};
	const uint32_t references = 1;

	for (uint64_t i = 0; i < sizeof(pages) / FIXTURE_PAGE_BYTES; i++) {
		unsigned char *page = pages + i * FIXTURE_PAGE_BYTES;

		memcpy(page + FIXTURE_MAPPING, &mappings[i / 2 % 2], sizeof(mappings[0]));
		memcpy(page + FIXTURE_REFCOUNT, &references, sizeof(references));
	}
	fixture_write(fixture, GUEST_LARGE_PAGES, pages, sizeof(pages));
}

static void add_section(struct fixture *fixture, uint64_t gpa)
{
	uint64_t at = FIXTURE_SECTIONS + gpa / SECTION_BYTES * 16;
	uint64_t root = FIXTURE_SECTION_ROOTS + gpa / SECTION_BYTES * 16 / PAGE * 8;

	fixture_write_word(fixture, at, fixture_page_address(fixture, 0) | PRESENT);
	fixture_write_word(fixture, root, fixture_direct(fixture, at - at % PAGE));
}

void guest_large_grow(struct fixture *fixture, uint64_t bytes)
{
	uint64_t low = fixture->settings.low_hole,
		 end = bytes > low ? bytes + 4 * GIB - low : bytes;

	fixture->settings.bytes = bytes;
	if (ftruncate(fixture->fd, (off_t)bytes) < 0) {
		perror("large guest");
		exit(1);
	}
	map_memmap(fixture, end);
	write_struct_pages(fixture);
	for (uint64_t gpa = 0; gpa < end; gpa += SECTION_BYTES)
		if (gpa < low || gpa >= 4 * GIB)
			add_section(fixture, gpa);
	fixture_write_word(fixture, FIXTURE_NODE + FIXTURE_ZONE_BYTES + FIXTURE_SPANNED,
			   end / PAGE);
}

/* The list runs from the last page to the first. Returns the link that it begins with. */
static uint64_t free_every_second(struct fixture *fixture, uint64_t first_pfn, uint64_t next)
{
	static unsigned char pages[LEAF_BYTES];
	uint32_t buddy = FIXTURE_BUDDY, none = 0;
	uint64_t mapping = 0;

	fixture_read(fixture, GUEST_LARGE_PAGES, pages, sizeof(pages));
	for (uint64_t i = 0; i < LEAF_PFNS; i += 2) {
		unsigned char *page = pages + i * FIXTURE_PAGE_BYTES;

		memcpy(page + FIXTURE_MAPCOUNT, &buddy, sizeof(buddy));
		memcpy(page + FIXTURE_REFCOUNT, &none, sizeof(none));
		memcpy(page + FIXTURE_MAPPING, &mapping, sizeof(mapping));
		memcpy(page + FIXTURE_LRU, &next, sizeof(next));
		next = fixture_page_address(fixture, first_pfn + i) + FIXTURE_LRU;
	}
	fixture_write(fixture, SCATTERED + first_pfn * FIXTURE_PAGE_BYTES, pages, sizeof(pages));
	return next;
}

static void add_to_word(struct fixture *fixture, uint64_t gpa, uint64_t count)
{
	fixture_write_word(fixture, gpa, fixture_read_word(fixture, gpa) + count);
}

void guest_large_scatter(struct fixture *fixture)
{
	uint64_t start = fixture_page_address(fixture, 0), list = fixture_list(0, 0);
	uint64_t upper = next_table(fixture, FIXTURE_ROOT, (start >> 39) % ENTRIES);
	uint64_t middle = next_table(fixture, upper, (start >> 30) % ENTRIES);
	uint64_t next = fixture_read_word(fixture, list);
	uint64_t first = GIB / 4 / PAGE / LEAF_PFNS, end = 2 * GIB / PAGE / LEAF_PFNS;

	for (uint64_t i = first; i < end; i++) {
		next = free_every_second(fixture, i * LEAF_PFNS, next);
		fixture_write_word(fixture, middle + i * 8, (SCATTERED + i * LEAF_BYTES) | LEAF);
	}
	fixture_write_word(fixture, list, next);
	add_to_word(fixture, fixture_nr_free(0), (end - first) * LEAF_PFNS / 2);
	add_to_word(fixture, FIXTURE_NODE + FIXTURE_ZONE_BYTES + FIXTURE_VM_STAT,
		    (end - first) * LEAF_PFNS / 2);
}
