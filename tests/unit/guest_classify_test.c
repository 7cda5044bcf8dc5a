// SPDX-License-Identifier: Apache-2.0
/* What each page is used for: pages of a made-up guest, marked as a kernel of 6.1 marks them. */
#include "guest/classify.h"
#include "guest_fixture.h"
#include "tap.h"

#define FIRST 0x1b00 /* a PFN that is in use, with 7 more */

static void mark(struct fixture *fixture, uint64_t pfn, uint64_t flags, uint64_t mapping,
		 uint32_t mapcount)
{
	fixture_write_word(fixture, fixture_page(pfn), flags);
	fixture_write_word(fixture, fixture_page(pfn) + FIXTURE_MAPPING, mapping);
	fixture_write_half(fixture, fixture_page(pfn) + FIXTURE_MAPCOUNT, mapcount);
}

static void mark_all(struct fixture *fixture)
{
	mark(fixture, FIRST, 1u << 4, UINT64_C(0xffff888000001000), 0);	     /* lru, a mapping */
	mark(fixture, FIRST + 1, 1u << 4, UINT64_C(0xffff888000001001), 0); /* bit 0: anonymous */
	mark(fixture, FIRST + 2, 1u << 9, 0, UINT32_MAX);		     /* slab */
	mark(fixture, FIRST + 3, 0, 0, 0xfffffdff);			     /* a page table */
	mark(fixture, FIRST + 4, 1u << 12, 0, UINT32_MAX);		     /* reserved */
	mark(fixture, FIRST + 5, 0, UINT64_C(0xffff888000001002), 0); /* movable: a balloon's */
	mark(fixture, FIXTURE_TEXT / 4096, 1u << 12, 0, UINT32_MAX);  /* reserved, of the image */
	/* A compound page: what its head is. */
	mark(fixture, FIRST + 6, 1u << 9 | 1u << 16, 0, UINT32_MAX);
	fixture_write_word(fixture, fixture_page(FIRST + 7) + FIXTURE_LRU,
			   fixture_page_address(fixture, FIRST + 6) | 1);
}

static void is_class(const struct fcp_guest_classes *classes, uint64_t pfn,
		     enum fcp_guest_page_class expected)
{
	is_str(fcp_guest_page_class_name(classes->pages[pfn]), fcp_guest_page_class_name(expected),
	       fcp_guest_page_class_name(expected));
}

static uint64_t sum(const uint64_t bytes[FCP_GUEST_PAGE_CLASSES])
{
	uint64_t all = 0;

	for (unsigned i = 0; i < FCP_GUEST_PAGE_CLASSES; i++)
		all += bytes[i];
	return all;
}

int main(void)
{
	struct fcp_guest_classify_settings settings = {.cancel_fd = -1};
	struct fcp_guest_classes classes = {.page_count = 0};
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};
	struct fixture fixture;
	uint64_t data;

	fixture_build(&fixture, &(struct fixture_settings){
					.note_edit = "NUMBER(PG_lru)=4\nNUMBER(PG_private)=13"});
	mark_all(&fixture);
	fcp_guest_memory_open_file(fixture.fd, FCP_GUEST_HOLES_ZERO, -1, &memory, &err);
	if (!ok(fcp_guest_classify(&memory, &settings, &classes, &err) == 0,
		"all pages are classed")) {
		printf("# %s\n", err.message);
		return done();
	}
	is_class(&classes, FIRST, FCP_GUEST_PAGE_CACHE);
	is_class(&classes, FIRST + 1, FCP_GUEST_PAGE_ANONYMOUS);
	is_class(&classes, FIRST + 2, FCP_GUEST_PAGE_SLAB);
	is_class(&classes, FIRST + 3, FCP_GUEST_PAGE_TABLES);
	is_class(&classes, FIRST + 4, FCP_GUEST_PAGE_RESERVED);
	is_class(&classes, FIRST + 5, FCP_GUEST_PAGE_UNKNOWN);
	is_class(&classes, FIRST + 7, FCP_GUEST_PAGE_SLAB);
	is_class(&classes, FIXTURE_TEXT / 4096, FCP_GUEST_PAGE_KERNEL_IMAGE);
	is_class(&classes, 0x400, FCP_GUEST_PAGE_FREE);
	is_class(&classes, 0x7ff, FCP_GUEST_PAGE_FREE);
	is_u64(sum(classes.bytes), memory.bytes, "the classes hold all of RAM");
	data = sum(classes.data_bytes);
	ok(data > 0 && data < memory.bytes, "and what is no hole");
	is_u64(classes.bytes[FCP_GUEST_PAGE_ZERO], 0, "zeros are not looked for unasked");
	fcp_guest_classes_clear(&classes);

	settings.zero = true;
	ok(fcp_guest_classify(&memory, &settings, &classes, &err) == 0, "with zeros");
	is_class(&classes, FIRST + 1, FCP_GUEST_PAGE_ZERO);
	is_class(&classes, 0x400, FCP_GUEST_PAGE_FREE);
	is_class(&classes, FIXTURE_TEXT / 4096, FCP_GUEST_PAGE_KERNEL_IMAGE);
	is_u64(sum(classes.bytes), memory.bytes, "the classes hold all of RAM");
	is_u64(sum(classes.data_bytes), data, "and the same data");
	fcp_guest_classes_clear(&classes);
	fixture_close(&fixture);
	return done();
}
