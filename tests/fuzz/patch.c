// SPDX-License-Identifier: Apache-2.0
#include "patch.h"

#include "source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX 16384
#define ADDRESS_MASK UINT64_C(0x000ffffffffff000)

/* What the changes of one input share. The source shows the plain memory until all are made: they
 * are aimed by the page tables as they are by then. */
struct job {
	struct base *base;
	struct source shown;	   /* from then on */
	char text[NOTE_MAX + 512]; /* the note's */
	size_t text_bytes;
	bool text_changed;
};

/* The keys that the reader looks at. */
static const char *const known_keys[] = {
	"OSRELEASE",
	"PAGESIZE",
	"SYMBOL(swapper_pg_dir)",
	"SYMBOL(init_top_pgt)",
	"SYMBOL(_stext)",
	"SYMBOL(init_uts_ns)",
	"OFFSET(uts_namespace.name)",
	"NUMBER(phys_base)",
	"NUMBER(pgtable_l5_enabled)",
	"NUMBER(sme_mask)",
	"SYMBOL(mem_section)",
	"LENGTH(mem_section)",
	"SIZE(mem_section)",
	"OFFSET(mem_section.section_mem_map)",
	"NUMBER(SECTION_SIZE_BITS)",
	"NUMBER(MAX_PHYSMEM_BITS)",
	"SYMBOL(mem_map)",
	"SIZE(page)",
	"OFFSET(page.flags)",
	"OFFSET(page._refcount)",
	"OFFSET(page.mapping)",
	"OFFSET(page.lru)",
	"OFFSET(page._mapcount)",
	"OFFSET(page.private)",
	"OFFSET(page.compound_head)",
	"OFFSET(page.compound_info)",
	"SYMBOL(node_data)",
	"LENGTH(node_data)",
	"SYMBOL(contig_page_data)",
	"SIZE(pglist_data)",
	"OFFSET(pglist_data.node_zones)",
	"OFFSET(pglist_data.nr_zones)",
	"SIZE(zone)",
	"OFFSET(zone.free_area)",
	"OFFSET(zone.vm_stat)",
	"OFFSET(zone.spanned_pages)",
	"SIZE(free_area)",
	"OFFSET(free_area.free_list)",
	"LENGTH(zone.free_area)",
	"LENGTH(free_area.free_list)",
	"SIZE(list_head)",
	"OFFSET(list_head.next)",
	"NUMBER(NR_FREE_PAGES)",
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
	"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)",
	"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)",
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)",
	"NUMBER(PG_slab)",
	"NUMBER(PG_lru)",
	"NUMBER(PG_swapbacked)",
	"NUMBER(PG_private)",
	"NUMBER(PG_swapcache)",
	"NUMBER(PG_head_mask)",
	"SYMBOL(_text)",
	"CRASHTIME",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t place(const struct base *base, enum place_kind kind, uint64_t index)
{
	const struct places *places = &base->places[kind];

	return places->count ? places->items[index % places->count] : 0;
}

static uint64_t gpa_of(const struct base *base, uint64_t offset)
{
	uint64_t gpa = 0;

	fcp_guest_memory_gpa(&base->kernel->memory, offset, &gpa);
	return gpa;
}

static uint64_t word_at(const struct base *base, uint64_t offset)
{
	uint64_t word = 0;

	store_read(base->store, offset, &word, sizeof(word));
	return word;
}

/* A pfn that is likely to matter: a free block's, its neighbour, any. */
static uint64_t some_pfn(const struct base *base, uint64_t index)
{
	const struct fcp_guest_memory *memory = &base->kernel->memory;
	unsigned heads = base->places[PLACE_HEAD].count;

	/* The last of RAM. */
	if (index % 64 == 8)
		return gpa_of(base, memory->bytes - STORE_PAGE) / STORE_PAGE - index / 64 % 2048;
	if (index % 4 != 0 && heads > 0)
		return base->head_pfns[index / 4 % heads] + (index % 4 == 3 ? index / 64 % 16 : 0);
	return gpa_of(base, index / 4 * STORE_PAGE % memory->bytes) / STORE_PAGE;
}

static uint64_t page_address(const struct base *base, uint64_t pfn)
{
	return fcp_guest_memmap_address(base->memmap, pfn);
}

/* A word that is likely to matter. */
static uint64_t likely(const struct patch *patch)
{
	static const uint64_t words[] = {
		0,
		1,
		2,
		3,
		11,
		20,
		4095,
		4096,
		0x63,
		0xe3,
		0xf0000000,
		0xffffff7f,
		0x7fffffff,
		0x80000000,
		UINT64_C(0x8000000000000063),
		UINT64_C(0x80000000000000e3),
		UINT64_C(0x000ffffffffff063),
		UINT64_C(0x0000800000000000),
		UINT64_C(0xffffffff80000000),
		UINT64_C(0xffffffff81000000),
		UINT64_C(0xffffffffffffffff),
		UINT64_C(1) << 47,
		UINT64_C(1) << 63,
	};

	return words[patch->value % COUNT(words)];
}

static uint64_t other_place(const struct base *base, const struct patch *patch)
{
	return place(base, (enum place_kind)(patch->value % PLACE_KINDS), patch->other);
}

/* The word that a patch puts where was is now. */
static uint64_t new_word(const struct base *base, const struct patch *patch, uint64_t was)
{
	switch (patch->how % 12) {
	case 0:
		return patch->value;
	case 1:
		return was ^ UINT64_C(1) << patch->value % 64;
	case 2:
		return was + (uint64_t)(int64_t)(int8_t)patch->value;
	case 3:
		return likely(patch);
	case 4:
		return word_at(base, other_place(base, patch));
	case 5:
		return base_direct(base, gpa_of(base, other_place(base, patch)));
	case 6:
		return (gpa_of(base, other_place(base, patch)) & ADDRESS_MASK) |
		       (was & ~ADDRESS_MASK);
	case 7:
		return (gpa_of(base, other_place(base, patch)) & ADDRESS_MASK) | 0x63;
	case 8:
		return page_address(base, some_pfn(base, patch->other)) +
		       base->kernel->note.page_lru;
	case 9:
		return (was & ADDRESS_MASK) | (patch->value & ~ADDRESS_MASK);
	case 10:
		return (was & ~ADDRESS_MASK) | (patch->value & ADDRESS_MASK);
	default:
		return was + STORE_PAGE * (uint64_t)(int64_t)(int8_t)patch->value;
	}
}

static void put_word(const struct base *base, const struct patch *patch, uint64_t offset)
{
	uint64_t word = new_word(base, patch, word_at(base, offset));

	store_write(base->store, offset, &word, sizeof(word));
}

/* ---- the note ----------------------------------------------------------------------------- */

/* The line with that number: its start; *length_ without its end. */
static char *line_at(struct job *job, unsigned number, size_t *length_)
{
	char *line = job->text;
	unsigned lines = 0;

	for (size_t i = 0; i < job->text_bytes; i++)
		lines += job->text[i] == '\n';
	if (lines == 0)
		return NULL;
	for (number %= lines; number > 0; number--)
		line = (char *)memchr(line, '\n', job->text_bytes - (size_t)(line - job->text)) + 1;
	*length_ =
		(size_t)((char *)memchr(line, '\n', job->text_bytes - (size_t)(line - job->text)) -
			 line);
	return line;
}

/* length bytes of the text at make room for those of with. */
static void splice(struct job *job, char *at, size_t length, const char *with, size_t with_length)
{
	size_t tail = job->text_bytes - (size_t)(at - job->text) - length;

	if (job->text_bytes - length + with_length > NOTE_MAX)
		return;
	memmove(at + with_length, at + length, tail);
	memcpy(at, with, with_length);
	job->text_bytes = job->text_bytes - length + with_length;
	job->text_changed = true;
}

static uint64_t note_value(const struct job *job, const struct patch *patch)
{
	static const uint64_t sizes[] = {0,	 1,    2,    4,	    7,	   8,	    12,
					 16,	 20,   21,   24,    32,	   34,	    36,
					 40,	 46,   48,   56,    57,	   63,	    64,
					 128,	 240,  248,  252,   256,   512,	    1024,
					 1025,	 4096, 8192, 65536, 65537, 1 << 22, (1 << 22) + 1,
					 1 << 25};

	if (patch->how & 0x40)
		return new_word(job->base, patch, 0);
	return sizes[patch->value % COUNT(sizes)];
}

/* A line as it can be of another kind of kernel: what it says, and the text of a value. */
static int value_text(const struct job *job, const struct patch *patch, const char *line,
		      const char *was, char *text, size_t size)
{
	bool symbol = strncmp(line, "SYMBOL", 6) == 0;
	uint64_t number;

	switch (patch->how & 15) {
	case 0:
		return snprintf(text, size, "%#" PRIx64, note_value(job, patch));
	case 1:
		return snprintf(text, size, "%0*d", (int)(patch->value % 400), 0);
	case 2:
		return snprintf(text, size, "%.8s", (const char *)&patch->value);
	case 3:
	case 4:
	case 5:
		number = new_word(job->base, patch, strtoull(was, NULL, symbol ? 16 : 0));
		break;
	default:
		number = note_value(job, patch);
		break;
	}
	return symbol ? snprintf(text, size, "%" PRIx64, number)
		      : snprintf(text, size, "%" PRId64, (int64_t)number);
}

static void patch_line(struct job *job, const struct patch *patch)
{
	size_t length, other_length;
	char *line = line_at(job, patch->index, &length);
	char *other = line_at(job, patch->other, &other_length);
	char text[512];
	int bytes;

	if (!line || !other)
		return;
	switch (patch->how % 4) {
	case 0: /* gone */
		splice(job, line, length + 1, "", 0);
		break;
	case 1: /* another key */
		splice(job, line, 1, "X", 1);
		break;
	case 2: /* its end gone */
		splice(job, line + length, 1, "", 0);
		break;
	default: /* twice */
		bytes = snprintf(text, sizeof(text), "%.*s\n", (int)(length < 250 ? length : 250),
				 line);
		splice(job, other, 0, text, (size_t)bytes);
		break;
	}
}

/* A key that is looked at: gone, or of another value; there, if it was not. */
static void patch_key(struct job *job, const struct patch *patch)
{
	const char *key = known_keys[patch->index % COUNT(known_keys)];
	char *line = NULL;
	size_t length = 0;
	char text[512], value[448];

	for (char *at = job->text; !line && at < job->text + job->text_bytes; at += length + 1) {
		const char *end = memchr(at, '\n', job->text_bytes - (size_t)(at - job->text));

		length = end ? (size_t)(end - at) : job->text_bytes - (size_t)(at - job->text);
		if (length > strlen(key) && memcmp(at, key, strlen(key)) == 0 &&
		    at[strlen(key)] == '=')
			line = at;
		if (line)
			break;
	}
	if (patch->how & 0x80 && line) {
		splice(job, line,
		       length + 1 <= job->text_bytes - (size_t)(line - job->text) ? length + 1
										  : length,
		       "", 0);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(line ? length : 0), line ? line : "");
	value_text(job, patch, key, line ? text + strlen(key) + 1 : "0", value, sizeof(value));
	snprintf(text, sizeof(text), "%s=%.440s%s", key, value, line ? "" : "\n");
	if (line)
		splice(job, line, length, text, strlen(text));
	else
		splice(job, job->text + job->text_bytes, 0, text, strlen(text));
}

static void patch_note_byte(struct job *job, const struct patch *patch)
{
	if (job->text_bytes == 0)
		return;
	job->text[patch->index % job->text_bytes] = (char)patch->value;
	job->text_changed = true;
}

static void write_note(struct job *job)
{
	uint32_t bytes = (uint32_t)job->text_bytes;

	if (!job->text_changed)
		return;
	store_write(job->base->store, job->base->note + 4, &bytes, sizeof(bytes));
	job->text[job->text_bytes] = '\0';
	store_write(job->base->store, job->base->note + 24, job->text, job->text_bytes + 1);
}

/* ---- struct pages and blocks --------------------------------------------------------------- */

static uint64_t page_offset(const struct base *base, uint64_t pfn)
{
	uint64_t address = page_address(base, pfn);

	return address ? base_offset(base, address) : UINT64_MAX;
}

static void patch_struct_page(const struct base *base, const struct patch *patch)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	const uint64_t fields[] = {note->page_mapcount, note->page_private, note->page_refcount,
				   note->page_mapping,	note->page_lru,	    note->page_lru + 8,
				   note->page_compound, note->page_flags};
	uint64_t page = page_offset(base, some_pfn(base, patch->index));
	uint64_t field = fields[(patch->how >> 4) % COUNT(fields)];
	uint32_t half = (uint32_t)patch->value;

	if (page == UINT64_MAX)
		return;
	if (field != note->page_mapcount && field != note->page_refcount) {
		put_word(base, patch, page + field);
		return;
	}
	if (patch->how % 4 != 0)
		half = patch->how % 4 == 1 ? (uint32_t)note->buddy_mapcount : half % 4 - 1;
	store_write(base->store, page + field, &half, sizeof(half));
}

struct zone_view {
	uint64_t counted;		      /* offset of NR_FREE_PAGES */
	uint64_t list, list_address, nr_free; /* of an order's list */
};

static bool find_list(const struct base *base, uint64_t zone, uint64_t order, uint64_t type,
		      struct zone_view *view_)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t node = base_node(base) + note->pgdat_node_zones + zone * note->zone_bytes;
	uint64_t area;

	area = node + note->zone_free_area + order * note->free_area_bytes +
	       note->free_area_free_list;
	view_->counted = base_offset(base, node + note->zone_vm_stat + note->nr_free_pages * 8);
	view_->list_address = area + type * 16;
	view_->list = base_offset(base, view_->list_address);
	view_->nr_free = base_offset(base, area + note->free_list_length * 16);
	return view_->counted != UINT64_MAX && view_->list != UINT64_MAX &&
	       view_->nr_free != UINT64_MAX;
}

static void add_to(const struct base *base, uint64_t offset, uint64_t delta)
{
	uint64_t word = word_at(base, offset) + delta;

	store_write(base->store, offset, &word, sizeof(word));
}

/* Unlinks the block from its list; how its count follows is the caller's. */
static void unlink_block(const struct base *base, uint64_t page)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t next = word_at(base, page + note->page_lru);
	uint64_t previous = word_at(base, page + note->page_lru + 8);

	store_write(base->store, base_offset(base, previous), &next, sizeof(next));
	store_write(base->store, base_offset(base, next) + 8, &previous, sizeof(previous));
}

static void link_block(const struct base *base, uint64_t page, uint64_t pfn,
		       const struct zone_view *view)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t link = page_address(base, pfn) + note->page_lru;
	uint64_t first = word_at(base, view->list);

	store_write(base->store, page + note->page_lru, &first, sizeof(first));
	store_write(base->store, page + note->page_lru + 8, &view->list_address, sizeof(first));
	store_write(base->store, view->list, &link, sizeof(link));
	store_write(base->store, base_offset(base, first) + 8, &link, sizeof(link));
}

/* The page that a block is made at: one in use, one that is read, any. */
static uint64_t block_pfn(const struct base *base, const struct patch *patch)
{
	uint64_t pfn = patch->how & 1
			       ? gpa_of(base, place(base, PLACE_USED, patch->index)) / STORE_PAGE
			       : some_pfn(base, patch->index);
	uint64_t order = patch->other % base->kernel->note.zone_free_area_length;

	return patch->how & 2 ? pfn : pfn >> order << order;
}

/* A free block more, or one less: marked, listed, counted, and perhaps not one of these. */
static void patch_block(const struct base *base, const struct patch *patch)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	uint64_t order = patch->other % note->zone_free_area_length;
	uint64_t pfn = block_pfn(base, patch), page = page_offset(base, pfn), zero = 0;
	uint32_t mark = (uint32_t)note->buddy_mapcount, none = UINT32_MAX;
	bool less = patch->how & 4, counted = !(patch->how & 8), listed = !(patch->how & 16);
	struct zone_view view;
	uint64_t was;

	if (page == UINT64_MAX)
		return;
	if (less) {
		was = word_at(base, page + note->page_private);
		order = was < note->zone_free_area_length ? was : order;
	}
	if (!find_list(base, (patch->other >> 8) % 4, order, patch->value % note->free_list_length,
		       &view))
		return;
	if (!(patch->how & 32))
		store_write(base->store, page + note->page_mapcount, less ? &none : &mark,
			    sizeof(mark));
	if (!less) {
		store_write(base->store, page + note->page_refcount, &zero, 4);
		store_write(base->store, page + note->page_mapping, &zero, 8);
		store_write(base->store, page + note->page_private, &order, 8);
	}
	if (listed && less)
		unlink_block(base, page);
	if (listed && !less)
		link_block(base, page, pfn, &view);
	if (counted) {
		add_to(base, view.nr_free, less ? UINT64_MAX : 1);
		add_to(base, view.counted,
		       less ? 0 - (UINT64_C(1) << order) : UINT64_C(1) << order);
	}
}

/* ---- pages -------------------------------------------------------------------------------- */

static void patch_free_bytes(const struct base *base, const struct patch *patch)
{
	uint8_t page[STORE_PAGE];

	memset(page, patch->how & 1 ? 0xaa : (int)patch->value, sizeof(page));
	for (uint32_t i = 0; i <= patch->other % 128; i++)
		store_write(base->store, place(base, PLACE_FREE, (uint64_t)patch->index + i), page,
			    sizeof(page));
}

static uint64_t some_page(const struct base *base, uint64_t index)
{
	static const enum place_kind kinds[] = {PLACE_USED, PLACE_FREE, PLACE_PAGE, PLACE_DATA,
						PLACE_TRAMPOLINE};

	return place(base, kinds[index % COUNT(kinds)], index / COUNT(kinds)) & ~UINT64_C(4095);
}

static void patch_copy(const struct base *base, const struct patch *patch)
{
	uint64_t from = patch->how & 1 ? base->note : some_page(base, patch->other);
	uint64_t to = some_page(base, patch->index);
	uint8_t bytes[2 * STORE_PAGE];

	for (unsigned i = 0; i <= patch->value % 64; i++)
		if (store_read(base->store, from, bytes, sizeof(bytes)))
			store_write(base->store, to + i * sizeof(bytes), bytes,
				    patch->how & 1 ? sizeof(bytes) : STORE_PAGE);
}

/* boot_params, and the command line that they point to. */
static void patch_boot(const struct base *base, const struct patch *patch)
{
	static const char *const words[] = {
		"page_poison=1",
		"page_poison=on",
		"init_on_free=1",
		"init_on_free=on",
		"nopage_poison=1 page_poison=12",
		"page_poison=1 quiet",
		"quiet init_on_free=1",
	};
	uint32_t address = patch->how & 1 ? (uint32_t)patch->value : 0x20000;
	char line[2048] = "";

	if (patch->how & 2)
		memset(line, 'x', sizeof(line));
	snprintf(line + patch->other % 1024, 64, "%s", words[patch->index % COUNT(words)]);
	store_write(base->store, 0x7202, "HdrS", 4);
	store_write(base->store, 0x7228, &address, sizeof(address));
	store_write(base->store, address, line, sizeof(line));
}

/* The entry that maps the address, at a level from below. */
static uint64_t entry_of(const struct base *base, uint64_t address, unsigned level)
{
	const struct fcp_guest_tables *tables = &base->kernel->tables;
	uint64_t table = tables->root;

	for (unsigned at = tables->levels - 1;; at--) {
		const struct fcp_guest_region *region =
			fcp_guest_memory_region(&base->kernel->memory, table, STORE_PAGE);
		uint64_t offset, entry;

		if (!region)
			return UINT64_MAX;
		offset = fcp_guest_region_offset(region, table) +
			 (address >> (12 + 9 * at)) % 512 * 8;
		entry = word_at(base, offset);
		if (at == level || at == 0 || !(entry & 1) || (at <= 2 && (entry & 0x80)))
			return offset;
		table = entry & ADDRESS_MASK;
	}
}

static void patch_map(const struct base *base, const struct patch *patch)
{
	const struct fcp_guest_note *note = &base->kernel->note;
	const uint64_t addresses[] = {
		page_address(base, some_pfn(base, patch->index)),
		note->stext,
		note->stext + patch->index * UINT64_C(4096),
		note->init_uts_ns,
		note->node_data,
		note->mem_section,
		UINT64_C(0xffffffff80000000) + (uint64_t)patch->index * 0x4000,
		base_node(base),
		note->symbols[patch->index % FCP_GUEST_NOTE_SYMBOLS_MAX],
	};
	uint64_t offset =
		entry_of(base, addresses[(patch->how >> 4) % COUNT(addresses)], patch->index % 5);

	if (offset != UINT64_MAX)
		put_word(base, patch, offset);
}

static void patch_size(const struct base *base, const struct patch *patch)
{
	static const uint64_t bytes[] = {
		4096,
		8192,
		UINT64_C(1) << 20,
		UINT64_C(25) << 20,
		UINT64_C(3) << 30,
		(UINT64_C(3) << 30) + 4096,
		UINT64_C(7) << 29,
		UINT64_C(13) << 28,
		(UINT64_C(13) << 28) + 4096,
		UINT64_C(5) << 30,
	};
	uint64_t size = bytes[patch->value % COUNT(bytes)];

	if (patch->how & 1)
		size = base->store->bytes + (uint64_t)(int64_t)(int16_t)patch->index * STORE_PAGE;
	else if (patch->how & 2)
		size = base->store->bytes / 256 * (patch->how >> 2) / STORE_PAGE * STORE_PAGE;
	/* Larger ones only cost time. */
	if (size <= UINT64_C(5) << 30)
		base->store->bytes = size;
}

static void patch_punch(const struct base *base, const struct patch *patch)
{
	uint64_t page = some_page(base, patch->index) / STORE_PAGE;

	for (uint32_t i = 0; i <= patch->other % 256; i++)
		store_punch(base->store, page + i);
}

static void patch_hide(struct job *job, const struct patch *patch)
{
	uint64_t page = some_page(job->base, patch->index) / STORE_PAGE;
	struct source *shown = &job->shown;

	if (shown->hidden_count < SOURCE_HIDDEN_MAX)
		shown->hidden[shown->hidden_count++] =
			(struct fcp_range){page, page + 1 + patch->other % 4096};
}

static void patch_word(const struct base *base, const struct patch *patch)
{
	uint64_t page = some_page(base, patch->index);

	put_word(base, patch, page + patch->other % STORE_PAGE);
}

static void apply(struct job *job, const struct patch *patch)
{
	const struct base *base = job->base;
	unsigned kind = patch->kind % PATCH_KINDS;

	switch (kind) {
	case PATCH_STRUCT_PAGE:
		patch_struct_page(base, patch);
		break;
	case PATCH_NOTE_KEY:
		patch_key(job, patch);
		break;
	case PATCH_NOTE_LINE:
		patch_line(job, patch);
		break;
	case PATCH_NOTE_BYTE:
		patch_note_byte(job, patch);
		break;
	case PATCH_NOTE_HEADER:
		put_word(base, patch, base->note + patch->index % 34);
		break;
	case PATCH_BLOCK:
		patch_block(base, patch);
		break;
	case PATCH_FREE_BYTES:
		patch_free_bytes(base, patch);
		break;
	case PATCH_COPY:
		patch_copy(base, patch);
		break;
	case PATCH_BOOT:
		patch_boot(base, patch);
		break;
	case PATCH_MAP:
		patch_map(base, patch);
		break;
	case PATCH_SIZE:
		patch_size(base, patch);
		break;
	case PATCH_PUNCH:
		patch_punch(base, patch);
		break;
	case PATCH_HIDE:
		patch_hide(job, patch);
		break;
	case PATCH_WORD:
		patch_word(base, patch);
		break;
	case PATCH_FAULT:
		job->shown.fault = (enum source_fault)(patch->how % SOURCE_FAULTS);
		job->shown.fault_at = patch->other % (patch->how & 0x80	  ? 4096
						      : patch->how & 0x40 ? 256
									  : 16);
		break;
	default:
		put_word(base, patch, place(base, (enum place_kind)kind, patch->index));
		break;
	}
}

static void hide_pointers(const struct base *base)
{
	const struct places *pointers = &base->places[PLACE_POINTER];
	const uint64_t none = 0;

	for (unsigned i = 0; i < pointers->count; i++)
		store_write(base->store, pointers->items[i], &none, sizeof(none));
}

struct base *patch_apply(const struct input *input, size_t size)
{
	static struct job job;
	size_t count =
		size < INPUT_HEAD_BYTES ? 0 : (size - INPUT_HEAD_BYTES) / sizeof(struct patch);
	struct fcp_guest_kernel *kernel;

	job.base = base_get(input->base);
	kernel = job.base->kernel;
	source_show(job.base->store);
	job.shown = source;
	job.shown.kind = (enum source_kind)(input->shown % SOURCE_KINDS);
	/* What the input before left in its cache is not this one's. */
	fcp_guest_tables_copy(&kernel->tables, &kernel->tables);
	job.text_bytes = job.base->note_bytes;
	job.text_changed = false;
	memcpy(job.text, job.base->note_text, job.text_bytes);
	if (input->shown & SHOWN_NO_POINTER)
		hide_pointers(job.base);
	for (size_t i = 0; i < count && i < PATCHES_MAX; i++)
		apply(&job, &input->patches[i]);
	write_note(&job);
	source = job.shown;
	return job.base;
}
