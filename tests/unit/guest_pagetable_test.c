// SPDX-License-Identifier: Apache-2.0
/* Page tables by themselves: made by hand in a file, entry by entry. */
#include "guest/kernel/pagetable.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define RAM_BYTES (4 * MIB)
#define PRESENT UINT64_C(1)
#define WRITABLE UINT64_C(2)
#define LARGE UINT64_C(0x80)
#define NO_EXECUTE (UINT64_C(1) << 63)

/* Tables of levels 5 to 1, each where its number says. */
#define TABLE(level) ((uint64_t)(level)*MIB / 4)
#define OTHER(level) (TABLE(level) + PAGE)

static int fd;
static struct fcp_guest_memory memory;
static struct fcp_guest_tables tables;
static unsigned tables_seen;

static void put(uint64_t table, unsigned index, uint64_t entry)
{
	if (pwrite(fd, &entry, sizeof(entry), (off_t)(table + index * sizeof(entry))) !=
	    sizeof(entry)) {
		perror("pwrite");
		exit(1);
	}
}

static void seen(void *context, uint64_t gpa)
{
	(void)gpa;
	++*(unsigned *)context;
}

/* Empty RAM, and tables of that many levels whose root is at TABLE(levels). */
static void start(unsigned levels)
{
	struct fcp_error err = {0};

	fd = memfd_create("tables", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, RAM_BYTES) < 0 ||
	    fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0) {
		perror("memory");
		exit(1);
	}
	fcp_guest_tables_init(&tables, &memory, &fcp_guest_x86_64, TABLE(levels), levels);
	tables.on_table = seen;
	tables.context = &tables_seen;
	tables_seen = 0;
}

/* An address by its indices, the topmost first, sign-extended from that many levels. */
static uint64_t address_of(unsigned levels, unsigned l5, unsigned l4, unsigned l3, unsigned l2,
			   unsigned l1)
{
	unsigned unused = levels == 5 ? 7 : 16;
	uint64_t address = (uint64_t)l5 << 48 | (uint64_t)l4 << 39 | (uint64_t)l3 << 30 |
			   (uint64_t)l2 << 21 | (uint64_t)l1 << 12;

	return (uint64_t)((int64_t)(address << unused) >> unused);
}

static void leads_to(uint64_t address, struct fcp_guest_leaf expected, const char *what)
{
	struct fcp_guest_leaf leaf = {.start = 7};
	struct fcp_error err = {0};
	int status = fcp_guest_lookup(&tables, address, &leaf, &err);

	if (!ok(status == 0 && leaf.start == expected.start && leaf.bytes == expected.bytes &&
			leaf.mapped == expected.mapped &&
			(!leaf.mapped ||
			 (leaf.gpa == expected.gpa && leaf.executable == expected.executable &&
			  leaf.writable == expected.writable)),
		"%s", what))
		printf("# %d %#" PRIx64 " + %#" PRIx64 " -> %#" PRIx64 " %d%d%d %s\n", status,
		       leaf.start, leaf.bytes, leaf.gpa, leaf.mapped, leaf.executable,
		       leaf.writable, err.message);
	ok((fcp_guest_translate(&tables, address, &leaf, &err) == 0) == expected.mapped, "%s: %s",
	   what, expected.mapped ? "translated" : "not translated");
}

static void refuses(uint64_t address, enum fcp_error_class error_class, const char *what)
{
	struct fcp_guest_leaf leaf;
	struct fcp_error err = {0};

	ok(fcp_guest_lookup(&tables, address, &leaf, &err) < 0 && err.error_class == error_class,
	   "%s", what);
	ok(fcp_guest_translate(&tables, address, &leaf, &err) < 0 && err.error_class == error_class,
	   "%s: nor translated", what);
}

/* The same leaves below a root of four levels, or of five. */
static void leaves(unsigned levels)
{
	unsigned l5 = levels == 5 ? 300 : 0, l4 = levels == 5 ? 5 : 273;
	uint64_t address;

	start(levels);
	printf("# %u levels\n", levels);
	if (levels == 5)
		put(TABLE(5), 300, TABLE(4) | PRESENT | WRITABLE);
	put(TABLE(4), l4, TABLE(3) | PRESENT | WRITABLE);
	put(TABLE(3), 1, TABLE(2) | PRESENT | WRITABLE);
	put(TABLE(3), 2, (5 * GIB) | PRESENT | WRITABLE | LARGE);
	put(TABLE(2), 7, TABLE(1) | PRESENT | WRITABLE);
	put(TABLE(2), 8, (6 * MIB) | PRESENT | LARGE);
	put(TABLE(2), 9, (8 * MIB + PAGE) | PRESENT | LARGE | WRITABLE | NO_EXECUTE);
	put(TABLE(1), 0, (3 * MIB) | PRESENT | WRITABLE | LARGE);
	put(TABLE(1), 511, (3 * MIB + PAGE) | PRESENT | NO_EXECUTE | UINT64_C(0x7f0000000000e60));

	address = address_of(levels, l5, l4, 1, 7, 0);
	leads_to(address + 0xabc, (struct fcp_guest_leaf){address, PAGE, 3 * MIB, true, true, true},
		 "4 KiB; its bit 7 is a memory type");
	is_u64(tables_seen, levels, "a table of each level was read");
	leads_to(address + PAGE, (struct fcp_guest_leaf){.start = address + PAGE, .bytes = PAGE},
		 "its neighbour is not there");
	leads_to(address + 511 * PAGE + 8,
		 (struct fcp_guest_leaf){address + 511 * PAGE, PAGE, 3 * MIB + PAGE, true, false,
					 false},
		 "4 KiB, with bits above the address and flags below it");
	is_u64(tables_seen, levels, "neighbours cost no read");
	address = address_of(levels, l5, l4, 1, 8, 0);
	leads_to(address + 0x12345,
		 (struct fcp_guest_leaf){address, 2 * MIB, 6 * MIB, true, true, false},
		 "2 MiB, read only");
	address = address_of(levels, l5, l4, 1, 9, 0);
	leads_to(address + 2 * MIB - 1,
		 (struct fcp_guest_leaf){address, 2 * MIB, 8 * MIB, true, false, true},
		 "2 MiB, its memory type in bit 12, not executable");
	address = address_of(levels, l5, l4, 2, 0, 0);
	leads_to(address + GIB - 1,
		 (struct fcp_guest_leaf){address, GIB, 5 * GIB, true, true, true},
		 "1 GiB, its end beyond RAM");
	address = address_of(levels, l5, l4, 1, 10, 0);
	leads_to(address + 5, (struct fcp_guest_leaf){.start = address, .bytes = 2 * MIB},
		 "2 MiB not there");
	address = address_of(levels, l5, l4, 3, 0, 0);
	leads_to(address + 5, (struct fcp_guest_leaf){.start = address, .bytes = GIB},
		 "1 GiB not there");
	address = address_of(levels, l5, l4 + 1, 0, 0, 0);
	leads_to(address + 5, (struct fcp_guest_leaf){.start = address, .bytes = 512 * GIB},
		 "512 GiB not there");
	if (levels == 5) {
		address = address_of(levels, l5 + 1, 0, 0, 0, 0);
		leads_to(address + 5,
			 (struct fcp_guest_leaf){.start = address, .bytes = UINT64_C(1) << 48},
			 "256 TiB not there");
	}
	close(fd);
}

static void rights(void)
{
	uint64_t address = address_of(4, 0, 0, 0, 0, 0);

	start(4);
	put(TABLE(4), 0, TABLE(3) | PRESENT | WRITABLE);
	put(TABLE(3), 0, TABLE(2) | PRESENT);
	put(TABLE(2), 0, TABLE(1) | PRESENT | WRITABLE | NO_EXECUTE);
	put(TABLE(1), 0, (3 * MIB) | PRESENT | WRITABLE);
	leads_to(address, (struct fcp_guest_leaf){address, PAGE, 3 * MIB, true, false, false},
		 "what a table above forbids is forbidden");
	close(fd);
}

static void not_canonical(void)
{
	start(4);
	leads_to(UINT64_C(0x0000800000000123),
		 (struct fcp_guest_leaf){.start = UINT64_C(0x0000800000000000), .bytes = PAGE},
		 "just above the lower half");
	leads_to(UINT64_C(0xffff7fffffffffff),
		 (struct fcp_guest_leaf){.start = UINT64_C(0xffff7ffffffff000), .bytes = PAGE},
		 "just below the upper half");
	leads_to(UINT64_C(0xff11000000000000),
		 (struct fcp_guest_leaf){.start = UINT64_C(0xff11000000000000), .bytes = PAGE},
		 "an address of five levels");
	is_u64(tables_seen, 0, "no table is read for it");
	leads_to(UINT64_MAX,
		 (struct fcp_guest_leaf){.start = UINT64_C(0xffffff8000000000), .bytes = 512 * GIB},
		 "the last address of all");
	close(fd);
	start(5);
	leads_to(UINT64_C(0x0100000000000000),
		 (struct fcp_guest_leaf){.start = UINT64_C(0x0100000000000000), .bytes = PAGE},
		 "of five levels: above the lower half");
	leads_to(UINT64_C(0xff11000000000000),
		 (struct fcp_guest_leaf){.start = UINT64_C(0xff11000000000000),
					 .bytes = UINT64_C(1) << 48},
		 "in the upper half");
	close(fd);
}

static void outside_ram(void)
{
	uint64_t good = address_of(4, 0, 0, 0, 0, 0);
	uint64_t bad = address_of(4, 0, 0, 1, 0, 0);

	start(4);
	put(TABLE(4), 0, TABLE(3) | PRESENT);
	put(TABLE(3), 0, (2 * GIB) | PRESENT | LARGE);
	put(TABLE(3), 1, RAM_BYTES | PRESENT);
	put(TABLE(3), 2, UINT64_C(0x000ffffffffff000) | PRESENT);
	put(TABLE(4), 1, (3 * GIB + GIB / 2) | PRESENT | LARGE);
	leads_to(good, (struct fcp_guest_leaf){good, GIB, 2 * GIB, true, true, false},
		 "a leaf outside RAM is a leaf");
	refuses(bad, FCP_ERR_UNSUPPORTED, "a table just beyond RAM");
	refuses(bad + GIB, FCP_ERR_UNSUPPORTED, "a table far beyond it");
	refuses(address_of(4, 0, 1, 0, 0, 0), FCP_ERR_UNSUPPORTED,
		"a topmost entry with the size bit is a table, in the hole below 4 GiB");
	leads_to(good, (struct fcp_guest_leaf){good, GIB, 2 * GIB, true, true, false},
		 "a failure does not spoil what is kept");
	put(TABLE(3), 1, TABLE(2) | PRESENT);
	ok(ftruncate(fd, TABLE(2)) == 0, "the file becomes shorter");
	fcp_guest_tables_init(&tables, &memory, &fcp_guest_x86_64, TABLE(4), 4);
	refuses(bad, FCP_ERR_IO, "a table that is gone");
	fcp_guest_tables_init(&tables, &memory, &fcp_guest_x86_64, RAM_BYTES, 4);
	refuses(good, FCP_ERR_UNSUPPORTED, "a root outside RAM");
	close(fd);
}

/* A table that points to itself: as many entries are read as there are levels, no more. */
static void cycles(unsigned levels)
{
	uint64_t root = TABLE(levels);
	uint64_t address = address_of(levels, levels == 5 ? 511 : 0, 511, 511, 511, 511);

	start(levels);
	put(root, 511, root | PRESENT);
	leads_to(address, (struct fcp_guest_leaf){address, PAGE, root, true, true, false},
		 "the root in itself ends as a page");
	is_u64(tables_seen, levels, "after one read a level");
	/* Two that point to each other, the leaf level not reached by a size bit. */
	put(root, 511, OTHER(levels) | PRESENT);
	put(OTHER(levels), 511, root | PRESENT);
	fcp_guest_tables_init(&tables, &memory, &fcp_guest_x86_64, root, levels);
	leads_to(address,
		 (struct fcp_guest_leaf){address, PAGE, levels == 5 ? OTHER(5) : root, true, true,
					 false},
		 "two in each other as well");
	close(fd);
}

static void reads(void)
{
	uint64_t address = address_of(4, 0, 511, 510, 0, 0);
	unsigned char bytes[3 * PAGE];
	struct fcp_error err = {0};
	uint64_t word = 0;

	start(4);
	put(TABLE(4), 511, TABLE(3) | PRESENT);
	put(TABLE(3), 510, TABLE(2) | PRESENT);
	put(TABLE(2), 0, TABLE(1) | PRESENT);
	put(TABLE(2), 1, PRESENT | LARGE | (2 * MIB));
	put(TABLE(1), 0, (3 * MIB) | PRESENT);
	put(TABLE(1), 1, (3 * MIB - PAGE) | PRESENT);
	put(TABLE(1), 3, RAM_BYTES | PRESENT);
	put(TABLE(1), 511, (3 * MIB + 4 * PAGE) | PRESENT);
	put(3 * MIB, 511, UINT64_C(0x1111111122222222));
	put(3 * MIB - PAGE, 0, UINT64_C(0x3333333344444444));
	put(3 * MIB + 4 * PAGE, 511, UINT64_C(0x5555555566666666));
	put(2 * MIB, 0, UINT64_C(0x7777777788888888));
	ok(fcp_guest_read_word(&tables, address + PAGE - 8, &word, &err) == 0 &&
		   word == UINT64_C(0x1111111122222222),
	   "the last word of a page");
	ok(fcp_guest_read_word(&tables, address + PAGE - 4, &word, &err) == 0 &&
		   word == UINT64_C(0x4444444411111111),
	   "a word across two pages that are no neighbours in RAM");
	ok(fcp_guest_read_word(&tables, address + 2 * MIB - 4, &word, &err) == 0 &&
		   word == UINT64_C(0x8888888855555555),
	   "across a page and a large one");
	ok(fcp_guest_read_virtual(&tables, address + 100, bytes, 2 * PAGE - 100, &err) == 0,
	   "up to the end of what is mapped");
	ok(fcp_guest_read_virtual(&tables, address + 100, bytes, 2 * PAGE, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "beyond it");
	has_str(err.message, "not mapped", "and why");
	ok(fcp_guest_read_word(&tables, address + 3 * PAGE, &word, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "mapped, but outside RAM");
	ok(fcp_guest_read_virtual(&tables, address + 2 * PAGE, bytes, 0, &err) == 0,
	   "no bytes of what is not mapped");
	close(fd);
}

int main(void)
{
	leaves(4);
	leaves(5);
	rights();
	not_canonical();
	outside_ram();
	cycles(4);
	cycles(5);
	reads();
	return done();
}
