// SPDX-License-Identifier: Apache-2.0
#include "guest_arm64.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE UINT64_C(4096)
#define IMAGE UINT64_C(0xffffffff80000000)
#define BYTES (64 * FIXTURE_MIB)
#define PFNS (ARM64_RAM / PAGE)
#define SECTION (UINT64_C(128) << 20)
#define MEMMAP_BYTES (FIXTURE_END / PAGE * FIXTURE_PAGE_BYTES)

#define TABLE UINT64_C(3)
#define TEXT UINT64_C(0x40000000000783) /* read only */
#define BLOCK(bits) ((bits) & ~UINT64_C(2))

/* ---- page tables ---- */

static unsigned top_level(const struct fixture *fixture)
{
	return fixture->settings.narrow ? 2 : 3;
}

uint64_t arm64_entry(struct fixture *fixture, uint64_t address, unsigned level)
{
	uint64_t table = FIXTURE_ROOT;

	for (unsigned at = top_level(fixture);; at--) {
		uint64_t entry = table + (address >> (12 + 9 * at)) % 512 * 8;
		uint64_t next;

		if (at == level)
			return entry;
		next = fixture_read_word(fixture, entry);
		if (next == 0) {
			next = (ARM64_RAM + FIXTURE_TABLES + fixture->tables_used++ * PAGE) | TABLE;
			fixture_write_word(fixture, entry, next);
		}
		table = (next & UINT64_C(0xfffffffff000)) - ARM64_RAM;
	}
}

static void map(struct fixture *fixture, uint64_t address, uint64_t at, unsigned level,
		uint64_t bits)
{
	fixture_write_word(fixture, arm64_entry(fixture, address, level),
			   (ARM64_RAM + at) | (level > 0 ? BLOCK(bits) : bits));
}

static void build_tables(struct fixture *fixture)
{
	uint64_t pfn = 0;

	fixture_punch(fixture, FIXTURE_ROOT, PAGE);
	fixture_punch(fixture, FIXTURE_TABLES, FIXTURE_MIB);
	fixture->tables_used = 0;
	for (unsigned i = 0; i < FIXTURE_TEXT_PAGES; i++)
		map(fixture, IMAGE + ARM64_TEXT + i * PAGE, ARM64_TEXT + i * PAGE, 0, TEXT);
	map(fixture, IMAGE + FIXTURE_DATA, FIXTURE_DATA, 1, ARM64_PAGE);
	for (uint64_t at = 0; at < BYTES; at += 2 * FIXTURE_MIB)
		map(fixture, fixture_direct(fixture, at), at, 1, ARM64_PAGE);
	for (; pfn < FIXTURE_END / PAGE; pfn += PAGE / FIXTURE_PAGE_BYTES)
		map(fixture, fixture_page_address(fixture, pfn), fixture_page(pfn), 0, ARM64_PAGE);
	for (; pfn < BYTES / PAGE; pfn += PAGE / FIXTURE_PAGE_BYTES)
		map(fixture, fixture_page_address(fixture, pfn), FIXTURE_MEMMAP + MEMMAP_BYTES, 0,
		    ARM64_PAGE);
}

static void build_text(struct fixture *fixture)
{
	unsigned char text[PAGE];

	memset(text, 0xcc, sizeof(text));
	for (unsigned i = 0; i < FIXTURE_TEXT_PAGES; i++)
		fixture_write(fixture, ARM64_TEXT + i * PAGE, text, sizeof(text));
}

/* The page frame numbers begin with RAM, so that the memmap's base is lower. */
static void build_sections(struct fixture *fixture)
{
	uint64_t coded = (fixture_page_address(fixture, 0) - PFNS * FIXTURE_PAGE_BYTES) | 0xf;

	fixture_punch(fixture, FIXTURE_SECTIONS, PAGE);
	fixture_write_word(fixture, FIXTURE_SECTIONS + ARM64_RAM / SECTION * 16, coded);
	fixture_write_word(fixture, FIXTURE_NODE + 4104, 0);	/* node_id */
	fixture_write_word(fixture, FIXTURE_NODE + 4112, PFNS); /* node_start_pfn */
	fixture_write_word(fixture, FIXTURE_NODE + 4120, BYTES / PAGE);
}

/* ---- the log: struct printk_ringbuffer, as the note's keys below have it ---- */

static void build_log(struct fixture *fixture)
{
	/* The descriptor before the first: finalized, without text. */
	uint64_t first = UINT64_MAX / 4 - ARM64_LOG_RECORDS;

	fixture_write_word(fixture, ARM64_LOG, IMAGE + ARM64_LOG + 8);
	fixture_write_half(fixture, ARM64_LOG + 8, 4); /* count_bits */
	fixture_write_word(fixture, ARM64_LOG + 16, IMAGE + ARM64_DESCS);
	fixture_write_word(fixture, ARM64_LOG + 32, first);
	fixture_write_word(fixture, ARM64_LOG + 40, first);
	fixture_write_half(fixture, ARM64_LOG + 48, 10); /* size_bits */
	fixture_write_word(fixture, ARM64_LOG + 56, IMAGE + ARM64_LOG_TEXT);
	fixture_write_word(fixture, ARM64_LOG + 64, 0 - (uint64_t)ARM64_LOG_BYTES);
	fixture_write_word(fixture, ARM64_DESCS + first % ARM64_LOG_RECORDS * 24,
			   first | UINT64_C(3) << 62);
}

void arm64_log(struct fixture *fixture, const char *text)
{
	uint64_t number = (fixture_read_word(fixture, ARM64_LOG + 32) + 1) & UINT64_MAX / 4;
	uint64_t tail = fixture_read_word(fixture, ARM64_LOG + 40);
	uint64_t begin = fixture_read_word(fixture, ARM64_LOG + 64);
	uint64_t bytes = 8 + (strlen(text) + 7) / 8 * 8, next = begin + bytes, at = begin;
	uint64_t desc = ARM64_DESCS + number % ARM64_LOG_RECORDS * 24;

	if (begin % ARM64_LOG_BYTES + bytes > ARM64_LOG_BYTES) {
		at = begin - begin % ARM64_LOG_BYTES + ARM64_LOG_BYTES;
		next = at + bytes;
	}
	fixture_write_word(fixture, desc, number | UINT64_C(2) << 62);
	fixture_write_word(fixture, desc + 8, begin);
	fixture_write_word(fixture, desc + 16, next);
	fixture_write_word(fixture, ARM64_LOG_TEXT + at % ARM64_LOG_BYTES, number);
	fixture_write(fixture, ARM64_LOG_TEXT + at % ARM64_LOG_BYTES + 8, text, strlen(text));
	fixture_write_word(fixture, ARM64_LOG + 32, number);
	fixture_write_word(fixture, ARM64_LOG + 64, next);
	if (((number - tail) & UINT64_MAX / 4) >= ARM64_LOG_RECORDS)
		fixture_write_word(fixture, ARM64_LOG + 40, (tail + 1) & UINT64_MAX / 4);
}

/* ---- the device tree ---- */

struct tree {
	uint32_t words[256];
	unsigned count;
};

static void put_text(struct tree *tree, const char *text, size_t bytes)
{
	memcpy(&tree->words[tree->count], text, bytes);
	tree->count += (unsigned)(bytes + 3) / 4;
}

static void put_word(struct tree *tree, uint32_t word)
{
	tree->words[tree->count++] = htobe32(word);
}

/* { other = "x"; chosen { bootargs = LINE; }; } */
static void build_tree(struct fixture *fixture, const char *line)
{
	static const char names[] = "other\0bootargs";
	struct tree tree = {.count = 10};
	uint32_t header[10] = {0xd00dfeed, 0, 40, 0, 40, 17, 16, 0, sizeof(names), 0};

	put_word(&tree, 1);
	put_text(&tree, "", 1);
	put_word(&tree, 3), put_word(&tree, 2), put_word(&tree, 0), put_text(&tree, "x", 2);
	put_word(&tree, 1);
	put_text(&tree, "chosen", 7);
	put_word(&tree, 4);
	put_word(&tree, 3), put_word(&tree, (uint32_t)strlen(line) + 1), put_word(&tree, 6);
	put_text(&tree, line, strlen(line) + 1);
	put_word(&tree, 2), put_word(&tree, 2), put_word(&tree, 9);
	header[9] = (tree.count - 10) * 4;
	header[3] = tree.count * 4;
	put_text(&tree, names, sizeof(names));
	header[1] = tree.count * 4;
	for (unsigned i = 0; i < 10; i++)
		tree.words[i] = htobe32(header[i]);
	fixture_write(fixture, ARM64_TREE, tree.words, tree.count * 4);
}

/* ---- the note ---- */

static const char *const note_lines[] = {
	"SYMBOL(_stext)=ffffffff80100000",
	"NUMBER(kimage_voffset)=0xffffffff00000000",
	"OFFSET(pglist_data.node_id)=4104",
	"OFFSET(pglist_data.node_start_pfn)=4112",
	"OFFSET(pglist_data.node_spanned_pages)=4120",
	"SYMBOL(prb)=ffffffff81210000",
	"OFFSET(printk_ringbuffer.desc_ring)=0",
	"OFFSET(printk_ringbuffer.text_data_ring)=40",
	"OFFSET(prb_desc_ring.count_bits)=0",
	"OFFSET(prb_desc_ring.descs)=8",
	"OFFSET(prb_desc_ring.head_id)=24",
	"OFFSET(prb_desc_ring.tail_id)=32",
	"SIZE(prb_desc)=24",
	"OFFSET(prb_desc.state_var)=0",
	"OFFSET(prb_desc.text_blk_lpos)=8",
	"OFFSET(prb_data_blk_lpos.begin)=0",
	"OFFSET(prb_data_blk_lpos.next)=8",
	"OFFSET(prb_data_ring.size_bits)=0",
	"OFFSET(prb_data_ring.data)=8",
	"OFFSET(prb_data_ring.head_lpos)=16",
};

static bool is_of(const char *line, const char *key)
{
	size_t length = strcspn(key, "=");

	return strncmp(line, key, length) == 0 && line[length] == '=';
}

/* Does an arm64 kernel's note have the line of an x86_64 one's? */
static bool is_kept(const char *line, const struct arm64_settings *settings)
{
	return !is_of(line, "NUMBER(phys_base)") && !is_of(line, "NUMBER(pgtable_l5_enabled)") &&
	       !is_of(line, "NUMBER(sme_mask)") && !is_of(line, "SYMBOL(_stext)") &&
	       (settings->names_node ||
		(!is_of(line, "SYMBOL(node_data)") && !is_of(line, "LENGTH(node_data)")));
}

struct text {
	char bytes[6000];
	size_t length;
};

static void put_line(struct text *text, const char *line, const char *edit)
{
	if (edit && is_of(line, edit))
		line = strchr(edit, '=') ? edit : NULL;
	if (line)
		text->length += (size_t)snprintf(text->bytes + text->length,
						 sizeof(text->bytes) - text->length, "%s\n", line);
}

static void build_note(struct fixture *fixture, const struct arm64_settings *settings)
{
	struct text text = {.length = 0};
	unsigned bits = settings->va39 ? 39 : 48;
	uint64_t phys_offset = ARM64_RAM - (UINT64_C(1) << bits) - fixture_direct(fixture, 0);
	char old[6000], more[3][80];
	uint32_t bytes;

	fixture_read(fixture, FIXTURE_NOTE, old, sizeof(old));
	for (char *line = strtok(old + 24, "\n"); line; line = strtok(NULL, "\n"))
		if (is_kept(line, settings))
			put_line(&text, line, settings->note_edit);
	for (size_t i = 0; i < sizeof(note_lines) / sizeof(note_lines[0]); i++)
		put_line(&text, note_lines[i], settings->note_edit);
	snprintf(more[0], sizeof(more[0]), "NUMBER(VA_BITS)=%u", bits);
	snprintf(more[1], sizeof(more[1]), "NUMBER(TCR_EL1_T1SZ)=0x%x", 64 - bits);
	snprintf(more[2], sizeof(more[2]), "NUMBER(PHYS_OFFSET)=0x%llx",
		 (unsigned long long)phys_offset);
	for (unsigned i = 0; i < 3; i++)
		put_line(&text, more[i], settings->note_edit);
	bytes = (uint32_t)text.length;
	fixture_write(fixture, FIXTURE_NOTE + 4, &bytes, sizeof(bytes));
	fixture_write(fixture, FIXTURE_NOTE + 24, text.bytes, sizeof(text.bytes));
}

void arm64_build(struct fixture *fixture, const struct arm64_settings *settings)
{
	fixture_build(fixture, &(struct fixture_settings){.bytes = BYTES,
							  .narrow = settings->va39,
							  .no_trampoline = true});
	build_tables(fixture);
	build_text(fixture);
	build_sections(fixture);
	build_log(fixture);
	arm64_log(fixture, "Booting Linux on physical CPU 0x0000000000 [0x410fd083]");
	arm64_log(fixture, "Linux version " FIXTURE_RELEASE);
	if (settings->log)
		arm64_log(fixture, settings->log);
	if (settings->command_line)
		build_tree(fixture, settings->command_line);
	build_note(fixture, settings);
}
