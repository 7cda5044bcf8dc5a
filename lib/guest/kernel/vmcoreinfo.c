// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/vmcoreinfo.h"

#include "base/error.h"
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_HEADER_BYTES 24

enum form {
	ADDRESS, /* hex without 0x */
	COUNT,	 /* decimal or 0x, perhaps negative: taken as 64 bits, two's complement */
	WORD,	 /* the same, as 32 bits: printed as long, as int or as unsigned */
};

/* LENIENT: a value out of bounds counts as absent. */
enum need { REQUIRED, OPTIONAL, LENIENT };

struct key {
	const char *name;
	size_t field; /* of struct fcp_guest_note */
	enum form form;
	enum need need;
	uint64_t least, most;
};

#define FIELD(name) offsetof(struct fcp_guest_note, name)
#define KERNEL_HALF_START UINT64_C(0xff00000000000000)
#define KERNEL_HALF KERNEL_HALF_START, UINT64_C(0xfffffffffffffff0)
#define ANY 0, UINT64_MAX

/* What the readers use, and its bounds: an offset lies in its structure's first page or so, so that
 * no read made of it wraps or is large. Which keys must be there besides the required ones, the
 * architecture says. */
static const struct key keys[] = {
	{"PAGESIZE", FIELD(page_bytes), COUNT, REQUIRED, 4096, 65536},
	{"SYMBOL(swapper_pg_dir)", FIELD(page_table), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"SYMBOL(init_top_pgt)", FIELD(init_top_pgt), ADDRESS, OPTIONAL, KERNEL_HALF},
	{"SYMBOL(_stext)", FIELD(stext), ADDRESS, REQUIRED, KERNEL_HALF},
	{"SYMBOL(init_uts_ns)", FIELD(init_uts_ns), ADDRESS, REQUIRED, KERNEL_HALF},
	{"OFFSET(uts_namespace.name)", FIELD(uts_name), COUNT, OPTIONAL, 0, 256},
	{"NUMBER(phys_base)", FIELD(phys_base), COUNT, OPTIONAL, ANY},
	{"NUMBER(pgtable_l5_enabled)", FIELD(five_levels), COUNT, OPTIONAL, 0, 1},
	{"NUMBER(sme_mask)", FIELD(sme_mask), COUNT, OPTIONAL, ANY},
	{"NUMBER(kimage_voffset)", FIELD(kimage_voffset), COUNT, OPTIONAL, ANY},
	{"NUMBER(PHYS_OFFSET)", FIELD(phys_offset), COUNT, OPTIONAL, ANY},
	{"NUMBER(VA_BITS)", FIELD(va_bits), COUNT, OPTIONAL, 36, 52},
	{"NUMBER(TCR_EL1_T1SZ)", FIELD(t1sz), COUNT, OPTIONAL, 12, 39},
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
	{"OFFSET(pglist_data.node_id)", FIELD(pgdat_node_id), COUNT, LENIENT, 0, 1 << 22},
	{"OFFSET(pglist_data.node_start_pfn)", FIELD(pgdat_start_pfn), COUNT, LENIENT, 0, 1 << 22},
	{"OFFSET(pglist_data.node_spanned_pages)", FIELD(pgdat_spanned_pages), COUNT, LENIENT, 0,
	 1 << 22},
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
	{"NUMBER(PG_slab)", FIELD(pg_slab), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_swapbacked)", FIELD(pg_swapbacked), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_private)", FIELD(pg_private), COUNT, OPTIONAL, 0, 63},
	{"NUMBER(PG_zeroed)", FIELD(pg_zeroed), COUNT, OPTIONAL, 0, 63},
	{"SYMBOL(prb)", FIELD(log.prb), ADDRESS, LENIENT, KERNEL_HALF},
	{"OFFSET(printk_ringbuffer.desc_ring)", FIELD(log.desc_ring), COUNT, LENIENT, 0, 1024},
	{"OFFSET(printk_ringbuffer.text_data_ring)", FIELD(log.text_ring), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_desc_ring.count_bits)", FIELD(log.count_bits), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_desc_ring.descs)", FIELD(log.descs), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_desc_ring.head_id)", FIELD(log.head_id), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_desc_ring.tail_id)", FIELD(log.tail_id), COUNT, LENIENT, 0, 1024},
	{"SIZE(prb_desc)", FIELD(log.desc_bytes), COUNT, LENIENT, 24, 256},
	{"OFFSET(prb_desc.state_var)", FIELD(log.state), COUNT, LENIENT, 0, 248},
	{"OFFSET(prb_desc.text_blk_lpos)", FIELD(log.text_block), COUNT, LENIENT, 0, 240},
	{"OFFSET(prb_data_blk_lpos.begin)", FIELD(log.begin), COUNT, LENIENT, 0, 8},
	{"OFFSET(prb_data_blk_lpos.next)", FIELD(log.next), COUNT, LENIENT, 0, 8},
	{"OFFSET(prb_data_ring.size_bits)", FIELD(log.size_bits), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_data_ring.data)", FIELD(log.data), COUNT, LENIENT, 0, 1024},
	{"OFFSET(prb_data_ring.head_lpos)", FIELD(log.head_lpos), COUNT, LENIENT, 0, 1024},
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

int fcp_guest_note_missing(struct fcp_error *err, const char *key)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s is missing", key);
}

static int note_implausible(struct fcp_error *err, const char *key)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s: implausible value", key);
}

/* The kernel writes each key once: which of two values would hold? */
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
		return key->need == LENIENT ? 0 : note_implausible(err, key->name);
	if (*field != FCP_GUEST_NONE)
		return twice(err, key->name);
	*field = value;
	return 0;
}

static void take_symbol(struct fcp_guest_note *note, const char *line, const char *text)
{
	uint64_t value;

	if (strncmp(line, "SYMBOL(", 7) == 0 && parse_value(text, ADDRESS, &value) &&
	    value >= KERNEL_HALF_START && note->symbol_count < FCP_GUEST_NOTE_SYMBOLS_MAX)
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

static int take_note_line(struct fcp_guest_note *note, char *line, struct fcp_error *err)
{
	char *value = strchr(line, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	/* crash_save_vmcoreinfo() adds it: another kernel runs now, if any. */
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

/* Keys that stand for one another, and structures that must hold their members. */
static int check_together(struct fcp_guest_note *note, struct fcp_error *err)
{
	if (note->page_table == FCP_GUEST_NONE)
		note->page_table = note->init_top_pgt;
	if (note->page_table == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "SYMBOL(swapper_pg_dir)");
	if (note->page_compound == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "OFFSET(page.compound_head)");
	/* The readers take mem_section, node_data where they are named, and their sizes with them:
	 * mem_map, contig_page_data stand in for a name that is missing, never for a size. */
	if (note->mem_section == FCP_GUEST_NONE
		    ? note->mem_map == FCP_GUEST_NONE
		    : note->mem_section_length == FCP_GUEST_NONE ||
			      note->mem_section_bytes == FCP_GUEST_NONE ||
			      note->section_mem_map == FCP_GUEST_NONE ||
			      note->section_size_bits == FCP_GUEST_NONE ||
			      note->max_physmem_bits == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "a key of mem_section");
	if (note->node_data != FCP_GUEST_NONE && note->node_data_length == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "LENGTH(node_data)");
	return 0;
}

static bool in_note_image(const struct fcp_guest_note *note, uint64_t address)
{
	return address >= note->image.start && address < note->image.end;
}

static int check_note_image(const struct fcp_guest_note *note, struct fcp_error *err)
{
	if (!in_note_image(note, note->stext))
		return note_implausible(err, "SYMBOL(_stext)");
	if (!in_note_image(note, note->page_table))
		return note_implausible(err, "SYMBOL(swapper_pg_dir)");
	if (!in_note_image(note, note->init_uts_ns))
		return note_implausible(err, "SYMBOL(init_uts_ns)");
	return 0;
}

/* Those outside the image are addresses that are stored in symbols: of the direct map. */
static void keep_image_symbols(struct fcp_guest_note *note)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < note->symbol_count; i++)
		if (in_note_image(note, note->symbols[i]))
			note->symbols[kept++] = note->symbols[i];
	note->symbol_count = kept;
}

static int take_arch(struct fcp_guest_note *note, struct fcp_error *err)
{
	bool x86_64 = note->phys_base != FCP_GUEST_NONE;
	bool arm64 = note->kimage_voffset != FCP_GUEST_NONE;

	if (x86_64 && arm64)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "keys of two architectures: phys_base and kimage_voffset");
	if (!x86_64 && !arm64)
		return fcp_guest_note_missing(err, "NUMBER(phys_base) or NUMBER(kimage_voffset)");
	if (note->page_bytes != FCP_PAGE_BYTES)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"PAGESIZE: the guest's pages are of %llu KiB; only those of 4 KiB "
			"are supported",
			(unsigned long long)note->page_bytes >> 10);
	note->arch = x86_64 ? &fcp_guest_x86_64 : &fcp_guest_arm64;
	if (note->arch->take_note(note, err) < 0 || check_note_image(note, err) < 0)
		return -1;
	keep_image_symbols(note);
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

/* FNV-1a: tells copies of one note from other notes. It need not withstand an attacker, who could
 * make a copy as well. */
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
	struct fcp_guest_note note = {.digest = digest_of(text, bytes)};
	char line[256];

	for (size_t i = 0; i < KEY_COUNT; i++)
		*field_of(&note, &keys[i]) = FCP_GUEST_NONE;
	for (size_t at = 0; at < bytes;) {
		const char *end = memchr(text + at, '\n', bytes - at);
		size_t length, taken;

		/* The kernel cuts a text that is too long for its page: the last value is
		 * incomplete. */
		if (!end)
			break;
		length = (size_t)(end - (text + at));
		taken = length < sizeof(line) ? length : 0;
		memcpy(line, text + at, taken);
		line[taken] = '\0';
		if (take_note_line(&note, line, err) < 0)
			return -1;
		at += length + 1;
	}
	if (note.release[0] == '\0')
		return fcp_guest_note_missing(err, "OSRELEASE");
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].need == REQUIRED && *field_of(&note, &keys[i]) == FCP_GUEST_NONE)
			return fcp_guest_note_missing(err, keys[i].name);
	if (check_together(&note, err) < 0 || take_arch(&note, err) < 0 ||
	    check_shapes(&note, err) < 0)
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
