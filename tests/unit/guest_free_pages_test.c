// SPDX-License-Identifier: Apache-2.0
/* The whole reader over a made-up guest: what it finds, and that each gate refuses. */
#include "guest_fixture.h"
#include "tap.h"

#include <sys/mman.h>
#include <unistd.h>

/* What is done to a good memory before the scan. */
typedef void breaks(struct fixture *fixture);

static bool block_free(const struct fcp_ranges *ranges, const struct fixture_block *block)
{
	uint64_t start = block->pfn * 4096, end = start + (UINT64_C(4096) << block->order);

	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].start <= start && end <= ranges->items[i].end)
			return true;
	return false;
}

static void finds(const struct fixture_settings *settings, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};
	struct fixture fixture;
	uint64_t pages = 0;
	bool all = true;

	fixture_build(&fixture, settings);
	if (!ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0, "%s", what))
		printf("# %s\n", err.message);
	for (unsigned i = 0; i < fixture_block_count; i++) {
		all &= block_free(&found.ranges, &fixture_blocks[i]);
		pages += UINT64_C(1) << fixture_blocks[i].order;
	}
	ok(all, "%s: every block is in the ranges", what);
	is_u64(found.free_bytes, pages * 4096, "the bytes of all blocks");
	is_u64(fcp_ranges_bytes(&found.ranges), pages * 4096, "and the ranges hold no more");
	is_str(found.release, FIXTURE_RELEASE, "the kernel's release");
	ok(found.found_by_pointer == !settings->no_pointer, "found by pointer where there is one");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void found_in_all_shapes(void)
{
	finds(&(struct fixture_settings){0}, "four levels");
	finds(&(struct fixture_settings){.five_levels = true}, "five levels");
	finds(&(struct fixture_settings){.no_pointer = true}, "by the search of all pages");
	finds(&(struct fixture_settings){.not_extreme = true,
					 .note_edit = "LENGTH(mem_section)=524288"},
	      "SPARSEMEM not extreme");
	finds(&(struct fixture_settings){.note_edit = "OFFSET(uts_namespace.name)"},
	      "a note that does not say where the names lie");
	finds(&(struct fixture_settings){.note_edit =
						 "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=4294967167"},
	      "PAGE_BUDDY_MAPCOUNT_VALUE printed as unsigned");
	finds(&(struct fixture_settings){.bytes = UINT64_C(7) << 29}, "3.5 GiB, the hole at 3 GiB");
	finds(&(struct fixture_settings){.bytes = UINT64_C(7) << 29,
					 .low_hole = UINT64_C(13) << 28},
	      "3.5 GiB, the hole at 3.25 GiB");
}

/* The gate refuses by name, no range comes out, what is looked at later is not reached. */
static void refuses_with(const struct fixture_settings *settings, breaks *damage,
			 enum fcp_guest_gate_id gate, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};
	struct fixture fixture;
	const char *name = fcp_guest_gate_name(gate);

	fixture_build(&fixture, settings);
	if (damage)
		damage(&fixture);
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && found.ranges.count == 0,
	   "%s: %s refuses", what, name);
	ok(strncmp(err.message, name, strlen(name)) == 0 && err.message[strlen(name)] == ':',
	   "its name begins the message");
	ok(found.gates[gate].state == FCP_GATE_FAILED && found.gates[gate].reason[0] != '\0',
	   "it is the gate that failed, with a reason");
	for (unsigned i = gate + 1u; i < FCP_GUEST_GATES; i++)
		if (found.gates[i].state != FCP_GATE_NOT_REACHED)
			ok(false, "%s was not reached", found.gates[i].name);
	printf("# %s\n", err.message);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void refuses(breaks *damage, enum fcp_guest_gate_id gate, const char *what)
{
	refuses_with(&(struct fixture_settings){0}, damage, gate, what);
}

static void no_note(struct fixture *fixture)
{
	fixture_write_word(fixture, FIXTURE_NOTE, 0);
}

/* A note of other text that leads to the same kernel. */
static void second_note(struct fixture *fixture)
{
	char note[4096];

	fixture_read(fixture, FIXTURE_NOTE, note, sizeof(note));
	memcpy(strstr(note + 24, "NUMBER(sme_mask)"), "NUMBER(sme_musk)", 16);
	fixture_write(fixture, 26 * FIXTURE_MIB, note, sizeof(note));
}

static void many_notes(struct fixture *fixture)
{
	char head[64];

	fixture_read(fixture, FIXTURE_NOTE, head, sizeof(head));
	for (unsigned i = 0; i < 300; i++)
		fixture_write(fixture, 26 * FIXTURE_MIB + i * 8192, head, sizeof(head));
}

static void other_release(struct fixture *fixture)
{
	fixture_write(fixture, FIXTURE_UTS + 130, "6.2", 3);
}

static void cyclic_tables(struct fixture *fixture)
{
	fixture_write_word(fixture, FIXTURE_ROOT + 511 * 8, FIXTURE_ROOT | 0x63);
}

static void text_is_hole(struct fixture *fixture)
{
	fixture_punch(fixture, FIXTURE_TEXT, FIXTURE_TEXT_PAGES / 2 * 4096);
}

static void no_section(struct fixture *fixture)
{
	fixture_write_word(fixture, FIXTURE_SECTIONS, 1); /* present, but it has no map */
}

static void memmap_nowhere(struct fixture *fixture)
{
	fixture_write_word(fixture, FIXTURE_SECTIONS, UINT64_C(0xfffff00000000003));
}

static void order_too_large(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_page(0x400) + FIXTURE_PRIVATE, 11);
}

static void order_misaligned(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_page(0x209) + FIXTURE_PRIVATE, 1);
}

static void referenced(struct fixture *fixture)
{
	fixture_write_half(fixture, fixture_page(0x200) + FIXTURE_REFCOUNT, 1);
}

static void mapped(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_page(0x200) + FIXTURE_MAPPING, 0x1001);
}

static void beyond_ram(struct fixture *fixture)
{
	fixture_write_half(fixture, fixture_page(0x1fff) + FIXTURE_MAPCOUNT, FIXTURE_BUDDY);
	fixture_write_half(fixture, fixture_page(0x1ffe) + FIXTURE_MAPCOUNT, FIXTURE_BUDDY);
	fixture_write_half(fixture, fixture_page(0x1ffe) + FIXTURE_REFCOUNT, 0);
	fixture_write_word(fixture, fixture_page(0x1ffe) + FIXTURE_PRIVATE, 1);
	if (ftruncate(fixture->fd, 0x1fff000) < 0)
		perror("ftruncate");
}

static void list_cycle(struct fixture *fixture)
{
	/* 0x302 -> 0x220 -> 0x209 of order 0: the last leads back to the first. */
	fixture_write_word(fixture, fixture_page(0x209) + FIXTURE_LRU,
			   fixture_page_address(fixture, 0x302) + FIXTURE_LRU);
}

static void list_astray(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_list(10, 0), 0x1000);
}

static void list_empty(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_list(0, 0), fixture_list_address(fixture, 0, 0));
}

static void unmarked_on_list(struct fixture *fixture)
{
	fixture_write_half(fixture, fixture_page(0x400) + FIXTURE_MAPCOUNT, UINT32_MAX);
	fixture_write_half(fixture, fixture_page(0x209) + FIXTURE_MAPCOUNT, UINT32_MAX);
}

static void other_order_on_list(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_page(0x400) + FIXTURE_PRIVATE, 9);
}

static void count_off(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_nr_free(10), 7);
}

static void sum_off(struct fixture *fixture)
{
	fixture_write_word(fixture, FIXTURE_NODE + FIXTURE_ZONE_BYTES + FIXTURE_VM_STAT, 200000);
}

static void zones_nonsense(struct fixture *fixture)
{
	fixture_write_half(fixture, FIXTURE_NODE + 4096, 0x7fffffff);
}

/* The memmap and the lists agree: where this block lies, the kernel has something else. */
static void move_block(struct fixture *fixture, uint64_t pfn)
{
	unsigned char page[FIXTURE_PAGE_BYTES];

	fixture_read(fixture, fixture_page(0x300), page, sizeof(page));
	fixture_write(fixture, fixture_page(pfn), page, sizeof(page));
	fixture_write_half(fixture, fixture_page(0x300) + FIXTURE_MAPCOUNT, UINT32_MAX);
	fixture_write_word(fixture, fixture_list(0, 1),
			   fixture_page_address(fixture, pfn) + FIXTURE_LRU);
}

static void text_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_TEXT / 4096 + 5);
}

static void note_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_NOTE / 4096);
}

static void table_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_TABLES / 4096);
}

static void memmap_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_MEMMAP / 4096 + 3);
}

static void node_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_NODE / 4096 + 1);
}

static void data_free(struct fixture *fixture)
{
	move_block(fixture, FIXTURE_UTS / 4096);
}

static void frame_0_free(struct fixture *fixture)
{
	move_block(fixture, 0);
}

static void boot_params_free(struct fixture *fixture)
{
	fixture_write(fixture, 0x7202, "HdrS", 4);
	move_block(fixture, 7);
}

static void poisoned(struct fixture *fixture)
{
	unsigned char page[4096];

	memset(page, 0xaa, sizeof(page));
	for (unsigned i = 0; i < fixture_block_count; i++)
		for (uint64_t at = 0; at < UINT64_C(1) << fixture_blocks[i].order; at++)
			fixture_write(fixture, (fixture_blocks[i].pfn + at) * 4096, page,
				      sizeof(page));
}

static void poison_asked(struct fixture *fixture)
{
	static const char line[] = "console=ttyS0 page_poison=1 quiet";

	fixture_write(fixture, 0x7202, "HdrS", 4);
	fixture_write_half(fixture, 0x7228, 0x20000);
	fixture_write(fixture, 0x20000, line, sizeof(line));
}

static void gates_refuse(void)
{
	refuses(no_note, FCP_GUEST_GATE_VMCOREINFO, "no note");
	refuses_with(&(struct fixture_settings){.no_pointer = true}, second_note,
		     FCP_GUEST_GATE_VMCOREINFO, "two notes that pass");
	refuses_with(&(struct fixture_settings){.no_pointer = true}, many_notes,
		     FCP_GUEST_GATE_VMCOREINFO, "hundreds of notes");
	refuses_with(&(struct fixture_settings){.note_edit = "SIZE(page)"}, NULL,
		     FCP_GUEST_GATE_VMCOREINFO, "a key is missing");
	refuses_with(&(struct fixture_settings){.note_edit = "SIZE(zone)=99999999"}, NULL,
		     FCP_GUEST_GATE_VMCOREINFO, "a value is implausible");
	refuses_with(&(struct fixture_settings){.note_edit = "OFFSET(page.private)=60"}, NULL,
		     FCP_GUEST_GATE_VMCOREINFO, "a member beyond its structure");
	refuses_with(&(struct fixture_settings){.note_edit = "NUMBER(sme_mask)=140737488355328"},
		     NULL, FCP_GUEST_GATE_ENCRYPTION, "memory encryption");
	refuses_with(&(struct fixture_settings){.note_edit = "NUMBER(sme_mask)=0xffffffffffffffff"},
		     NULL, FCP_GUEST_GATE_VMCOREINFO, "a mask of all ones");
	refuses_with(&(struct fixture_settings){.note_edit = "NUMBER(phys_base)=4096"}, NULL,
		     FCP_GUEST_GATE_PAGE_TABLES, "_stext elsewhere");
	refuses(other_release, FCP_GUEST_GATE_PAGE_TABLES, "another release");
	refuses(cyclic_tables, FCP_GUEST_GATE_PAGE_TABLES, "page tables in a circle");
	refuses(text_is_hole, FCP_GUEST_GATE_HOLES, "holes over the text");
	refuses(no_section, FCP_GUEST_GATE_MEMMAP, "no section has a map");
	refuses(memmap_nowhere, FCP_GUEST_GATE_MEMMAP, "a memmap that is not mapped");
	refuses(order_too_large, FCP_GUEST_GATE_BLOCKS, "an order too large");
	refuses(order_misaligned, FCP_GUEST_GATE_BLOCKS, "a block not aligned");
	refuses(referenced, FCP_GUEST_GATE_BLOCKS, "a free page with a reference");
	refuses(mapped, FCP_GUEST_GATE_BLOCKS, "a free page with a mapping");
	refuses(beyond_ram, FCP_GUEST_GATE_BLOCKS, "a block beyond RAM");
	refuses(list_cycle, FCP_GUEST_GATE_FREE_LISTS, "a list in a circle");
	refuses(list_astray, FCP_GUEST_GATE_FREE_LISTS, "a list that leads astray");
	refuses(list_empty, FCP_GUEST_GATE_FREE_LISTS, "blocks on no list");
	refuses(unmarked_on_list, FCP_GUEST_GATE_FREE_LISTS, "listed blocks without a mark");
	refuses(other_order_on_list, FCP_GUEST_GATE_FREE_LISTS, "a block of another order");
	refuses(count_off, FCP_GUEST_GATE_FREE_LISTS, "nr_free");
	refuses(zones_nonsense, FCP_GUEST_GATE_FREE_LISTS, "two thousand million zones");
	refuses(sum_off, FCP_GUEST_GATE_FREE_COUNT, "NR_FREE_PAGES");
	refuses(note_free, FCP_GUEST_GATE_IN_USE, "the note");
	refuses(text_free, FCP_GUEST_GATE_IN_USE, "text");
	refuses(data_free, FCP_GUEST_GATE_IN_USE, "data");
	refuses(table_free, FCP_GUEST_GATE_IN_USE, "a page table");
	refuses(memmap_free, FCP_GUEST_GATE_IN_USE, "the memmap");
	refuses(node_free, FCP_GUEST_GATE_IN_USE, "the node");
	refuses(frame_0_free, FCP_GUEST_GATE_IN_USE, "page frame 0");
	refuses(boot_params_free, FCP_GUEST_GATE_IN_USE, "the boot parameters");
	refuses(poisoned, FCP_GUEST_GATE_POISON, "poisoned pages");
	refuses(poison_asked, FCP_GUEST_GATE_POISON, "page_poison=1");
}

/* A guest that is stopped while a block is on its way: that block is left alone, the rest found. */
static void one_on_its_way(breaks *damage, uint64_t pages_less, const char *what)
{
	struct fcp_guest_free whole, found;
	struct fcp_error err = {0};
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){0});
	fixture_find(&fixture, FCP_HOLES_ZERO, &whole, &err);
	damage(&fixture);
	if (!ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0, "%s", what))
		printf("# %s\n", err.message);
	is_u64(found.free_bytes, whole.free_bytes - pages_less * 4096, "that block is left alone");
	is_u64(fcp_ranges_bytes(&found.ranges), found.free_bytes, "in the ranges too");
	fcp_guest_free_clear(&whole);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void off_its_list(struct fixture *fixture)
{
	/* list_del() is done, the mark is not yet cleared: 0x240 is alone on its list. */
	fixture_write_word(fixture, fixture_list(6, 0), fixture_list_address(fixture, 6, 0));
}

static void not_yet_marked(struct fixture *fixture)
{
	fixture_write_half(fixture, fixture_page(0x240) + FIXTURE_MAPCOUNT, UINT32_MAX);
}

static void count_behind(struct fixture *fixture)
{
	fixture_write_word(fixture, fixture_nr_free(6), 2);
}

static void on_its_way(void)
{
	one_on_its_way(off_its_list, 64, "marked, off its list");
	one_on_its_way(not_yet_marked, 64, "on its list, not marked");
	one_on_its_way(count_behind, 0, "nr_free behind by one");
}

/* A copy of the note elsewhere, a hole in the memmap: no reason to refuse. */
static void copies_and_holes(void)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};
	struct fixture fixture;
	char note[4096];

	fixture_build(&fixture, &(struct fixture_settings){.no_pointer = true});
	fixture_read(&fixture, FIXTURE_NOTE, note, sizeof(note));
	fixture_write(&fixture, 26 * FIXTURE_MIB, note, sizeof(note));
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0, "a copy of the note");
	fcp_guest_free_clear(&found);
	fixture_punch(&fixture, fixture_page(0x1000) & ~UINT64_C(4095), 4096);
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0,
	   "a page of the memmap without a free block in a hole");
	fcp_guest_free_clear(&found);
	fixture_punch(&fixture, fixture_page(0x200) & ~UINT64_C(4095), 4096);
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) < 0,
	   "one with free blocks refuses");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void layers(void)
{
	struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct fcp_guest_memory memory;
	struct fcp_guest_free found;
	struct fcp_error err = {0};
	struct fixture base;
	char page[4096] = "";
	int layer = memfd_create("layer", MFD_CLOEXEC);

	fixture_build(&base, &(struct fixture_settings){0});
	ok(ftruncate(layer, 32 << 20) == 0 && pwrite(layer, "x", 1, 0x400 * 4096) == 1, "a layer");
	ok(fcp_guest_memory_open_file(layer, FCP_HOLES_BASE, base.fd, &memory, &err) == 0 &&
		   fcp_guest_find_free(&memory, &settings, &found, &err) == 0,
	   "a layer with its base");
	fcp_guest_free_clear(&found);
	ok(pwrite(layer, page, sizeof(page), 0x400 * 4096) == sizeof(page),
	   "its free page is zeros");
	ok(fcp_guest_find_free(&memory, &settings, &found, &err) < 0 &&
		   found.gates[FCP_GUEST_GATE_ZEROED].state == FCP_GATE_FAILED,
	   "a layer of a guest that zeroes on free is refused");
	fcp_guest_free_clear(&found);
	ok(fcp_guest_memory_open_file(layer, FCP_HOLES_BASE, -1, &memory, &err) == 0 &&
		   fcp_guest_find_free(&memory, &settings, &found, &err) < 0,
	   "a layer without its base is refused");
	fcp_guest_free_clear(&found);
	fixture_close(&base);
	close(layer);
}

/* Free pages that the host has zeroed are trusted to be zeros there, few or many. */
static void layer_of_marked_zeros(void)
{
	struct fixture fixture;
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	fixture_build(&fixture, &(struct fixture_settings){
					.note_edit = "NUMBER(PG_lru)=4\nNUMBER(PG_zeroed)=27"});
	fixture_write(&fixture, 0x400 * 4096, "x", 1);
	ok(fixture_find(&fixture, FCP_HOLES_BASE, &found, &err) < 0 &&
		   found.gates[FCP_GUEST_GATE_ZEROED].state == FCP_GATE_FAILED,
	   "a layer of a guest whose kernel knows PG_zeroed is refused");
	has_str(err.message, "PG_zeroed", "... and says why");
	fcp_guest_free_clear(&found);
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0,
	   "... a whole file of it is not");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

/* The file goes on with memory that is not plugged in. */
static void unplugged_tail(uint64_t tail_mib, const char *what)
{
	struct fcp_guest_free without, with;
	struct fcp_error err = {0};
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){.bytes = 192 * FIXTURE_MIB,
							   .rest = FIXTURE_REST_HOLE});
	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &without, &err) == 0, "without a tail");
	if (ftruncate(fixture.fd, (off_t)((192 + tail_mib) * FIXTURE_MIB)) < 0 ||
	    !ok(fixture_find(&fixture, FCP_HOLES_ZERO, &with, &err) == 0, "%s", what))
		printf("# %s\n", err.message);
	is_u64(with.free_bytes, without.free_bytes, "as much is free");
	fcp_guest_free_clear(&without);
	fcp_guest_free_clear(&with);
	fixture_close(&fixture);
}

int main(void)
{
	unplugged_tail(128, "R3: a tail of 128 MiB that is not plugged in");
	unplugged_tail(30 * 128, "R3: such a tail past 3 GiB");
	unplugged_tail(4096 * 128, "R3: such a tail past 512 GiB");
	found_in_all_shapes();
	gates_refuse();
	on_its_way();
	copies_and_holes();
	layers();
	layer_of_marked_zeros();
	return done();
}
