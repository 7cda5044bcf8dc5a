// SPDX-License-Identifier: Apache-2.0
#include "base.h"

#include "source.h"
#include "tests/unit/guest_arm64.h"

#include "guest/allocator/buddy.h"
#include "guest/kernel/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASES "tests/fuzz/bases/"
#define LOW_PAGES 160
#define DATA_PLACES_MAX 65536

static const struct made_up {
	struct fixture_settings settings;
	bool flat; /* no sections, no NUMA */
} made_up[] = {
	{{0}, false},
	{{.note_edit = "OFFSET(uts_namespace.name)"}, false},
	{{.five_levels = true}, false},
	/* RAM ends within a block of the largest order. */
	{{.not_extreme = true,
	  .bytes = 32 * FIXTURE_MIB - 5 * STORE_PAGE,
	  .note_edit = "NUMBER(MAX_PHYSMEM_BITS)=38"},
	 false},
	{{.note_edit = "NUMBER(sme_mask)=0\nSYMBOL(mem_map)=ffffffff81203040\n"
		       "SYMBOL(contig_page_data)=ffff888001500000"},
	 true},
	/* More than one section. */
	{{.bytes = 256 * FIXTURE_MIB}, false},
	{{.bytes = UINT64_C(7) << 29}, false},
};
static const char *const real[] = {"5.10", "6.1", "6.12", "7"};

#define MADE_UP (sizeof(made_up) / sizeof(made_up[0]))
#define REAL (sizeof(real) / sizeof(real[0]))
#define ARM64 (MADE_UP + REAL + 1) /* behind FUZZ_BASE */

static void give_up(const char *what)
{
	fprintf(stderr, "base: %s\n", what);
	exit(1);
}

static void add_place(struct base *base, enum place_kind kind, uint64_t offset)
{
	struct places *places = &base->places[kind];

	if (offset >= base->store->bytes)
		return;
	if (places->count == places->capacity) {
		places->capacity = places->capacity ? places->capacity * 2 : 64;
		places->items =
			reallocarray(places->items, places->capacity, sizeof(*places->items));
		if (!places->items)
			give_up("no memory");
	}
	places->items[places->count++] = offset;
}

static uint64_t offset_of(const struct base *base, uint64_t gpa)
{
	const struct fcp_guest_region *region =
		fcp_guest_memory_region(&base->kernel->memory, gpa, 1);

	return region ? fcp_guest_region_offset(region, gpa) : UINT64_MAX;
}

static uint64_t word_at(const struct base *base, uint64_t offset)
{
	uint64_t word = 0;

	store_read(base->store, offset, &word, sizeof(word));
	return word;
}

uint64_t base_node(const struct base *base)
{
	const struct fcp_guest_note *note = &base->kernel->note;

	return note->node_data == FCP_GUEST_NONE
		       ? note->contig_page_data
		       : word_at(base, base_offset(base, note->node_data));
}

uint64_t base_direct(const struct base *base, uint64_t gpa)
{
	uint64_t section = base->kernel->note.mem_section;
	uint64_t offset = base_offset(base, section), section_gpa;

	/* mem_section is an array of the image where it is not extreme: a node's address then. */
	if (section >= base->kernel->note.image.start || offset == UINT64_MAX) {
		section = base_node(base);
		offset = base_offset(base, section);
	}
	return fcp_guest_memory_gpa(&base->kernel->memory, offset, &section_gpa)
		       ? section - section_gpa + gpa
		       : gpa;
}

uint64_t base_offset(const struct base *base, uint64_t address)
{
	struct fcp_guest_leaf leaf;
	struct fcp_error err;

	if (fcp_guest_translate(&base->kernel->tables, address, &leaf, &err) < 0)
		return UINT64_MAX;
	return offset_of(base, leaf.gpa + (address - leaf.start));
}

/* ---- the places --------------------------------------------------------------------------- */

static void see_table(void *context, uint64_t gpa)
{
	struct base *base = context;
	uint64_t offset = offset_of(base, gpa);
	const struct places *used = &base->places[PLACE_USED];

	for (unsigned i = 0; i < used->count; i++)
		if (used->items[i] == offset)
			return;
	add_place(base, PLACE_USED, offset);
	for (uint64_t at = offset; at < offset + STORE_PAGE; at += 8)
		if (word_at(base, at) & 1)
			add_place(base, PLACE_ENTRY, at);
}

/* Each page that the range is mapped to, where kind is one; the tables on the way in any case. */
static void see_range(struct base *base, uint64_t address, uint64_t bytes)
{
	for (uint64_t at = address; at < address + bytes; at += STORE_PAGE)
		base_offset(base, at);
}

static void find_sections(struct base *base)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t roots = base_offset(base, note->mem_section == FCP_GUEST_NONE ? note->mem_map
									       : note->mem_section);

	for (unsigned i = 0; i < 8; i++) {
		add_place(base, PLACE_SECTION, roots + i * 8);
		for (unsigned at = 0; word_at(base, roots + i * 8) != 0 && at < 40; at++)
			add_place(base, PLACE_SECTION,
				  base_offset(base, word_at(base, roots + i * 8) + at * 8));
	}
	if (roots != UINT64_MAX)
		add_place(base, PLACE_USED, roots & ~UINT64_C(4095));
}

static void find_zone(struct base *base, uint64_t zone)
{
	const struct fcp_guest_note *note = &base->kernel->note;

	add_place(base, PLACE_ZONE, base_offset(base, zone + note->zone_spanned_pages));
	add_place(base, PLACE_ZONE,
		  base_offset(base, zone + note->zone_vm_stat + note->nr_free_pages * 8));
	for (uint64_t order = 0; order < note->zone_free_area_length; order++)
		for (uint64_t at = 0; at <= note->free_list_length * 16; at += 8)
			add_place(base, PLACE_ZONE,
				  base_offset(base, zone + note->zone_free_area +
							    order * note->free_area_bytes +
							    note->free_area_free_list + at));
}

static void find_nodes(struct base *base)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t node = base_node(base);

	for (unsigned i = 0; i < 4 && note->node_data != FCP_GUEST_NONE; i++)
		add_place(base, PLACE_NODE, base_offset(base, note->node_data + i * 8));
	add_place(base, PLACE_NODE, base_offset(base, node + note->pgdat_nr_zones));
	for (unsigned i = 0; i < 4 && (i + 1) * note->zone_bytes <= note->pgdat_bytes; i++) {
		uint64_t zone = node + note->pgdat_node_zones + i * note->zone_bytes;

		if (word_at(base, base_offset(base, zone + note->zone_spanned_pages)) != 0)
			find_zone(base, zone);
	}
	add_place(base, PLACE_USED, base_offset(base, node) & ~UINT64_C(4095));
}

static void find_low(struct base *base)
{
	for (uint64_t page = 0; page < LOW_PAGES; page++)
		add_place(base, PLACE_TRAMPOLINE, page * STORE_PAGE + STORE_PAGE - 8);
}

static void find_image(struct base *base)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	struct places *data = &base->places[PLACE_DATA];
	uint64_t pointer = base_direct(base, note->gpa);
	struct fcp_range text = {0, 0};
	struct fcp_error err;

	if (fcp_guest_kernel_text(base->kernel, &text, &err) < 0)
		give_up(err.message);
	see_range(base, text.start, text.end - text.start);
	add_place(base, PLACE_USED, base_offset(base, text.start));
	for (unsigned i = 0; i < 25; i++)
		add_place(base, PLACE_NAME,
			  base_offset(base,
				      note->init_uts_ns +
					      (note->uts_name == FCP_GUEST_NONE ? 0
										: note->uts_name) +
					      i * 8));
	for (uint64_t at = text.start; at < text.start + (UINT64_C(64) << 20); at += STORE_PAGE) {
		uint64_t offset = base_offset(base, at);

		for (unsigned i = 0; offset != UINT64_MAX && i < STORE_PAGE; i += 8) {
			if (word_at(base, offset + i) == pointer)
				add_place(base, PLACE_POINTER, offset + i);
			if (at >= text.end && data->count < DATA_PLACES_MAX &&
			    word_at(base, offset + i) != 0)
				add_place(base, PLACE_DATA, offset + i);
		}
	}
}

static void find_pages(struct base *base)
{
	const struct fcp_guest_memory *memory = &base->kernel->memory;
	struct fcp_guest_blocks blocks;
	struct fcp_error err;
	bool fault;

	if (fcp_guest_blocks_find(base->memmap, -1, &blocks, &fault, &err) < 0)
		give_up(err.message);
	base->head_pfns = calloc(blocks.head_count + 1, sizeof(*base->head_pfns));
	for (uint64_t i = 0; base->head_pfns && i < blocks.head_count; i++) {
		uint64_t pfn = blocks.heads[i].pfn;

		base->head_pfns[base->places[PLACE_HEAD].count] = pfn;
		add_place(base, PLACE_HEAD,
			  base_offset(base, fcp_guest_memmap_address(base->memmap, pfn)));
		add_place(base, PLACE_FREE, offset_of(base, pfn * STORE_PAGE));
	}
	fcp_guest_blocks_clear(&blocks);
	for (unsigned i = 0; i < memory->region_count; i++) {
		uint64_t first = memory->regions[i].gpa / STORE_PAGE;

		for (uint64_t at = 0; at < memory->regions[i].bytes / STORE_PAGE; at++) {
			uint64_t address = fcp_guest_memmap_address(base->memmap, first + at);

			if (address == 0)
				continue;
			add_place(base, PLACE_PAGE, base_offset(base, address));
			if (at % 64 == 0)
				add_place(base, PLACE_USED,
					  base_offset(base, address) & ~UINT64_C(4095));
		}
	}
}

static void find_places(struct base *base)
{
	fcp_guest_tables_copy(&base->kernel->tables, &base->kernel->tables);
	base->kernel->tables.on_table = see_table;
	base->kernel->tables.context = base;
	add_place(base, PLACE_USED, base->note);
	add_place(base, PLACE_USED, 0);
	find_sections(base);
	find_nodes(base);
	find_low(base);
	find_image(base);
	find_pages(base);
	base->kernel->tables.on_table = NULL;
}

/* ---- the memories ------------------------------------------------------------------------- */

/* Takes mem_section and node_data away: mem_map and contig_page_data stand in for them. */
static void make_flat(struct store *store)
{
	static const char *const keys[] = {"SYMBOL(mem_section)", "SYMBOL(node_data)"};
	const uint64_t memmap = UINT64_C(0xffffea0000000000);
	char text[STORE_PAGE];

	store_write(store, FIXTURE_BSS + 0x40, &memmap, sizeof(memmap));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at;

		store_read(store, FIXTURE_NOTE, text, sizeof(text));
		at = memmem(text, sizeof(text), keys[i], strlen(keys[i]));
		if (!at)
			give_up("fixture: note");
		store_write(store, FIXTURE_NOTE + (uint64_t)(at - text), "X", 1);
	}
}

/* NULL: the arm64 one. */
static struct store *copy_fixture(const struct made_up *made)
{
	struct fixture fixture;
	struct store *store;
	uint8_t page[STORE_PAGE];

	if (made)
		fixture_build(&fixture, &made->settings);
	else
		arm64_build(&fixture, &(struct arm64_settings){.command_line = "quiet"});
	store = store_new(fixture.settings.bytes);
	for (off_t at = 0; (at = lseek(fixture.fd, at, SEEK_DATA)) >= 0; at += STORE_PAGE)
		if (pread(fixture.fd, page, sizeof(page), at) != (ssize_t)sizeof(page) ||
		    !store_write(store, (uint64_t)at, page, sizeof(page)))
			give_up("fixture");
	fixture_close(&fixture);
	if (made && made->flat)
		make_flat(store);
	return store;
}

struct store *base_load(const char *path)
{
	bool packed = strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".gz") == 0;
	struct base_header header;
	uint8_t page[STORE_PAGE];
	struct store *store;
	char command[512];
	uint32_t number;
	FILE *file;

	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	file = packed ? popen(command, "re") : fopen(path, "re");
	if (!file || fread(&header, sizeof(header), 1, file) != 1 || header.magic != BASE_MAGIC)
		give_up(path);
	store = store_new(header.bytes);
	while (fread(&number, sizeof(number), 1, file) == 1)
		if (fread(page, sizeof(page), 1, file) != 1 ||
		    !store_write(store, (uint64_t)number * STORE_PAGE, page, sizeof(page)))
			give_up(path);
	if ((packed ? pclose(file) : fclose(file)) != 0)
		give_up(path);
	return store;
}

static void open_base_kernel(struct base *base)
{
	struct fcp_guest_search search;
	struct fcp_guest_memory memory;
	struct fcp_error err;
	uint32_t bytes;

	base->kernel = calloc(1, sizeof(*base->kernel));
	base->memmap = calloc(1, sizeof(*base->memmap));
	source_show(base->store);
	if (!base->kernel || !base->memmap || !source_open(&memory, &err) ||
	    fcp_guest_kernel_find(&memory, -1, base->kernel, &search, &err) < 0 ||
	    fcp_guest_memmap_init(base->kernel, base->memmap, &err) < 0)
		give_up(err.message);
	base->note = offset_of(base, base->kernel->note.gpa);
	store_read(base->store, base->note + 4, &bytes, sizeof(bytes));
	base->note_bytes = bytes;
	base->note_text = calloc(1, base->note_bytes + 1);
	if (!base->note_text ||
	    !store_read(base->store, base->note + 24, base->note_text, base->note_bytes))
		give_up("note");
}

/* The big one takes a hundred times as long to scan: one byte in 32. */
static unsigned index_of(uint8_t byte)
{
	if (byte >= BASE_MORE && getenv("FUZZ_BASE"))
		return MADE_UP + REAL;
	if (byte % 32 == 31)
		return MADE_UP - 1;
	if (byte % 32 == 30)
		return ARM64;
	byte %= MADE_UP - 1 + REAL;
	return byte < MADE_UP - 1 ? byte : byte + 1;
}

static struct store *make(unsigned index)
{
	char path[256];

	if (index < MADE_UP)
		return copy_fixture(&made_up[index]);
	if (index == ARM64)
		return copy_fixture(NULL);
	if (index == MADE_UP + REAL)
		return base_load(getenv("FUZZ_BASE"));
	snprintf(path, sizeof(path), BASES "%s.gz", real[index - MADE_UP]);
	return base_load(path);
}

struct base *base_get(uint8_t byte)
{
	static struct base bases[ARM64 + 1];
	unsigned index = index_of(byte);
	struct base *base = &bases[index];

	if (base->store)
		return base;
	base->store = make(index);
	open_base_kernel(base);
	find_places(base);
	store_seal(base->store);
	return base;
}
