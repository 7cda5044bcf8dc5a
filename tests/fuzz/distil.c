// SPDX-License-Identifier: Apache-2.0
/*
 * distil MEMORY OUT (make build/distil): of a real guest's memory file, what a scan of it looks at,
 * as a base for the fuzzer (base.h says how it is kept; gzip it). The rest becomes a hole; text and
 * free pages keep that they are there; of the image's data the words that look like pointers to a
 * note stay, and of each struct page the fields that VMCOREINFO names. Fails when a scan of what is
 * left comes out otherwise than one of the whole.
 *
 * The memory files: FCPAUSE_VM_SAVE=D tests/vm/run, better of guests of 96 MiB (rounds --memory).
 */
#include "base.h"
#include "source.h"

#include "guest/free_pages.h"
#include "guest/allocator/gates.h"
#include "guest/kernel/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A read that is longer than all others (node_data, a note) is of the memmap or of the image's
 * data. */
#define LONG_READ (16u << 10)

enum mark { UNREAD, READ, BULK, MEMMAP, PRESENT };

static uint8_t *byte_marks, *page_marks;

static void give_up(const char *what)
{
	fprintf(stderr, "distil: %s\n", what);
	exit(1);
}

static void note_read(uint64_t offset, uint64_t bytes)
{
	if (bytes <= LONG_READ)
		memset(byte_marks + offset, READ, bytes);
	for (uint64_t page = offset / STORE_PAGE; page * STORE_PAGE < offset + bytes; page++)
		if (page_marks[page] != READ)
			page_marks[page] = bytes > LONG_READ ? BULK : READ;
}

static struct store *load(const char *path)
{
	FILE *file = fopen(path, "re");
	static uint8_t page[STORE_PAGE], zeros[STORE_PAGE];
	struct store *store;

	if (!file || fseek(file, 0, SEEK_END) < 0)
		give_up(path);
	store = store_new((uint64_t)ftell(file));
	rewind(file);
	for (uint64_t at = 0; fread(page, sizeof(page), 1, file) == 1; at += sizeof(page))
		if (memcmp(page, zeros, sizeof(page)) != 0 &&
		    !store_write(store, at, page, sizeof(page)))
			give_up("write");
	fclose(file);
	return store;
}

static void find(struct store *store, struct fcp_guest_free *found, bool watch)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct fcp_guest_memory memory;
	struct fcp_error err;

	source_show(store);
	source.on_read = watch ? note_read : NULL;
	if (!source_open(&memory, &err) || fcp_guest_find_free(&memory, &settings, found, &err) < 0)
		give_up(err.message);
	source.on_read = NULL;
}

static void mark_range(struct fcp_guest_kernel *kernel, uint64_t address, uint64_t bytes,
		       enum mark mark)
{
	for (uint64_t at = address; at < address + bytes; at += STORE_PAGE) {
		struct fcp_guest_leaf leaf;
		struct fcp_error err;
		const struct fcp_guest_region *region;

		if (fcp_guest_translate(&kernel->tables, at, &leaf, &err) < 0)
			give_up(err.message);
		region = fcp_guest_memory_region(&kernel->memory, leaf.gpa, leaf.bytes);
		if (region)
			page_marks[fcp_guest_region_offset(region, leaf.gpa + (at - leaf.start)) /
				   STORE_PAGE] = (uint8_t)mark;
	}
}

static void mark_structures(struct fcp_guest_kernel *kernel, const struct fcp_guest_free *found)
{
	static struct fcp_guest_memmap memmap;
	struct fcp_guest_memory memory;
	struct fcp_guest_search search;
	struct fcp_range text;
	struct fcp_error err;

	if (!source_open(&memory, &err) ||
	    fcp_guest_kernel_find(&memory, -1, kernel, &search, &err) < 0 ||
	    fcp_guest_memmap_init(kernel, &memmap, &err) < 0 ||
	    fcp_guest_kernel_text(kernel, &text, &err) < 0)
		give_up(err.message);
	for (unsigned i = 0; i < kernel->memory.region_count; i++) {
		uint64_t first = kernel->memory.regions[i].gpa / STORE_PAGE;
		uint64_t pages = kernel->memory.regions[i].bytes / STORE_PAGE;

		/* Sections are more than a page of the memmap each. */
		for (uint64_t at = 0; at < pages; at += 64)
			if (fcp_guest_memmap_address(&memmap, first + at))
				mark_range(kernel, fcp_guest_memmap_address(&memmap, first + at),
					   64 * kernel->note.struct_page_bytes, MEMMAP);
	}
	mark_range(kernel, text.start, text.end - text.start, PRESENT);
	for (size_t i = 0; i < found->ranges.count; i++)
		for (uint64_t at = found->ranges.items[i].start; at < found->ranges.items[i].end;
		     at += STORE_PAGE)
			page_marks[at / STORE_PAGE] =
				page_marks[at / STORE_PAGE] ? PRESENT : UNREAD;
	fcp_guest_memmap_clear(&memmap);
}

static void keep_fields(const struct fcp_guest_note *note, uint8_t *page)
{
	const struct {
		uint64_t at, bytes;
	} fields[] = {
		{note->page_flags, 8},	  {note->page_refcount, 4}, {note->page_mapping, 8},
		{note->page_lru, 16},	  {note->page_mapcount, 4}, {note->page_private, 8},
		{note->page_compound, 8},
	};
	uint8_t kept[STORE_PAGE] = {0};

	for (uint64_t at = 0; at + note->struct_page_bytes <= STORE_PAGE;
	     at += note->struct_page_bytes)
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			memcpy(kept + at + fields[i].at, page + at + fields[i].at, fields[i].bytes);
	memcpy(page, kept, sizeof(kept));
}

static void keep_pointers(const struct fcp_guest_note *note, uint8_t *page)
{
	for (size_t at = 0; at < STORE_PAGE; at += 8) {
		uint64_t word;

		memcpy(&word, page + at, sizeof(word));
		if (word % 8192 != 0 || word < UINT64_C(0xff10000000000000) ||
		    word >= note->image.start)
			memset(page + at, 0, sizeof(word));
	}
}

static void write_base(const struct store *store, const struct fcp_guest_note *note,
		       const char *path)
{
	FILE *out = fopen(path, "we");
	static const uint8_t zeros[STORE_PAGE];
	struct base_header header = {.magic = BASE_MAGIC, .bytes = store->bytes};

	if (!out || fwrite(&header, sizeof(header), 1, out) != 1)
		give_up(path);
	for (uint64_t page = store_next(store, 0, true); page < store->bytes / STORE_PAGE;
	     page = store_next(store, page + 1, true)) {
		uint8_t bytes[STORE_PAGE];
		uint32_t number = (uint32_t)page;

		store_read(store, page * STORE_PAGE, bytes, sizeof(bytes));
		if (page_marks[page] == UNREAD)
			continue;
		if (page_marks[page] == PRESENT)
			memset(bytes, 0x5c, sizeof(bytes));
		else if (page_marks[page] == MEMMAP)
			keep_fields(note, bytes);
		else if (page_marks[page] == BULK)
			keep_pointers(note, bytes);
		else
			for (size_t i = 0; i < STORE_PAGE; i++)
				bytes[i] &= byte_marks[page * STORE_PAGE + i] ? 0xff : 0;
		if (page_marks[page] == BULK && memcmp(bytes, zeros, sizeof(bytes)) == 0)
			continue;
		if (fwrite(&number, sizeof(number), 1, out) != 1 ||
		    fwrite(bytes, sizeof(bytes), 1, out) != 1)
			give_up(path);
	}
	if (fclose(out) != 0)
		give_up(path);
}

int main(int argc, char **argv)
{
	static struct fcp_guest_kernel kernel;
	struct fcp_guest_free whole = {0}, left = {0};
	struct store *store;

	if (argc != 3)
		give_up("usage: distil MEMORY OUT");
	store = load(argv[1]);
	byte_marks = calloc(1, store->bytes);
	page_marks = calloc(1, store->bytes / STORE_PAGE);
	if (!byte_marks || !page_marks)
		give_up("no memory");
	find(store, &whole, true);
	mark_structures(&kernel, &whole);
	write_base(store, &kernel.note, argv[2]);
	find(base_load(argv[2]), &left, false);
	if (left.ranges.count != whole.ranges.count ||
	    left.found_by_pointer != whole.found_by_pointer ||
	    memcmp(left.ranges.items, whole.ranges.items,
		   whole.ranges.count * sizeof(*whole.ranges.items)) != 0)
		give_up("what is left is scanned otherwise");
	printf("%s: %s, %zu ranges, %s\n", argv[2], left.release, left.ranges.count,
	       left.found_by_pointer ? "by pointer" : "by search");
	return 0;
}
