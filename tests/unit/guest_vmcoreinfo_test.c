// SPDX-License-Identifier: Apache-2.0
/* The note by itself: what begins one, which keys it needs, which values are believed. */
#include "guest_fixture.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define NOTE_HEADER_BYTES 24

/* The good note's text, as the fixture has it. */
static char good[8192];
static size_t good_bytes;

static void take_good_text(void)
{
	struct fixture fixture;
	uint32_t bytes;

	fixture_build(&fixture, &(struct fixture_settings){0});
	fixture_read(&fixture, FIXTURE_NOTE + 4, &bytes, sizeof(bytes));
	fixture_read(&fixture, FIXTURE_NOTE + NOTE_HEADER_BYTES, good, bytes);
	good_bytes = bytes;
	fixture_close(&fixture);
}

/* Parses the good text with the line of edit's key replaced by edit ("KEY" alone: taken out), or
 * with edit behind it where there is none. The copy has its size exactly: a sanitizer sees more. */
static int parse_edited(const char *edit, struct fcp_guest_note *note_, struct fcp_error *err)
{
	size_t key = strcspn(edit, "="), edit_bytes = strlen(edit), length = 0;
	char *text = malloc(good_bytes + edit_bytes + 1);
	bool done = false;
	int status;

	if (!text)
		exit(1);
	for (const char *line = good; line < good + good_bytes;) {
		size_t bytes = strcspn(line, "\n") + 1;
		bool same = strncmp(line, edit, key) == 0 && line[key] == '=';

		if (!same) {
			memcpy(text + length, line, bytes);
			length += bytes;
		} else if (edit[key] != '\0') {
			memcpy(text + length, edit, edit_bytes);
			text[length + edit_bytes] = '\n';
			length += edit_bytes + 1;
		}
		done |= same;
		line += bytes;
	}
	if (!done && edit[key] != '\0') {
		memcpy(text + length, edit, edit_bytes);
		text[length + edit_bytes] = '\n';
		length += edit_bytes + 1;
	}
	text = realloc(text, length);
	if (!text)
		exit(1);
	status = fcp_guest_note_parse(text, length, note_, err);
	free(text);
	return status;
}

static void takes(const char *edit, struct fcp_guest_note *note_)
{
	struct fcp_error err = {0};

	memset(note_, 0x5a, sizeof(*note_));
	if (!ok(parse_edited(edit, note_, &err) == 0, "taken: %s", edit))
		printf("# %s\n", err.message);
}

/* Refused, and the message has what in it; *note_ is left alone. */
static void refuses(const char *edit, const char *what)
{
	struct fcp_guest_note note, before;
	struct fcp_error err = {0};

	memset(&note, 0x5a, sizeof(note));
	before = note;
	ok(parse_edited(edit, &note, &err) < 0 && err.error_class == FCP_ERR_UNSUPPORTED &&
		   memcmp(&note, &before, sizeof(note)) == 0,
	   "refused: %.64s", edit);
	has_str(err.message, what, "by its name");
}

static void heads(void)
{
	struct {
		uint32_t sizes[3];
		char text[FCP_GUEST_NOTE_HEAD_BYTES - 12];
	} head;

#define HEAD(name_bytes, text_bytes, type, first)                                            \
	(head.sizes[0] = (name_bytes), head.sizes[1] = (text_bytes), head.sizes[2] = (type), \
	 memcpy(head.text, first, sizeof(head.text)), fcp_guest_note_begins(&head))
	ok(HEAD(11, 2000, 0, "VMCOREINFO\0\0OSRELEASE="), "a note");
	ok(HEAD(11, FCP_GUEST_NOTE_TEXT_MAX, 0, "VMCOREINFO\0\0OSRELEASE="), "of the largest size");
	ok(HEAD(11, 11, 0, "VMCOREINFO\0\0OSRELEASE="), "of the smallest");
	ok(!HEAD(12, 2000, 0, "VMCOREINFO\0\0OSRELEASE="), "the name's size is wrong");
	ok(!HEAD(11, 2000, 1, "VMCOREINFO\0\0OSRELEASE="), "the type is wrong");
	ok(!HEAD(11, 0, 0, "VMCOREINFO\0\0OSRELEASE="), "no text");
	ok(!HEAD(11, 10, 0, "VMCOREINFO\0\0OSRELEASE="), "OSRELEASE= and no more");
	ok(!HEAD(11, FCP_GUEST_NOTE_TEXT_MAX + 1, 0, "VMCOREINFO\0\0OSRELEASE="), "too large");
	ok(!HEAD(11, UINT32_MAX, 0, "VMCOREINFO\0\0OSRELEASE="), "4 GiB large");
	ok(!HEAD(11, 2000, 0, "VMCOREINFX\0\0OSRELEASE="), "another name");
	ok(!HEAD(11, 2000, 0, "VMCOREINFO\0xOSRELEASE="), "padding that is none");
	ok(!HEAD(11, 2000, 0, "VMCOREINFO\0\0BUILD-ID=0="), "another first key");
#undef HEAD
}

static void reads_note(void)
{
	struct fcp_guest_memory memory;
	struct fcp_guest_note note, parsed;
	struct fcp_error err = {0};
	struct fixture fixture;
	uint32_t bytes = (uint32_t)good_bytes;

	fixture_build(&fixture, &(struct fixture_settings){0});
	if (fcp_guest_memory_open_file(fixture.fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0)
		exit(1);
	ok(fcp_guest_note_read(&memory, FIXTURE_NOTE, &note, &err) == 0, "the note is read");
	is_u64(note.gpa, FIXTURE_NOTE, "where it lies");
	ok(fcp_guest_note_parse(good, good_bytes, &parsed, &err) == 0 &&
		   parsed.digest == note.digest,
	   "its text's digest");
	ok(fcp_guest_note_read(&memory, FIXTURE_NOTE + 4096, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "where none begins");
	ok(fcp_guest_note_read(&memory, 32 * FIXTURE_MIB - 16, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a head beyond RAM");
	/* Zeros behind the text are no part of it: the size may say too much. */
	fixture_write_half(&fixture, FIXTURE_NOTE + 4, bytes + 100);
	ok(fcp_guest_note_read(&memory, FIXTURE_NOTE, &note, &err) == 0 &&
		   parsed.digest == note.digest,
	   "the text ends at its NUL");
	fixture_write_half(&fixture, FIXTURE_NOTE + 4, bytes / 2);
	ok(fcp_guest_note_read(&memory, FIXTURE_NOTE, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a size of half its text: keys are missing");
	fixture_write_half(&fixture, FIXTURE_NOTE + 4, bytes);
	fixture_write(&fixture, FIXTURE_NOTE + NOTE_HEADER_BYTES + bytes / 2, "", 1);
	ok(fcp_guest_note_read(&memory, FIXTURE_NOTE, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a NUL in the middle: too");
	/* At the end of RAM, the text goes beyond it. */
	for (uint32_t at = 0; at < NOTE_HEADER_BYTES + 12; at++) {
		char byte;

		fixture_read(&fixture, FIXTURE_NOTE + at, &byte, 1);
		fixture_write(&fixture, 32 * FIXTURE_MIB - 512 + at, &byte, 1);
	}
	ok(fcp_guest_note_read(&memory, 32 * FIXTURE_MIB - 512, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a text beyond RAM");
	ok(ftruncate(fixture.fd, (off_t)FIXTURE_NOTE) == 0 &&
		   fcp_guest_note_read(&memory, FIXTURE_NOTE, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_IO,
	   "a file that became shorter");
	fixture_close(&fixture);
}

static void values(void)
{
	struct fcp_guest_note note;

	takes("NUMBER(unknown)=whatever", &note);
	is_str(note.release, FIXTURE_RELEASE, "the release");
	is_u64(note.page_table, UINT64_C(0xffffffff81200000), "an address is hex");
	is_u64(note.max_physmem_bits, 46, "a number is decimal");
	is_u64(note.buddy_mapcount, 0xffffff7f, "-129 as 32 bits");
	is_u64(note.mem_map, FCP_GUEST_NONE, "what it does not have is NONE");
	is_u64(note.contig_page_data, FCP_GUEST_NONE, "of the nodes too");
	is_u64(note.symbol_count, 4, "the symbols in the image, not the one of the direct map");

	takes("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=4294967167", &note);
	is_u64(note.buddy_mapcount, 0xffffff7f, "printed as unsigned");
	takes("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=0xffffff7f", &note);
	is_u64(note.buddy_mapcount, 0xffffff7f, "printed as hex");
	takes("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=4110417919", &note);
	is_u64(note.slab_mapcount, 0xf4ffffff, "a page type of 6.11");
	takes("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-257", &note);
	is_u64(note.slab_mapcount, 0xfffffeff, "-257 as 32 bits");
	takes("NUMBER(PG_head_mask)=odd", &note);
	takes("NUMBER(phys_base)=-16777216", &note);
	is_u64(note.phys_base, UINT64_C(0xffffffffff000000), "a negative phys_base as 64 bits");
	takes("NUMBER(sme_mask)=0x800000000000", &note);
	is_u64(note.sme_mask, UINT64_C(1) << 47, "a mask in hex");
	takes("SYMBOL(mem_map)=ffffffff81203000", &note);
	is_u64(note.mem_map, UINT64_C(0xffffffff81203000), "FLATMEM's pointer");
}

static void stand_ins(void)
{
	struct fcp_guest_note note;
	struct fcp_error err = {0};
	static const char of_flat[] = "SYMBOL(mem_map)=ffffffff81203000\n";
	static const char top[] = "SYMBOL(init_top_pgt)=ffffffff81200000\n";
	char text[sizeof(good) + 100];
	char *at;

	refuses("SYMBOL(swapper_pg_dir)", "SYMBOL(swapper_pg_dir)");
	memcpy(text, good, good_bytes);
	at = memmem(text, good_bytes, "swapper_pg_dir", 14);
	memcpy(at, "another_symbol", 14);
	memcpy(text + good_bytes, top, sizeof(top) - 1);
	ok(fcp_guest_note_parse(text, good_bytes + sizeof(top) - 1, &note, &err) == 0 &&
		   note.page_table == UINT64_C(0xffffffff81200000),
	   "init_top_pgt stands in for swapper_pg_dir");
	refuses("OFFSET(page.compound_head)", "compound_head");
	memcpy(text, good, good_bytes);
	at = memmem(text, good_bytes, "compound_head", 13);
	memcpy(at, "compound_info", 13);
	ok(fcp_guest_note_parse(text, good_bytes, &note, &err) == 0 && note.page_compound == 8,
	   "compound_info stands in for compound_head");
	refuses("SYMBOL(mem_section)", "mem_section");
	refuses("NUMBER(SECTION_SIZE_BITS)", "mem_section");
	memcpy(text, good, good_bytes);
	at = memmem(text, good_bytes, "SYMBOL(mem_section)", 19);
	memcpy(at, "SYMBOL(mem_another)", 19);
	memcpy(text + good_bytes, of_flat, sizeof(of_flat) - 1);
	ok(fcp_guest_note_parse(text, good_bytes + sizeof(of_flat) - 1, &note, &err) == 0 &&
		   note.mem_section == FCP_GUEST_NONE,
	   "mem_map stands in for mem_section");
	refuses("LENGTH(node_data)", "node_data");
	refuses("SYMBOL(node_data)", "node_data");
	takes("SYMBOL(contig_page_data)=ffffffff81204000", &note);
}

static void missing_keys(void)
{
	static const char *const required[] = {
		"OSRELEASE",
		"PAGESIZE",
		"SYMBOL(_stext)",
		"SYMBOL(init_uts_ns)",
		"NUMBER(phys_base)",
		"NUMBER(pgtable_l5_enabled)",
		"SIZE(page)",
		"OFFSET(page.flags)",
		"OFFSET(page._refcount)",
		"OFFSET(page.mapping)",
		"OFFSET(page.lru)",
		"OFFSET(page._mapcount)",
		"OFFSET(page.private)",
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
	};
	struct fcp_guest_note note;

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		refuses(required[i], required[i]);
	takes("NUMBER(sme_mask)", &note);
	is_u64(note.sme_mask, FCP_GUEST_NONE, "which is not needed");
	takes("NUMBER(PG_slab)", &note);
	takes("OFFSET(uts_namespace.name)", &note);
}

static void implausible(void)
{
	static const char *const edits[] = {
		"PAGESIZE=16384",
		"PAGESIZE=-4096",
		"PAGESIZE=",
		"PAGESIZE=4096 ",
		"PAGESIZE= 4096",
		"PAGESIZE=0x",
		"PAGESIZE=--4096",
		"PAGESIZE=+4096",
		"PAGESIZE=a4096",
		"SYMBOL(_stext)=7fffffffffff",
		"SYMBOL(_stext)=ffffffffffffffff",
		"SYMBOL(_stext)=-ffffff81000000",
		"SYMBOL(_stext)=ffffffff810000000",
		"SYMBOL(_stext)=text",
		"OFFSET(uts_namespace.name)=257",
		"NUMBER(pgtable_l5_enabled)=2",
		"NUMBER(phys_base)=18446744073709551616",
		"LENGTH(mem_section)=0",
		"NUMBER(SECTION_SIZE_BITS)=12",
		"NUMBER(MAX_PHYSMEM_BITS)=64",
		"SIZE(page)=16",
		"SIZE(page)=0",
		"SIZE(page)=4096",
		"OFFSET(page.lru)=-8",
		"OFFSET(page.lru)=18446744073709551608",
		"LENGTH(node_data)=1025",
		"LENGTH(zone.free_area)=0",
		"LENGTH(zone.free_area)=21",
		"LENGTH(free_area.free_list)=33",
		"SIZE(list_head)=8",
		"OFFSET(list_head.next)=16",
		"NUMBER(NR_FREE_PAGES)=-1",
		"NUMBER(PG_slab)=64",
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=0",
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-1",
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=4294967296",
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=8589934463",	 /* 0x1ffffff7f: no 32 bits */
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-4294967425", /* their negative */
		"OSRELEASE=",
		"OSRELEASE=6.1.0\033[2J",
		"OSRELEASE=6.1.0 amd64",
		"OSRELEASE=6.1.0\x80",
		"OSRELEASE=12345678901234567890123456789012345678901234567890123456789012345",
	};
	struct fcp_guest_note note;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)strcspn(edits[i], "="), edits[i]);
		refuses(edits[i], key);
	}
	takes("OSRELEASE=1234567890123456789012345678901234567890123456789012345678901234", &note);
	is_u64(strlen(note.release), 64, "a release of 64 characters");
}

static void shapes(void)
{
	struct fcp_guest_note note;

	takes("SIZE(page)=56", &note); /* _refcount ends there */
	refuses("SIZE(page)=48", "SIZE(page)");
	refuses("OFFSET(page.private)=60", "SIZE(page)");
	refuses("OFFSET(page.lru)=56", "SIZE(page)");
	refuses("OFFSET(page._mapcount)=64", "SIZE(page)");
	refuses("SIZE(page)=60", "SIZE(page)");
	refuses("SIZE(zone)=512", "SIZE(zone)");
	refuses("OFFSET(zone.free_area)=600", "SIZE(zone)");
	refuses("NUMBER(NR_FREE_PAGES)=16", "SIZE(zone)");
	refuses("SIZE(free_area)=32", "SIZE(zone)");
	refuses("OFFSET(free_area.free_list)=8", "SIZE(zone)");
	refuses("OFFSET(zone.spanned_pages)=1020", "SIZE(zone)");
	refuses("SIZE(pglist_data)=1000", "SIZE(pglist_data)");
	refuses("OFFSET(pglist_data.nr_zones)=8190", "SIZE(pglist_data)");
	refuses("OFFSET(mem_section.section_mem_map)=16", "SIZE(mem_section)");
	refuses("NUMBER(SECTION_SIZE_BITS)=15", "SECTION_SIZE_BITS");
}

/* The kernel cuts a text that is too long for its page (vmcoreinfo_append_str()). */
static void truncated(void)
{
	static const char last[] = "LENGTH(node_data)=4\nNUMBER(sme_mask)=0\n";
	size_t needed = good_bytes - (sizeof(last) - 1);
	unsigned taken = 0;
	struct fcp_guest_note note;
	struct fcp_error err = {0};
	char text[sizeof(good)];
	char *copy;

	for (size_t bytes = 0; bytes < needed; bytes++) {
		copy = malloc(bytes + 1);
		if (!copy)
			exit(1);
		memcpy(copy, good, bytes);
		copy[bytes] = 'x'; /* not to be looked at */
		taken += fcp_guest_note_parse(copy, bytes, &note, &err) == 0;
		free(copy);
	}
	is_u64(taken, 0, "a text cut anywhere before its last needed key is refused");

	/* Where a line is cut, its value may be another: 102 for 1024. */
	memcpy(text, good, good_bytes);
	copy = memmem(text, good_bytes, "SIZE(zone)=1024\n", 16);
	memmove(copy, copy + 16, (size_t)(text + good_bytes - (copy + 16)));
	memcpy(text + good_bytes - 16, "SIZE(zone)=1024\n", 16);
	ok(fcp_guest_note_parse(text, good_bytes - 1, &note, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a last line without its end does not count");
	ok(fcp_guest_note_parse(text, good_bytes, &note, &err) == 0 && note.zone_bytes == 1024,
	   "with its end it does");
}

static void odd_lines(void)
{
	struct fcp_guest_note note;
	char text[sizeof(good) + 4096];
	struct fcp_error err = {0};
	char edit[400] = "SIZE(page)=";
	size_t length = good_bytes;

	memset(edit + 11, '0', 300);
	strcpy(edit + 311, "64");
	refuses(edit, "SIZE(page)");
	refuses("NUMBER(sme_mask)=-1", "NUMBER(sme_mask)");
	refuses("CRASHTIME=1700000000", "crashed");
	memcpy(text, good, good_bytes);
	length += (size_t)snprintf(text + length, 200, "\n\n=\n=5\nCRASHTIME\nSIZE(pages)=128\n");
	ok(fcp_guest_note_parse(text, length, &note, &err) == 0, "empty lines, lines of no key");
	length = good_bytes;
	for (unsigned i = 0; i < 70; i++)
		length += (size_t)snprintf(text + length, 50, "SYMBOL(s%u)=ffffffff81%06x\n", i, i);
	ok(fcp_guest_note_parse(text, length, &note, &err) == 0 &&
		   note.symbol_count == FCP_GUEST_NOTE_SYMBOLS_MAX - 1,
	   "more symbols than are kept, one of them of the direct map");
	ok(fcp_guest_note_parse("", 0, &note, &err) < 0 && err.error_class == FCP_ERR_UNSUPPORTED,
	   "no text");
}

/* Which of two would hold? The kernel writes none twice. */
static void given_twice(void)
{
	static const char *const lines[] = {"SIZE(page)=64", "OSRELEASE=6.1.0-fixture",
					    "OFFSET(page.compound_info)=8"};
	struct fcp_guest_note note;
	struct fcp_error err = {0};
	char text[sizeof(good) + 100];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t length = good_bytes;

		memcpy(text, good, good_bytes);
		length += (size_t)snprintf(text + length, 100, "%s\n", lines[i]);
		ok(fcp_guest_note_parse(text, length, &note, &err) < 0 &&
			   err.error_class == FCP_ERR_UNSUPPORTED,
		   "%s once more", lines[i]);
		has_str(err.message, "twice", "and why");
	}
}

int main(void)
{
	take_good_text();
	heads();
	reads_note();
	values();
	stand_ins();
	missing_keys();
	implausible();
	shapes();
	truncated();
	odd_lines();
	given_twice();
	return done();
}
