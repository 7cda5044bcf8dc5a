// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/pagemap of hosts with pages of 4, 16 and 64 KiB. The kernel is a drawing of the host's
 * pages: a anonymous, f a file's, s swapped out, . absent, z the page of zeros. Its answers are
 * words, or those of PAGEMAP_SCAN (linked with --wrap=ioctl). What comes out is drawn by pages of
 * the guest.
 */
#include "guest/pagemap.h"

#include "base/units.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define START UINT64_C(0x100000)
#define CATEGORY_FILE (UINT64_C(1) << 2)
#define CATEGORY_PRESENT (UINT64_C(1) << 3)
#define CATEGORY_SWAPPED (UINT64_C(1) << 4)
#define CATEGORY_ZERO_PAGE (UINT64_C(1) << 5)

static const char *host;    /* its pages from START on */
static uint64_t page_bytes; /* of the host */
static bool absent_is_zero;

static char host_page(uint64_t address)
{
	return host[(address - START) / page_bytes];
}

/* <linux/fs.h>: struct pm_scan_arg, struct page_region. */
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	uint64_t *scan = arg, *region = (uint64_t *)(uintptr_t)scan[5];
	int count = 0;

	(void)fd, (void)request;
	if (scan[2] % page_bytes != 0) {
		errno = EINVAL;
		return -1;
	}
	for (uint64_t at = scan[2]; at < scan[3]; at += page_bytes) {
		char page = host_page(at);

		if (page == '.')
			continue;
		*region++ = at;
		*region++ = at + page_bytes;
		*region++ = page == 's'	  ? CATEGORY_SWAPPED
			    : page == 'f' ? CATEGORY_PRESENT | CATEGORY_FILE
			    : page == 'z' ? CATEGORY_PRESENT | (scan[11] & CATEGORY_ZERO_PAGE)
					  : CATEGORY_PRESENT;
		count++;
	}
	scan[4] = fcp_align_up(scan[3], page_bytes);
	return count;
}

static void write_words(int fd)
{
	for (size_t i = 0; host[i]; i++) {
		uint64_t word = host[i] == 'a' || host[i] == 'z' ? UINT64_C(1) << 63
				: host[i] == 'f' ? UINT64_C(1) << 63 | UINT64_C(1) << 61
				: host[i] == 's' ? UINT64_C(1) << 62
						 : 0;

		if (pwrite(fd, &word, sizeof(word),
			   (off_t)((START / page_bytes + i) * sizeof(word))) != sizeof(word))
			abort();
	}
}

/* Asks for guest pages from .. to, each answer up to the end of its run. */
static void asked(bool by_words, unsigned from, unsigned to, const char *expected)
{
	static const char kinds[] = {
		[FCP_GUEST_PAGE_ABSENT] = '.',
		[FCP_GUEST_PAGE_ANONYMOUS] = 'a',
		[FCP_GUEST_PAGE_FILE] = 'f',
		[FCP_GUEST_PAGE_SWAPPED] = 's',
	};
	uint64_t address = START + from * FCP_PAGE_BYTES, end = START + to * FCP_PAGE_BYTES;
	struct fcp_guest_pagemap pagemap;
	struct fcp_error err = {0};
	char drawing[65] = "", what[120];
	int words = memfd_create("pagemap", 0);
	size_t drawn = 0;

	if (words < 0 || fcp_guest_pagemap_open(getpid(), &pagemap, &err) != 0 ||
	    dup2(words, pagemap.fd) < 0)
		abort();
	write_words(pagemap.fd);
	pagemap.page_bytes = page_bytes;
	pagemap.by_words = by_words;
	pagemap.absent_is_zero = absent_is_zero;
	while (address < end) {
		struct fcp_guest_run run;

		if (fcp_guest_pagemap_next(&pagemap, address, end, &run, &err) != 0 ||
		    run.start != address || run.end > end) {
			printf("# %#llx: %s\n", (unsigned long long)address, err.message);
			break;
		}
		for (; address < run.end; address += FCP_PAGE_BYTES)
			drawing[drawn++] = kinds[run.kind];
	}
	snprintf(what, sizeof(what), "%s of %llu KiB, %s, guest pages %u .. %u", host,
		 (unsigned long long)page_bytes >> 10, pagemap.by_words ? "words" : "regions", from,
		 to);
	ok(pagemap.by_words == by_words, "%s: asked as it was meant", what);
	is_str(drawing, expected, what);
	fcp_guest_pagemap_close(&pagemap);
	close(words);
}

static void test_host(const char *pages, uint64_t bytes, unsigned from, unsigned to,
		      const char *expected)
{
	host = pages;
	page_bytes = bytes;
	asked(true, from, to, expected);
	asked(false, from, to, expected);
}

static void test_own_page_bytes(void)
{
	struct fcp_guest_pagemap pagemap;
	struct fcp_error err;

	if (fcp_guest_pagemap_open(getpid(), &pagemap, &err) != 0)
		abort();
	is_u64(pagemap.page_bytes, (uint64_t)sysconf(_SC_PAGESIZE), "the page size is this host's");
	fcp_guest_pagemap_close(&pagemap);
}

int main(void)
{
	test_own_page_bytes();
	test_host(".afs..a.", 4096, 0, 8, ".afs..a.");
	test_host(".afs..a.", 4096, 2, 5, "fs.");
	test_host(".afs", 16384, 0, 16, "....aaaaffffssss");
	/* From within a page of the host, to within another one. */
	test_host(".afs", 16384, 3, 13, ".aaaaffffs");
	test_host(".afs", 16384, 5, 7, "aa");
	test_host("a.", 65536, 0, 32, "aaaaaaaaaaaaaaaa................");
	test_host("a.", 65536, 15, 17, "a.");
	test_host("..", 65536, 9, 30, ".....................");
	test_host("az.z", 4096, 0, 4, "aa.a");
	absent_is_zero = true;
	page_bytes = 4096;
	host = "az.z";
	asked(false, 0, 4, "a...");
	asked(true, 0, 4, "aa.a");
	return done();
}
