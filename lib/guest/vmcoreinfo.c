// SPDX-License-Identifier: Apache-2.0
#include "guest/vmcoreinfo.h"

#include "base/error.h"
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_HEADER_BYTES 24
#define KERNEL_IMAGE_START UINT64_C(0xffffffff80000000)

enum form {
	ADDRESS, /* hex without 0x */
	COUNT,	 /* decimal or 0x, perhaps negative: taken as 64 bits, two's complement */
	WORD,	 /* the same, as 32 bits: printed as long, as int or as unsigned */
};

enum need { REQUIRED, OPTIONAL };

struct key {
	const char *name;
	size_t field; /* of struct fcp_guest_note */
	enum form form;
	enum need need;
	uint64_t least, most;
};

#define FIELD(name) offsetof(struct fcp_guest_note, name)
#define KERNEL_HALF UINT64_C(0xff00000000000000), UINT64_C(0xfffffffffffffff0)
/* KERNEL_IMAGE_SIZE from __START_KERNEL_map on: a walk from one of these to the image's end ends. */
#define IN_IMAGE KERNEL_IMAGE_START, KERNEL_IMAGE_START + (UINT64_C(1) << 30) - 1
#define ANY 0, UINT64_MAX

/* What the readers use and what they can believe: an offset lies in its structure's first page or
 * so, so that no read made of it wraps or is large. */
static const struct key keys[] = {
	{"PAGESIZE", FIELD(page_bytes), COUNT, REQUIRED, 4096, 4096},
	{"SYMBOL(swapper_pg_dir)", FIELD(page_table), ADDRESS, OPTIONAL, IN_IMAGE},
	{"SYMBOL(init_top_pgt)", FIELD(init_top_pgt), ADDRESS, OPTIONAL, IN_IMAGE},
	{"SYMBOL(_stext)", FIELD(stext), ADDRESS, REQUIRED, IN_IMAGE},
	{"SYMBOL(init_uts_ns)", FIELD(init_uts_ns), ADDRESS, REQUIRED, IN_IMAGE},
	{"OFFSET(uts_namespace.name)", FIELD(uts_name), COUNT, OPTIONAL, 0, 256},
	{"NUMBER(phys_base)", FIELD(phys_base), COUNT, REQUIRED, ANY},
	{"NUMBER(pgtable_l5_enabled)", FIELD(five_levels), COUNT, REQUIRED, 0, 1},
	{"NUMBER(sme_mask)", FIELD(sme_mask), COUNT, OPTIONAL, ANY},
	{"SYMBOL(mem_section)", FIELD(mem_section), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"LENGTH(mem_section)", FIELD(mem_section_length), COUNT, OPTIONAL, 1, 1 << 25},
	{"SIZE(mem_section)", FIELD(mem_section_bytes), COUNT, OPTIONAL, 8, 256},
	{"OFFSET(mem_section.section_mem_map)", FIELD(section_mem_map), COUNT, OPTIONAL, 0, 248},
	{"NUMBER(SECTION_SIZE_BITS)", FIELD(section_size_bits), COUNT, OPTIONAL, 24, 34},
	{"NUMBER(MAX_PHYSMEM_BITS)", FIELD(max_physmem_bits), COUNT, OPTIONAL, 36, 57},
	{"SYMBOL(mem_map)", FIELD(mem_map), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"SIZE(page)", FIELD(struct_page_bytes), COUNT, REQUIRED, 32, 256},
	{"OFFSET(page.flags)", FIELD(page_flags), COUNT, REQUIRED, 0, 248},
	{"OFFSET(page._refcount)", FIELD(page_refcount), COUNT, REQUIRED, 0, 252},
	{"OFFSET(page.mapping)", FIELD(page_mapping), COUNT, REQUIRED, 0, 248},
	{"OFFSET(page.lru)", FIELD(page_lru), COUNT, REQUIRED, 0, 240},
	{"OFFSET(page._mapcount)", FIELD(page_mapcount), COUNT, REQUIRED, 0, 252},
	{"OFFSET(page.private)", FIELD(page_private), COUNT, REQUIRED, 0, 248},
	{"OFFSET(page.compound_head)", FIELD(page_compound), COUNT, OPTIONAL, 0, 248},
	{"OFFSET(page.compound_info)", FIELD(page_compound), COUNT, OPTIONAL, 0, 248},
	{"SYMBOL(node_data)", FIELD(node_data), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"LENGTH(node_data)", FIELD(node_data_length), COUNT, OPTIONAL, 1, 1024},
	{"SYMBOL(contig_page_data)", FIELD(contig_page_data), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"SIZE(pglist_data)", FIELD(pgdat_bytes), COUNT, REQUIRED, 256, 1 << 22},
	{"OFFSET(pglist_data.node_zones)", FIELD(pgdat_node_zones), COUNT, REQUIRED, 0, 1 << 22},
	{"OFFSET(pglist_data.nr_zones)", FIELD(pgdat_nr_zones), COUNT, REQUIRED, 0, 1 << 22},
	{"SIZE(zone)", FIELD(zone_bytes), COUNT, REQUIRED, 128, 65536},
	{"OFFSET(zone.free_area)", FIELD(zone_free_area), COUNT, REQUIRED, 0, 65536},
	{"OFFSET(zone.vm_stat)", FIELD(zone_vm_stat), COUNT, REQUIRED, 0, 65536},
	{"OFFSET(zone.spanned_pages)", FIELD(zone_spanned_pages), COUNT, REQUIRED, 0, 65536},
	{"SIZE(free_area)", FIELD(free_area_bytes), COUNT, REQUIRED, 24, 1024},
	{"OFFSET(free_area.free_list)", FIELD(free_area_free_list), COUNT, REQUIRED, 0, 1024},
	{"LENGTH(zone.free_area)", FIELD(zone_free_area_length), COUNT, REQUIRED, 1, 20},
	{"LENGTH(free_area.free_list)", FIELD(free_list_length), COUNT, REQUIRED, 1, 32},
	{"SIZE(list_head)", FIELD(list_head_bytes), COUNT, REQUIRED, 16, 16},
	{"OFFSET(list_head.next)", FIELD(list_head_next), COUNT, REQUIRED, 0, 8},
	{"NUMBER(NR_FREE_PAGES)", FIELD(nr_free_pages), COUNT, REQUIRED, 0, 256},
	{"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", FIELD(buddy_mapcount), WORD, REQUIRED, 1,
	 UINT32_MAX - 1},
	{"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", FIELD(slab_mapcount), WORD, OPTIONAL, ANY},
	{"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", FIELD(hugetlb_mapcount), WORD, OPTIONAL, ANY},
	{"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", FIELD(offline_mapcount), WORD, OPTIONAL, ANY},
	{"NUMBER(PG_slab)", FIELD(pg_slab), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_lru)", FIELD(pg_lru), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_swapbacked)", FIELD(pg_swapbacked), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_private)", FIELD(pg_private), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_swapcache)", FIELD(pg_swapcache), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_zeroed)", FIELD(pg_zeroed), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_head_mask)", FIELD(pg_head_mask), COUNT, OPTIONAL, ANY},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static uint64_t *field_of(struct fcp_guest_note *note, const struct key *key)
{
	return (uint64_t *)(void *)((char *)note + key->field);
}

/* A value that fills the text: the kernel prints %lx, %ld, %u or %#lx. */
static bool parse_value(const char *text, enum form form, uint64_t *value_)
{
	bool negative = form != ADDRESS && text[0] == '-';
	const char *digits = text + negative;
	bool hex = form == ADDRESS || (digits[0] == '0' && digits[1] == 'x');
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)digits[0]))
		return false;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno != 0 || *end != '\0')
		return false;
	/* Of 32 bits, or negative as a long of them. */
	if (form == WORD && value > (negative ? UINT64_C(1) << 31 : UINT32_MAX))
		return false;
	*value_ = negative ? 0 - value : value;
	if (form == WORD)
		*value_ &= UINT32_MAX;
	return true;
}

/* The kernel writes none twice: which of the two would hold? */
static int twice(struct fcp_error *err, const char *name)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s: given twice", name);
}

static int take_key(struct fcp_guest_note *note, const struct key *key, const char *text,
		    struct fcp_error *err)
{
	uint64_t *field = field_of(note, key);
	uint64_t value;

	/* All ones would read as "no such key", and no gate would see it. */
	if (!parse_value(text, key->form, &value) || value < key->least || value > key->most ||
	    value == FCP_GUEST_NONE)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s: implausible value",
				     key->name);
	if (*field != FCP_GUEST_NONE)
		return twice(err, key->name);
	*field = value;
	return 0;
}

static void take_symbol(struct fcp_guest_note *note, const char *line, const char *text)
{
	uint64_t value;

	if (strncmp(line, "SYMBOL(", 7) == 0 && parse_value(text, ADDRESS, &value) &&
	    value >= KERNEL_IMAGE_START && note->symbol_count < FCP_GUEST_NOTE_SYMBOLS_MAX)
		note->symbols[note->symbol_count++] = value;
}

/* It is shown on terminals, and a guest may be hostile. */
static bool is_release(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length < sizeof(((struct fcp_guest_note *)NULL)->release);
}

static int take_line(struct fcp_guest_note *note, char *line, struct fcp_error *err)
{
	char *value = strchr(line, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	/* crash_save_vmcoreinfo() adds it: what runs now is another kernel, or none. */
	if (strcmp(line, "CRASHTIME") == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "this kernel has crashed");
	if (strcmp(line, "OSRELEASE") == 0) {
		if (note->release[0] != '\0')
			return twice(err, line);
		if (!is_release(value))
			return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "OSRELEASE: implausible");
		strcpy(note->release, value);
		return 0;
	}
	take_symbol(note, line, value);
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(line, keys[i].name) == 0)
			return take_key(note, &keys[i], value, err);
	return 0;
}

static int missing(struct fcp_error *err, const char *name)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s is missing", name);
}

/* Keys that stand for one another, and structures that must hold their members. */
static int check_together(struct fcp_guest_note *note, struct fcp_error *err)
{
	if (note->page_table == FCP_GUEST_NONE)
		note->page_table = note->init_top_pgt;
	if (note->page_table == FCP_GUEST_NONE)
		return missing(err, "SYMBOL(swapper_pg_dir)");
	if (note->page_compound == FCP_GUEST_NONE)
		return missing(err, "OFFSET(page.compound_head)");
	/* The readers take mem_section, node_data where they are named, and their sizes with them:
	 * mem_map, contig_page_data stand in for a name that is missing, never for a size. */
	if (note->mem_section == FCP_GUEST_NONE
		    ? note->mem_map == FCP_GUEST_NONE
		    : note->mem_section_length == FCP_GUEST_NONE ||
			      note->mem_section_bytes == FCP_GUEST_NONE ||
			      note->section_mem_map == FCP_GUEST_NONE ||
			      note->section_size_bits == FCP_GUEST_NONE ||
			      note->max_physmem_bits == FCP_GUEST_NONE)
		return missing(err, "a key of mem_section");
	if (note->node_data == FCP_GUEST_NONE ? note->contig_page_data == FCP_GUEST_NONE
					      : note->node_data_length == FCP_GUEST_NONE)
		return missing(err, "SYMBOL(node_data) or LENGTH(node_data)");
	return 0;
}

static bool holds(uint64_t bytes, uint64_t offset, uint64_t member)
{
	return offset + member <= bytes;
}

static int check_shapes(const struct fcp_guest_note *note, struct fcp_error *err)
{
	uint64_t areas = note->zone_free_area_length * note->free_area_bytes;
	uint64_t lists = note->free_list_length * note->list_head_bytes;
	uint64_t page = note->struct_page_bytes;

	if (page % 8 != 0 || !holds(page, note->page_flags, 8) ||
	    !holds(page, note->page_mapping, 8) || !holds(page, note->page_refcount, 4) ||
	    !holds(page, note->page_lru, 16) || !holds(page, note->page_mapcount, 4) ||
	    !holds(page, note->page_private, 8) || !holds(page, note->page_compound, 8))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "SIZE(page): too small");
	if (!holds(note->free_area_bytes, note->free_area_free_list, lists + 8) ||
	    !holds(note->zone_bytes, note->zone_free_area, areas) ||
	    !holds(note->zone_bytes, note->zone_vm_stat, (note->nr_free_pages + 1) * 8) ||
	    !holds(note->zone_bytes, note->zone_spanned_pages, 8))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "SIZE(zone): too small");
	if (!holds(note->pgdat_bytes, note->pgdat_node_zones, note->zone_bytes) ||
	    !holds(note->pgdat_bytes, note->pgdat_nr_zones, 4))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "SIZE(pglist_data): too small");
	if (note->mem_section != FCP_GUEST_NONE && note->section_mem_map != FCP_GUEST_NONE &&
	    note->mem_section_bytes != FCP_GUEST_NONE &&
	    (!holds(note->mem_section_bytes, note->section_mem_map, 8) ||
	     note->section_size_bits >= note->max_physmem_bits))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "SIZE(mem_section): implausible");
	return 0;
}

/* FNV-1a: tells copies of one note from other notes; nothing rests on it against an attacker, who
 * could make a copy just as well. */
static uint64_t digest_of(const char *text, size_t bytes)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes; i++)
		digest = (digest ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return digest;
}

int fcp_guest_note_parse(const char *text, size_t bytes, struct fcp_guest_note *note_,
			 struct fcp_error *err)
{
	struct fcp_guest_note note = {.text_bytes = bytes, .digest = digest_of(text, bytes)};
	char line[256];

	for (size_t i = 0; i < KEY_COUNT; i++)
		*field_of(&note, &keys[i]) = FCP_GUEST_NONE;
	for (size_t at = 0; at < bytes;) {
		const char *end = memchr(text + at, '\n', bytes - at);
		size_t length, taken;

		/* The kernel cuts a text that is too long for its page: a part of a value. */
		if (!end)
			break;
		length = (size_t)(end - (text + at));
		taken = length < sizeof(line) ? length : 0;
		memcpy(line, text + at, taken);
		line[taken] = '\0';
		if (take_line(&note, line, err) < 0)
			return -1;
		at += length + 1;
	}
	if (note.release[0] == '\0')
		return missing(err, "OSRELEASE");
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].need == REQUIRED && *field_of(&note, &keys[i]) == FCP_GUEST_NONE)
			return missing(err, keys[i].name);
	if (check_together(&note, err) < 0 || check_shapes(&note, err) < 0)
		return -1;
	*note_ = note;
	return 0;
}

bool fcp_guest_note_begins(const void *head)
{
	static const char name_and_text[] = "VMCOREINFO\0\0OSRELEASE=";
	uint32_t sizes[3]; /* of the name with its NUL, of the text, and the type */

	memcpy(sizes, head, sizeof(sizes));
	return sizes[0] == 11 && sizes[2] == 0 && sizes[1] > 10 &&
	       sizes[1] <= FCP_GUEST_NOTE_TEXT_MAX &&
	       memcmp((const char *)head + sizeof(sizes), name_and_text,
		      sizeof(name_and_text) - 1) == 0;
}

int fcp_guest_note_read(const struct fcp_guest_memory *memory, uint64_t gpa,
			struct fcp_guest_note *note_, struct fcp_error *err)
{
	char text[FCP_GUEST_NOTE_TEXT_MAX];
	char head[FCP_GUEST_NOTE_HEAD_BYTES];
	uint32_t bytes;

	if (fcp_guest_memory_read(memory, gpa, head, sizeof(head), err) < 0)
		return -1;
	if (!fcp_guest_note_begins(head))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "no note");
	memcpy(&bytes, head + 4, sizeof(bytes));
	if (fcp_guest_memory_read(memory, gpa + NOTE_HEADER_BYTES, text, bytes, err) < 0 ||
	    fcp_guest_note_parse(text, strnlen(text, bytes), note_, err) < 0)
		return -1;
	note_->gpa = gpa;
	return 0;
}
