// SPDX-License-Identifier: Apache-2.0
/* The memmap by itself: sections of either kind, none at all, struct pages and where they lie. */
#include "guest/allocator/memmap.h"
#include "guest_fixture.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define SECTION_PAGES UINT64_C(0x8000)
#define GIB (UINT64_C(1) << 30)

static struct fixture fixture;
static struct fcp_guest_kernel kernel;
static struct fcp_guest_memmap memmap;

static void open_kernel(const struct fixture_settings *settings)
{
	struct fcp_guest_memory memory, view;
	enum fcp_guest_proof proof;
	struct fcp_error err = {0};

	fixture_build(&fixture, settings);
	if (fcp_guest_memory_open_file(fixture.fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0 ||
	    !fcp_guest_memory_layout(&memory, settings->low_hole > 3 * GIB, &view) ||
	    fcp_guest_kernel_open(&view, FIXTURE_NOTE, &kernel, &proof, &err) < 0) {
		printf("Bail out! the fixture's kernel: %s\n", err.message);
		exit(1);
	}
}

static void close_all(void)
{
	fcp_guest_memmap_clear(&memmap);
	fixture_close(&fixture);
}

static bool init(const char *what)
{
	struct fcp_error err = {0};
	bool done = ok(fcp_guest_memmap_init(&kernel, &memmap, &err) == 0, "%s", what);

	if (!done)
		printf("# %s\n", err.message);
	return done;
}

static void refuses_init(const char *what, const char *message)
{
	struct fcp_error err = {0};

	ok(fcp_guest_memmap_init(&kernel, &memmap, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "%s", what);
	has_str(err.message, message, "and why");
	close_all();
}

static void page_is(uint64_t pfn, unsigned order, const char *what)
{
	struct fcp_guest_page page = {0};
	struct fcp_error err = {0};

	ok(fcp_guest_memmap_read_page(&memmap, pfn, &page, &err) == 0 &&
		   page.mapcount == FIXTURE_BUDDY && page.refcount == 0 && page.private_ == order &&
		   page.mapping == 0,
	   "%s", what);
}

/* An address for each page of RAM, and the page of each address. */
static void addresses(const char *what)
{
	static const uint64_t pfns[] = {0, 1, 0x209, 0x1fff};

	for (size_t i = 0; i < sizeof(pfns) / sizeof(pfns[0]); i++) {
		uint64_t address = fixture_page_address(&fixture, pfns[i]);
		uint64_t pfn = 7;

		ok(fcp_guest_memmap_address(&memmap, pfns[i]) == address &&
			   fcp_guest_memmap_pfn(&memmap, address, &pfn) && pfn == pfns[i],
		   "%s: PFN %#" PRIx64 " and its address", what, pfns[i]);
		ok(!fcp_guest_memmap_pfn(&memmap, address + 8, &pfn), "no page in its middle");
	}
	is_u64(fcp_guest_memmap_address(&memmap, memmap.section_count * memmap.section_pages), 0,
	       "none behind the last section");
}

static void sparse(const struct fixture_settings *settings, const char *what)
{
	uint64_t pfn;

	open_kernel(settings);
	if (!init(what))
		return;
	is_u64(memmap.section_pages, SECTION_PAGES, "pages of a section");
	is_u64(memmap.section_count, 1, "RAM needs one");
	is_u64(fcp_guest_memmap_section_end(&memmap, 5), SECTION_PAGES, "its end");
	is_u64(fcp_guest_memmap_section_end(&memmap, SECTION_PAGES), 2 * SECTION_PAGES, "the next");
	ok(fcp_guest_memmap_fits_layout(&memmap), "it fits the layout");
	addresses(what);
	ok(!fcp_guest_memmap_pfn(&memmap, fixture_page_address(&fixture, 0) - 64, &pfn) &&
		   !fcp_guest_memmap_pfn(&memmap, 0, &pfn) &&
		   !fcp_guest_memmap_pfn(&memmap, UINT64_MAX - 63, &pfn) &&
		   !fcp_guest_memmap_pfn(&memmap, fixture_page_address(&fixture, SECTION_PAGES),
					 &pfn),
	   "addresses that are no struct page's");
	ok(fcp_guest_memmap_pfn(&memmap, fixture_page_address(&fixture, 0x1fff), &pfn) &&
		   !fcp_guest_memmap_pfn(&memmap, fixture_page_address(&fixture, 0x2000), &pfn),
	   "nor is one of a page where RAM has ended, in the same section");
	page_is(0x240, 6, "a free block's head");
	close_all();
}

static void flat(void)
{
	open_kernel(&(struct fixture_settings){.note_edit = "NUMBER(PG_slab)=9"});
	/* The pointer to the array, in the image; mem_section is not in such a kernel's note. */
	kernel.note.mem_section = FCP_GUEST_NONE;
	kernel.note.mem_map = UINT64_C(0xffffffff80000000) + FIXTURE_BSS + 64;
	fixture_write_word(&fixture, FIXTURE_BSS + 64, fixture_page_address(&fixture, 0));
	if (!init("FLATMEM"))
		return;
	is_u64(memmap.section_pages, 0x2000, "one section is all of RAM");
	is_u64(memmap.section_count, 1, "and there is no other");
	addresses("FLATMEM");
	ok(fcp_guest_memmap_fits_layout(&memmap), "it fits the layout");
	page_is(0x400, 10, "a free block's head");
	fcp_guest_memmap_clear(&memmap);
	fixture_write_word(&fixture, FIXTURE_BSS + 64, 0);
	refuses_init("FLATMEM without a memmap", "mem_map");

	open_kernel(&(struct fixture_settings){0});
	kernel.note.mem_section = FCP_GUEST_NONE;
	kernel.note.mem_map = UINT64_C(0xfffffffff0000000);
	refuses_init("FLATMEM, its pointer not mapped", "mem_map");
}

static void bad_sections(void)
{
	open_kernel(&(struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_SECTION_ROOTS, 0);
	refuses_init("no root", "no section");
	open_kernel(&(struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_SECTIONS, fixture_page_address(&fixture, 0) | 2);
	refuses_init("a section with a map that is not present", "no section");
	open_kernel(&(struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_SECTION_ROOTS, UINT64_C(0xfffff00000000000));
	refuses_init("a root that is not mapped", "mem_section");
	open_kernel(&(struct fixture_settings){0});
	kernel.note.mem_section = UINT64_C(0xfffff00000000000);
	refuses_init("roots that are not mapped", "mem_section");
	open_kernel(&(struct fixture_settings){.bytes = 160 * FIXTURE_MIB});
	kernel.note.mem_section_length = 0;
	refuses_init("more sections than there are roots", "no section");
}

static void section_without_map(void)
{
	struct fcp_guest_page page;
	struct fcp_error err = {0};
	uint64_t address, pfn = 7;

	open_kernel(&(struct fixture_settings){.bytes = 384 * FIXTURE_MIB});
	fixture_write_word(&fixture, FIXTURE_SECTIONS + 16, 1);
	if (!init("three sections, the middle one without a map"))
		return;
	is_u64(memmap.section_count, 3, "all are counted");
	address = fixture_page_address(&fixture, SECTION_PAGES);
	is_u64(fcp_guest_memmap_address(&memmap, SECTION_PAGES), 0, "no struct page in it");
	is_u64(fcp_guest_memmap_address(&memmap, SECTION_PAGES - 1), address - 64, "before it");
	is_u64(fcp_guest_memmap_address(&memmap, 2 * SECTION_PAGES), address + SECTION_PAGES * 64,
	       "behind it");
	ok(!fcp_guest_memmap_pfn(&memmap, address, &pfn), "nor a page at such an address");
	ok(fcp_guest_memmap_pfn(&memmap, address + SECTION_PAGES * 64, &pfn) &&
		   pfn == 2 * SECTION_PAGES,
	   "but at one behind it");
	ok(fcp_guest_memmap_pfn(&memmap, address - 64, &pfn) && pfn == SECTION_PAGES - 1,
	   "and, after that, at one before it");
	ok(fcp_guest_memmap_read_page(&memmap, SECTION_PAGES, &page, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "it cannot be read");
	has_str(err.message, "no section", "and why");
	ok(!fcp_guest_memmap_fits_layout(&memmap), "nor does it fit a layout with RAM there");
	close_all();
}

/* Each section with a memmap of its own place (no virtual memmap). */
static void sections_apart(void)
{
	uint64_t pfn = 7, far;

	open_kernel(&(struct fixture_settings){.bytes = 256 * FIXTURE_MIB});
	far = fixture_direct(&fixture, 64 * FIXTURE_MIB);
	fixture_write_word(&fixture, FIXTURE_SECTIONS + 16, (far - SECTION_PAGES * 64) | 3);
	if (!init("two sections, the second's memmap elsewhere"))
		return;
	is_u64(fcp_guest_memmap_address(&memmap, SECTION_PAGES), far, "its first page");
	ok(fcp_guest_memmap_pfn(&memmap, far + 64, &pfn) && pfn == SECTION_PAGES + 1, "found");
	ok(fcp_guest_memmap_pfn(&memmap, fixture_page_address(&fixture, 3), &pfn) && pfn == 3,
	   "and the other's");
	ok(!fcp_guest_memmap_pfn(&memmap, far - 64, &pfn), "no page before it");
	close_all();
}

static void layouts(void)
{
	open_kernel(&(struct fixture_settings){.bytes = 7 * (GIB / 2)});
	init("3.5 GiB, the hole at 3 GiB");
	ok(fcp_guest_memmap_fits_layout(&memmap), "fits that layout");
	is_u64(fcp_guest_memmap_address(&memmap, 3 * GIB >> 12), 0, "no page in the hole");
	ok(fcp_guest_memmap_address(&memmap, 4 * GIB >> 12) != 0, "one at 4 GiB");
	fcp_guest_memmap_clear(&memmap);
	fcp_guest_memory_layout(&kernel.memory, 1, &kernel.memory);
	init("read by the layout with the hole at 3.25 GiB");
	ok(!fcp_guest_memmap_fits_layout(&memmap), "does not fit that");
	close_all();
}

/* The fixture's memmap lies in RAM in reverse order: a run is put together page by page. */
static void runs(void)
{
	struct fcp_error err = {0};
	struct fcp_guest_page page;
	unsigned char kept[64];
	uint64_t heads = 0;

	open_kernel(&(struct fixture_settings){0});
	init("a memmap");
	ok(fcp_guest_memmap_read(&memmap, 0x1f5, 2048, &err) == 0,
	   "the longest run, from a middle");
	for (unsigned i = 0; i < 2048; i++)
		heads += fcp_guest_memmap_page(&memmap, i).mapcount == FIXTURE_BUDDY;
	is_u64(heads, 10, "all heads between 0x1f5 and 0x9f5");
	page = fcp_guest_memmap_page(&memmap, 0x800 - 0x1f5);
	ok(page.mapcount == FIXTURE_BUDDY && page.private_ == 10, "each in its place");
	ok(page.lru_next == fixture_list_address(&fixture, 10, 1), "with its link");
	fixture_read(&fixture, fixture_page(0x1f5), kept, sizeof(kept));
	ok(memcmp(memmap.run, kept, sizeof(kept)) == 0, "the first is as it lies there");

	/* A page of the memmap in a hole, another with data on both sides of it. */
	fixture_punch(&fixture, fixture_page(0x200), 4096);
	fixture_punch(&fixture, fixture_page(0x280), 4096);
	ok(fcp_guest_memmap_read_page(&memmap, 0x200, &page, &err) == 0 && page.mapcount == 0 &&
		   page.refcount == 0 && page.lru_next == 0 && page.private_ == 0,
	   "a page in a hole is zeros");
	ok(fcp_guest_memmap_read_page(&memmap, 0x23f, &page, &err) == 0 && page.mapcount == 0,
	   "up to its end");
	page_is(0x240, 6, "what follows is read");
	memset(memmap.run, 0xee, sizeof(memmap.run));
	ok(fcp_guest_memmap_read(&memmap, 0x1f5, 2048, &err) == 0, "a run with holes");
	ok(fcp_guest_memmap_page(&memmap, 0x1ff - 0x1f5).refcount == 1 &&
		   fcp_guest_memmap_page(&memmap, 0x200 - 0x1f5).refcount == 0 &&
		   fcp_guest_memmap_page(&memmap, 0x23f - 0x1f5).mapcount == 0 &&
		   fcp_guest_memmap_page(&memmap, 0x240 - 0x1f5).private_ == 6 &&
		   fcp_guest_memmap_page(&memmap, 0x2bf - 0x1f5).refcount == 0 &&
		   fcp_guest_memmap_page(&memmap, 0x2c0 - 0x1f5).refcount == 1,
	   "data, hole, data, hole, data");
	ok(fcp_guest_memmap_read(&memmap, 0x1fc0, 128, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "struct pages that are not mapped");
	has_str(err.message, "0x1fc0", "the message names the PFN");
	ok(ftruncate(fixture.fd, (off_t)FIXTURE_MEMMAP) == 0 &&
		   fcp_guest_memmap_read_page(&memmap, 0x1000, &page, &err) < 0 &&
		   err.error_class == FCP_ERR_IO,
	   "a file that became shorter is no hole");
	close_all();
}

int main(void)
{
	sparse(&(struct fixture_settings){0}, "SPARSEMEM extreme");
	sparse(&(struct fixture_settings){.not_extreme = true,
					  .note_edit = "LENGTH(mem_section)=524288"},
	       "SPARSEMEM not extreme");
	sparse(&(struct fixture_settings){.five_levels = true}, "five levels");
	flat();
	bad_sections();
	section_without_map();
	sections_apart();
	layouts();
	runs();
	return done();
}
