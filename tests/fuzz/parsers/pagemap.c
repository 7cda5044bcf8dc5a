// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/pagemap: the kernel's answers to PAGEMAP_SCAN, or words. Of any answer come runs that
 * follow each other, or an error. Ranges in the answers are in units of a page, behind the address
 * asked for.
 */
#include "base/units.h"
#include "fuzz.h"
#include "guest/pagemap.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGES 20000
#define START UINT64_C(0x7f0000000000)

static struct bytes answers;

int __wrap_fcp_proc_open(pid_t pid, const char *name, struct fcp_error *err);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
ssize_t __wrap_pread64(int fd, void *buffer, size_t bytes, off_t offset);

int __wrap_fcp_proc_open(pid_t pid, const char *name, struct fcp_error *err)
{
	(void)pid, (void)name, (void)err;
	return dup(memfd_of((struct bytes){0}));
}

/* <linux/fs.h>: struct pm_scan_arg, struct page_region. */
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	uint64_t *scan = arg, *regions = (uint64_t *)(uintptr_t)scan[5];
	uint64_t address = scan[2];
	uint8_t count = take_byte(&answers);
	unsigned filled = 0;

	(void)fd, (void)request;
	if (count == 0xff) {
		errno = ENOTTY;
		return -1;
	}
	for (; filled < count && filled < scan[6] && answers.left > 0; filled++) {
		uint64_t *region = regions + (uint64_t)3 * filled;
		uint8_t skip = take_byte(&answers), pages = take_byte(&answers);

		region[0] = address += skip * FCP_PAGE_BYTES;
		region[1] = address += pages * FCP_PAGE_BYTES;
		region[2] = take_byte(&answers);
		/* No kernel's answer: ranges that overlap, go back, or end past what was asked
		 * for. */
		if (region[2] & 0x80)
			region[1] -= (int8_t)take_byte(&answers) * FCP_PAGE_BYTES;
	}
	switch (take_byte(&answers) % 4) {
	case 0:
		scan[4] = address;
		break;
	case 1:
		scan[4] = scan[3] + FCP_PAGE_BYTES;
		break;
	default:
		scan[4] = scan[3];
		break;
	}
	return (int)filled;
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t bytes, off_t offset)
{
	uint8_t count = take_byte(&answers);
	size_t words = 0;

	(void)fd, (void)offset;
	if (count == 0xff) {
		errno = EIO;
		return -1;
	}
	for (; words < count && (words + 1) * 8 <= bytes && answers.left > 0; words++)
		((uint64_t *)buffer)[words] = (uint64_t)take_byte(&answers) << 56;
	return (ssize_t)(words * 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t address = START, end = START + PAGES * FCP_PAGE_BYTES;
	struct fcp_guest_pagemap pagemap;
	struct fcp_guest_run run;
	struct fcp_error err = {0};

	answers = (struct bytes){data, size};
	expect(fcp_guest_pagemap_open(1, &pagemap, &err) == 0, "a pagemap that does not open");
	pagemap.by_words = take_byte(&answers) & 1;
	while (address < end) {
		if (fcp_guest_pagemap_next(&pagemap, address, end, &run, &err) != 0) {
			expect_error(&err);
			break;
		}
		expect(run.start == address && run.end > address && run.end <= end,
		       "a run that is not the next one");
		expect(run.end % FCP_PAGE_BYTES == 0, "a run of no whole pages");
		expect(run.kind <= FCP_GUEST_PAGE_SWAPPED, "pages of no kind");
		address = run.end;
	}
	fcp_guest_pagemap_close(&pagemap);
	return 0;
}
