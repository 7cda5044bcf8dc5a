// SPDX-License-Identifier: Apache-2.0
#include "guest_fixture.h"

#include <linux/falloc.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define GIB (UINT64_C(1) << 30)
#define IMAGE UINT64_C(0xffffffff80000000)
#define DIRECT_4 UINT64_C(0xffff888000000000)
#define DIRECT_NARROW UINT64_C(0xffffff8100000000)
#define DIRECT_5 UINT64_C(0xff11000000000000)
#define VMEMMAP_4 UINT64_C(0xffffea0000000000)
#define VMEMMAP_NARROW UINT64_C(0xffffffe000000000)
#define VMEMMAP_5 UINT64_C(0xffd4000000000000)
#define TABLE UINT64_C(0x63)		/* present, writable, accessed, dirty */
#define DATA (UINT64_C(1) << 63 | 0x63) /* and not executable */
#define TEXT UINT64_C(0x61)
#define LARGE UINT64_C(0x80)
#define SECTION_BITS 27
#define ROOTS 16	 /* of mem_section: 32 GiB each */
#define MEMMAP_PFNS 8192 /* of the first 32 MiB */
#define FIXTURE_ONE_TABLE (FIXTURE_REST + 4 * FIXTURE_MIB)

/* Heads of free blocks: neighbours, a list of several, a type of its own, a large one. */
const struct fixture_block fixture_blocks[] = {
	{0x200, 3, 0}, {0x209, 0, 0}, {0x20c, 2, 1}, {0x220, 0, 0},  {0x222, 1, 0},
	{0x240, 6, 0}, {0x300, 0, 1}, {0x302, 0, 0}, {0x400, 10, 0}, {0x800, 10, 1},
	{0xc00, 9, 0}, {0xe10, 4, 0}, {0xf00, 7, 0},
};
const unsigned fixture_block_count = sizeof(fixture_blocks) / sizeof(fixture_blocks[0]);

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* RAM lies below the hole, and from 4 GiB on. */
static uint64_t offset_of(const struct fixture *fixture, uint64_t gpa)
{
	return gpa < fixture->settings.low_hole ? gpa : gpa - 4 * GIB + fixture->settings.low_hole;
}

void fixture_write(struct fixture *fixture, uint64_t gpa, const void *bytes, size_t length)
{
	if (pwrite(fixture->fd, bytes, length, (off_t)offset_of(fixture, gpa)) != (ssize_t)length)
		give_up("fixture: write");
}

void fixture_read(struct fixture *fixture, uint64_t gpa, void *bytes, size_t length)
{
	if (pread(fixture->fd, bytes, length, (off_t)offset_of(fixture, gpa)) != (ssize_t)length)
		give_up("fixture: read");
}

void fixture_write_word(struct fixture *fixture, uint64_t gpa, uint64_t word)
{
	fixture_write(fixture, gpa, &word, sizeof(word));
}

void fixture_write_half(struct fixture *fixture, uint64_t gpa, uint32_t half)
{
	fixture_write(fixture, gpa, &half, sizeof(half));
}

uint64_t fixture_read_word(struct fixture *fixture, uint64_t gpa)
{
	uint64_t word;

	fixture_read(fixture, gpa, &word, sizeof(word));
	return word;
}

void fixture_punch(struct fixture *fixture, uint64_t gpa, uint64_t length)
{
	if (fallocate(fixture->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)offset_of(fixture, gpa), (off_t)length) < 0)
		give_up("fixture: punch");
}

uint64_t fixture_page(uint64_t pfn)
{
	uint64_t bytes = pfn * FIXTURE_PAGE_BYTES;
	uint64_t last = MEMMAP_PFNS * FIXTURE_PAGE_BYTES / PAGE - 1;

	/* In reverse: no two neighbours of the memmap are neighbours in RAM. */
	return FIXTURE_MEMMAP + (last - bytes / PAGE) * PAGE + bytes % PAGE;
}

static uint64_t vmemmap(const struct fixture *fixture)
{
	if (fixture->settings.narrow)
		return VMEMMAP_NARROW;
	return fixture->settings.five_levels ? VMEMMAP_5 : VMEMMAP_4;
}

uint64_t fixture_page_address(const struct fixture *fixture, uint64_t pfn)
{
	return vmemmap(fixture) + pfn * FIXTURE_PAGE_BYTES;
}

uint64_t fixture_direct(const struct fixture *fixture, uint64_t gpa)
{
	if (fixture->settings.narrow)
		return DIRECT_NARROW + gpa;
	return (fixture->settings.five_levels ? DIRECT_5 : DIRECT_4) + gpa;
}

/* The second zone is the one with pages. */
static uint64_t zone_gpa(void)
{
	return FIXTURE_NODE + FIXTURE_ZONE_BYTES;
}

uint64_t fixture_list(unsigned order, unsigned type)
{
	return zone_gpa() + FIXTURE_FREE_AREA + order * FIXTURE_AREA_BYTES + type * 16;
}

uint64_t fixture_list_address(const struct fixture *fixture, unsigned order, unsigned type)
{
	return fixture_direct(fixture, fixture_list(order, type));
}

uint64_t fixture_nr_free(unsigned order)
{
	return fixture_list(order, FIXTURE_TYPES);
}

/* The entry of a virtual address at a level; makes the tables on the way. */
static uint64_t entry_of(struct fixture *fixture, uint64_t address, unsigned level)
{
	uint64_t table = FIXTURE_ROOT;

	for (unsigned at = fixture->settings.five_levels ? 4 : 3;; at--) {
		uint64_t entry = table + (address >> (12 + 9 * at)) % 512 * 8;
		uint64_t next;

		if (at == level)
			return entry;
		next = fixture_read_word(fixture, entry);
		if (next == 0) {
			next = (FIXTURE_TABLES + fixture->tables_used++ * PAGE) | TABLE;
			fixture_write_word(fixture, entry, next);
		}
		table = next & UINT64_C(0x000ffffffffff000);
	}
}

static void map(struct fixture *fixture, uint64_t address, uint64_t gpa, unsigned level,
		uint64_t bits)
{
	fixture_write_word(fixture, entry_of(fixture, address, level),
			   gpa | bits | (level > 0 ? LARGE : 0));
}

/* A large leaf of the memmap, from the second on; see enum fixture_rest. */
static void map_large(struct fixture *fixture, uint64_t pfn)
{
	uint64_t address = fixture_page_address(fixture, pfn);
	uint64_t hole = fixture->settings.bytes / 2 + pfn * FIXTURE_PAGE_BYTES;

	if (fixture->settings.rest == FIXTURE_REST_HOLE)
		map(fixture, address, hole, 1, DATA);
	else if (fixture->settings.rest == FIXTURE_REST_ONE_LEAF)
		map(fixture, address, FIXTURE_REST, 1, DATA);
	else
		fixture_write_word(fixture, entry_of(fixture, address, 1),
				   FIXTURE_ONE_TABLE | TABLE);
}

/* The memmap from 32 MiB up to the end of RAM. */
static void map_rest(struct fixture *fixture, uint64_t end_pfn)
{
	uint64_t spare = FIXTURE_MEMMAP + MEMMAP_PFNS * FIXTURE_PAGE_BYTES;
	uint64_t large_pfns = 2 * FIXTURE_MIB / FIXTURE_PAGE_BYTES;
	uint64_t pfn = MEMMAP_PFNS;

	for (; pfn < end_pfn; pfn += PAGE / FIXTURE_PAGE_BYTES) {
		if (fixture->settings.rest != FIXTURE_REST_IN_USE && pfn == large_pfns)
			break;
		map(fixture, fixture_page_address(fixture, pfn), spare, 0, DATA);
	}
	for (; pfn < end_pfn; pfn += large_pfns)
		map_large(fixture, pfn);
	for (unsigned i = 0; i < 512 && fixture->settings.rest == FIXTURE_REST_ONE_PAGE; i++)
		fixture_write_word(fixture, FIXTURE_ONE_TABLE + i * 8, FIXTURE_REST | DATA);
}

static void build_tables(struct fixture *fixture)
{
	uint64_t end = fixture->settings.bytes <= fixture->settings.low_hole
			       ? fixture->settings.bytes
			       : 4 * GIB + fixture->settings.bytes - fixture->settings.low_hole;

	for (unsigned i = 0; i < FIXTURE_TEXT_PAGES; i++)
		map(fixture, IMAGE + FIXTURE_TEXT + i * PAGE, FIXTURE_TEXT + i * PAGE, 0, TEXT);
	map(fixture, IMAGE + FIXTURE_DATA, FIXTURE_DATA, 1, DATA);
	/* All RAM in leaves of 1 GiB, the first in leaves of 2 MiB. */
	for (uint64_t at = 0; at < GIB && at < end; at += 2 * FIXTURE_MIB)
		map(fixture, fixture_direct(fixture, at), at, 1, DATA);
	for (uint64_t at = GIB; at < end; at += GIB)
		map(fixture, fixture_direct(fixture, at), at, 2, DATA);
	for (uint64_t pfn = 0; pfn < MEMMAP_PFNS; pfn += PAGE / FIXTURE_PAGE_BYTES)
		map(fixture, fixture_page_address(fixture, pfn), fixture_page(pfn), 0, DATA);
	map_rest(fixture, end / PAGE);
	if (!fixture->settings.no_trampoline)
		fixture_put_trampoline(fixture, 0, FIXTURE_TRAMPOLINE);
}

void fixture_put_trampoline(struct fixture *fixture, uint64_t base, uint64_t gpa)
{
	fixture_write_word(fixture, gpa + 511 * 8,
			   fixture_read_word(fixture, FIXTURE_ROOT + base + 511 * 8));
}

static void build_image(struct fixture *fixture)
{
	unsigned char text[PAGE];
	char uts[6 * 65] = "Linux";

	memset(text, 0xcc, sizeof(text));
	for (unsigned i = 0; i < FIXTURE_TEXT_PAGES; i++)
		fixture_write(fixture, FIXTURE_TEXT + i * PAGE, text, sizeof(text));
	strcpy(uts + 2 * 65, FIXTURE_RELEASE);
	fixture_write(fixture, FIXTURE_UTS, uts, sizeof(uts));
	fixture_write_word(fixture, FIXTURE_NODE_DATA, fixture_direct(fixture, FIXTURE_NODE));
	if (!fixture->settings.no_pointer)
		fixture_write_word(fixture, FIXTURE_BSS + 8, fixture_direct(fixture, FIXTURE_NOTE));
	fixture_write(fixture, 0, "\xff", 1);
}

static void build_sections(struct fixture *fixture)
{
	uint64_t bytes = fixture->settings.bytes, low = fixture->settings.low_hole;
	uint64_t in_low = bytes < low ? bytes : low;
	uint64_t at = fixture->settings.not_extreme ? FIXTURE_SECTION_ROOTS : FIXTURE_SECTIONS;

	for (unsigned i = 0; i < ROOTS && !fixture->settings.not_extreme; i++)
		fixture_write_word(fixture, FIXTURE_SECTION_ROOTS + i * 8,
				   fixture_direct(fixture, FIXTURE_SECTIONS + i * PAGE));
	for (uint64_t gpa = 0; gpa < in_low; gpa += UINT64_C(1) << SECTION_BITS)
		fixture_write_word(fixture, at + (gpa >> SECTION_BITS) * 16,
				   vmemmap(fixture) | 0xf);
	for (uint64_t gpa = 4 * GIB; gpa < 4 * GIB + bytes - in_low;
	     gpa += UINT64_C(1) << SECTION_BITS)
		fixture_write_word(fixture, at + (gpa >> SECTION_BITS) * 16,
				   vmemmap(fixture) | 0xf);
}

/* Every other page free: each a block, a head and a range of its own. */
static void build_rest(struct fixture *fixture)
{
	unsigned char page[FIXTURE_PAGE_BYTES] = {0};
	uint64_t bytes = fixture->settings.rest == FIXTURE_REST_ONE_LEAF ? 2 * FIXTURE_MIB : PAGE;
	uint32_t buddy = FIXTURE_BUDDY;

	if (fixture->settings.rest < FIXTURE_REST_ONE_LEAF)
		return;
	memcpy(page + FIXTURE_MAPCOUNT, &buddy, sizeof(buddy));
	for (uint64_t at = 0; at < bytes; at += 2 * FIXTURE_PAGE_BYTES)
		fixture_write(fixture, FIXTURE_REST + at, page, sizeof(page));
}

static void build_memmap(struct fixture *fixture)
{
	unsigned char in_use[FIXTURE_PAGE_BYTES] = {0};
	uint32_t mapcount = UINT32_MAX, refcount = 1;

	memcpy(in_use + FIXTURE_MAPCOUNT, &mapcount, sizeof(mapcount));
	memcpy(in_use + FIXTURE_REFCOUNT, &refcount, sizeof(refcount));
	for (uint64_t pfn = 0; pfn < MEMMAP_PFNS; pfn++)
		fixture_write(fixture, fixture_page(pfn), in_use, sizeof(in_use));
	for (unsigned i = 0; i < PAGE / FIXTURE_PAGE_BYTES; i++)
		fixture_write(fixture, FIXTURE_MEMMAP + (MEMMAP_PFNS + i) * FIXTURE_PAGE_BYTES,
			      in_use, sizeof(in_use));
}

/* Puts the block at the head of its list. */
static void add_block(struct fixture *fixture, const struct fixture_block *block)
{
	uint64_t list = fixture_list(block->order, block->type);
	uint64_t link = fixture_page_address(fixture, block->pfn) + FIXTURE_LRU;
	uint64_t page = fixture_page(block->pfn);

	fixture_write_half(fixture, page + FIXTURE_MAPCOUNT, FIXTURE_BUDDY);
	fixture_write_half(fixture, page + FIXTURE_REFCOUNT, 0);
	fixture_write_word(fixture, page + FIXTURE_PRIVATE, block->order);
	fixture_write_word(fixture, page + FIXTURE_LRU, fixture_read_word(fixture, list));
	fixture_write_word(fixture, list, link);
	fixture_write_word(fixture, fixture_nr_free(block->order),
			   fixture_read_word(fixture, fixture_nr_free(block->order)) + 1);
	fixture_write_word(fixture, zone_gpa() + FIXTURE_VM_STAT,
			   fixture_read_word(fixture, zone_gpa() + FIXTURE_VM_STAT) +
				   (UINT64_C(1) << block->order));
}

static void build_zones(struct fixture *fixture)
{
	unsigned char old[PAGE];

	fixture_write_half(fixture, FIXTURE_NODE + 4096, 2); /* nr_zones */
	fixture_write_word(fixture, zone_gpa() + FIXTURE_SPANNED, fixture->settings.bytes / PAGE);
	for (unsigned order = 0; order < FIXTURE_ORDERS; order++)
		for (unsigned type = 0; type < FIXTURE_TYPES; type++)
			fixture_write_word(fixture, fixture_list(order, type),
					   fixture_list_address(fixture, order, type));
	for (unsigned i = 0; i < fixture_block_count; i++) {
		add_block(fixture, &fixture_blocks[i]);
		/* What was there before it was freed. */
		memset(old, (int)(0x40 + i), sizeof(old));
		fixture_write(fixture, fixture_blocks[i].pfn * PAGE, old, sizeof(old));
	}
}

static const char *const note_lines[] = {
	("OSRELEASE=" FIXTURE_RELEASE),
	"PAGESIZE=4096",
	"SYMBOL(init_uts_ns)=ffffffff81201000",
	"OFFSET(uts_namespace.name)=0",
	"SYMBOL(swapper_pg_dir)=ffffffff81200000",
	"SYMBOL(_stext)=ffffffff81000000",
	"LENGTH(mem_section)=2048",
	"SIZE(mem_section)=16",
	"OFFSET(mem_section.section_mem_map)=0",
	"NUMBER(SECTION_SIZE_BITS)=27",
	"NUMBER(MAX_PHYSMEM_BITS)=46",
	"SIZE(page)=64",
	"OFFSET(page.flags)=0",
	"OFFSET(page._refcount)=52",
	"OFFSET(page.mapping)=24",
	"OFFSET(page.lru)=8",
	"OFFSET(page._mapcount)=48",
	"OFFSET(page.private)=40",
	"OFFSET(page.compound_head)=8",
	"SIZE(pglist_data)=8192",
	"OFFSET(pglist_data.node_zones)=0",
	"OFFSET(pglist_data.nr_zones)=4096",
	"SIZE(zone)=1024",
	"OFFSET(zone.free_area)=128",
	"OFFSET(zone.vm_stat)=896",
	"OFFSET(zone.spanned_pages)=120",
	"LENGTH(zone.free_area)=11",
	"SIZE(free_area)=40",
	"OFFSET(free_area.free_list)=0",
	"LENGTH(free_area.free_list)=2",
	"SIZE(list_head)=16",
	"OFFSET(list_head.next)=0",
	"OFFSET(list_head.prev)=8",
	"NUMBER(NR_FREE_PAGES)=0",
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129",
	"NUMBER(PG_lru)=4",
	"NUMBER(PG_swapbacked)=19",
	"NUMBER(PG_slab)=9",
	"NUMBER(PG_head_mask)=65536",
	"NUMBER(phys_base)=0",
	"SYMBOL(node_data)=ffffffff81202000",
	"LENGTH(node_data)=4",
	"NUMBER(sme_mask)=0",
};

/* The line that stands for it in the note: the edit where it is of the same key; NULL takes it out.
 */
static const char *edited(const char *line, const char *edit)
{
	size_t length = edit ? strcspn(edit, "=") : 0;

	if (!edit || strncmp(line, edit, length) != 0 || line[length] != '=')
		return line;
	return edit[length] ? edit : NULL;
}

/* The note of the kernel at base; release NULL: the first one's. */
static void build_note(struct fixture *fixture, uint64_t base, const char *release)
{
	struct {
		uint32_t sizes[3];
		char name[12];
		char text[6000];
	} note = {.name = "VMCOREINFO"};
	size_t length = 0;
	char more[2][80], own[2][80];

	snprintf(own[0], sizeof(own[0]), "OSRELEASE=%s", release ? release : FIXTURE_RELEASE);
	snprintf(own[1], sizeof(own[1]), "NUMBER(phys_base)=%llu", (unsigned long long)base);
	snprintf(more[0], sizeof(more[0]), "SYMBOL(mem_section)=%llx",
		 (unsigned long long)fixture_direct(fixture, FIXTURE_SECTION_ROOTS + base));
	snprintf(more[1], sizeof(more[1]), "NUMBER(pgtable_l5_enabled)=%d",
		 fixture->settings.five_levels);
	for (size_t i = 0; i < sizeof(note_lines) / sizeof(note_lines[0]) + 2; i++) {
		size_t known = sizeof(note_lines) / sizeof(note_lines[0]);
		const char *line = edited(i < known ? note_lines[i] : more[i - known],
					  fixture->settings.note_edit);

		for (unsigned at = 0; at < 2 && line && release; at++)
			line = edited(line, own[at]);

		if (line)
			length += (size_t)snprintf(note.text + length, sizeof(note.text) - length,
						   "%s\n", line);
	}
	note.sizes[0] = 11;
	note.sizes[1] = (uint32_t)length;
	fixture_write(fixture, FIXTURE_NOTE + base, &note, 24 + length);
}

/*
 * The word of the kernel at base that stands where word stood in the first one: page table entries
 * and direct addresses lead to the copy. Of the large leaves only the image's data is its own (and
 * with it the same leaf of the direct map, through which nothing is read).
 */
static uint64_t moved(const struct fixture *fixture, uint64_t word, uint64_t base)
{
	uint64_t direct = fixture_direct(fixture, 0);
	uint64_t address = word & UINT64_C(0x000ffffffffff000);
	uint64_t bits = word & 0xfff;

	if (word - direct >= FIXTURE_TEXT && word - direct < FIXTURE_END)
		return word + base;
	if (bits == (TABLE | LARGE))
		return address == FIXTURE_DATA ? word + base : word;
	if ((bits == TABLE || bits == TEXT) && address >= FIXTURE_TEXT && address < FIXTURE_END)
		return word + base;
	return word;
}

void fixture_add_kernel(struct fixture *fixture, uint64_t base, const char *release)
{
	static const uint64_t none[PAGE / 8];
	uint64_t words[PAGE / 8];
	char name[65] = "";

	for (uint64_t gpa = FIXTURE_TEXT; gpa < FIXTURE_END; gpa += PAGE) {
		fixture_read(fixture, gpa, words, sizeof(words));
		if (memcmp(words, none, sizeof(words)) == 0)
			continue;
		for (unsigned i = 0; i < PAGE / 8; i++)
			words[i] = moved(fixture, words[i], base);
		fixture_write(fixture, gpa + base, words, sizeof(words));
	}
	snprintf(name, sizeof(name), "%s", release);
	fixture_write(fixture, FIXTURE_UTS + base + 2 * 65, name, sizeof(name));
	build_note(fixture, base, release);
}

void fixture_build(struct fixture *fixture, const struct fixture_settings *settings)
{
	*fixture =
		(struct fixture){.fd = memfd_create("guest", MFD_CLOEXEC), .settings = *settings};
	if (fixture->settings.bytes == 0)
		fixture->settings.bytes = 32 * FIXTURE_MIB;
	if (fixture->settings.low_hole == 0)
		fixture->settings.low_hole = 3 * GIB;
	if (fixture->fd < 0 || ftruncate(fixture->fd, (off_t)fixture->settings.bytes) < 0)
		give_up("fixture: memfd");
	build_image(fixture);
	build_tables(fixture);
	build_sections(fixture);
	build_memmap(fixture);
	build_rest(fixture);
	build_zones(fixture);
	build_note(fixture, 0, NULL);
}

void fixture_close(struct fixture *fixture)
{
	close(fixture->fd);
	fixture->fd = -1;
}

int fixture_find(struct fixture *fixture, enum fcp_holes holes, struct fcp_guest_free *free_,
		 struct fcp_error *err)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct fcp_guest_memory memory;

	*free_ = (struct fcp_guest_free){0};
	if (fcp_guest_memory_open_file(fixture->fd, holes, -1, &memory, err) < 0)
		return -1;
	return fcp_guest_find_free(&memory, &settings, free_, err);
}
