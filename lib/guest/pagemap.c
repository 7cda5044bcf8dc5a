// SPDX-License-Identifier: Apache-2.0
#include "guest/pagemap.h"

#include "base/cleanup.h"
#include "base/maps.h"
#include "base/units.h"

#include <stdlib.h>
#include <sys/ioctl.h>

/* A word a page, where they are read. */
#define WORD_PRESENT (UINT64_C(1) << 63)
#define WORD_SWAPPED (UINT64_C(1) << 62)
#define WORD_FILE (UINT64_C(1) << 61)
#define WORDS 8192
#define REGIONS 4096
/* Between any two regions, and at the end, may be a run of absent pages. */
#define RUNS_MAX (2 * REGIONS + 1 > WORDS ? 2 * REGIONS + 1 : WORDS)

/* <linux/fs.h> of Linux 6.7. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define BUFFER_BYTES (REGIONS * sizeof(struct scan_region))
_Static_assert(BUFFER_BYTES >= WORDS * sizeof(uint64_t), "room for the words");

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)
#define SCAN_FILE (UINT64_C(1) << 2)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_SWAPPED (UINT64_C(1) << 4)
#define SCAN_ZERO_PAGE (UINT64_C(1) << 5)

int fcp_guest_pagemap_open(pid_t pid, struct fcp_guest_pagemap *pagemap_, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = fcp_proc_open(pid, "pagemap", err);
	FCP_CLEANUP(free) void *buffer = malloc(BUFFER_BYTES);
	FCP_CLEANUP(free) struct fcp_guest_run *runs = calloc(RUNS_MAX, sizeof(*runs));

	if (fd < 0)
		return -1;
	if (!runs || !buffer)
		return fcp_error_nomem(err);
	*pagemap_ = (struct fcp_guest_pagemap){.fd = fcp_steal_fd(&fd),
					       .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
					       .buffer = fcp_steal_pointer(&buffer),
					       .runs = fcp_steal_pointer(&runs)};
	return 0;
}

void fcp_guest_pagemap_close(struct fcp_guest_pagemap *pagemap)
{
	if (!pagemap->runs)
		return;
	close(pagemap->fd);
	free(pagemap->buffer);
	free(pagemap->runs);
	*pagemap = (struct fcp_guest_pagemap){.fd = -1};
}

static void add_run(struct fcp_guest_pagemap *pagemap, uint64_t start, uint64_t end,
		    enum fcp_guest_page_kind kind)
{
	struct fcp_guest_run *last =
		pagemap->run_count ? &pagemap->runs[pagemap->run_count - 1] : NULL;

	if (start >= end)
		return;
	if (last && last->kind == kind)
		last->end = end;
	else
		pagemap->runs[pagemap->run_count++] = (struct fcp_guest_run){start, end, kind};
}

static enum fcp_guest_page_kind kind_of_entry(bool present, bool swapped, bool file)
{
	if (present)
		return file ? FCP_GUEST_PAGE_FILE : FCP_GUEST_PAGE_ANONYMOUS;
	return swapped ? FCP_GUEST_PAGE_SWAPPED : FCP_GUEST_PAGE_ABSENT;
}

static int read_error(struct fcp_error *err, int errnum)
{
	if (errnum == ESRCH || errnum == 0)
		return fcp_error_set(err, FCP_ERR_STATE, 0, "pagemap: the process has ended");
	return fcp_error_set(err, FCP_ERR_IO, errnum, "pagemap");
}

/* ---- by words ---- */

static int read_words(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
		      struct fcp_error *err)
{
	uint64_t *words = pagemap->buffer;
	uint64_t page_bytes = pagemap->page_bytes, pages = (end - address) / page_bytes;
	size_t bytes = (size_t)(pages < WORDS ? pages : WORDS) * sizeof(words[0]);
	ssize_t got =
		pread(pagemap->fd, words, bytes, (off_t)(address / page_bytes * sizeof(words[0])));

	if (got < (ssize_t)sizeof(words[0]))
		return read_error(err, got < 0 ? errno : 0);
	for (size_t i = 0; i < (size_t)got / sizeof(words[0]); i++, address += page_bytes)
		add_run(pagemap, address, address + page_bytes,
			kind_of_entry(words[i] & WORD_PRESENT, words[i] & WORD_SWAPPED,
				      words[i] & WORD_FILE));
	return 0;
}

/* ---- by the ioctl ---- */

/* Of the answer: start .. end follows what ends at address, and both are pages of the host. */
static bool is_next(const struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t start,
		    uint64_t end)
{
	return start >= address && end > start && (start | end) % pagemap->page_bytes == 0;
}

/* false: there is no such call, it failed, or its answer makes no sense, which a read says
 * better. */
static bool scan(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end)
{
	struct scan_region *regions = pagemap->buffer;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = address,
		.end = end,
		.vec = (uint64_t)(uintptr_t)regions,
		.vec_len = REGIONS,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT | SCAN_SWAPPED | (pagemap->no_files ? 0 : SCAN_FILE) |
			       (pagemap->absent_is_zero ? SCAN_ZERO_PAGE : 0),
	};
	int count = ioctl(pagemap->fd, SCAN_IOCTL, &arg);

	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		uint64_t categories = regions[i].categories;

		if (!is_next(pagemap, address, regions[i].start, regions[i].end) ||
		    regions[i].end > end)
			return false;
		add_run(pagemap, address, regions[i].start, FCP_GUEST_PAGE_ABSENT);
		add_run(pagemap, regions[i].start, regions[i].end,
			kind_of_entry((categories & SCAN_PRESENT) && !(categories & SCAN_ZERO_PAGE),
				      categories & SCAN_SWAPPED, categories & SCAN_FILE));
		address = regions[i].end;
	}
	add_run(pagemap, address, arg.walk_end, FCP_GUEST_PAGE_ABSENT);
	return arg.walk_end <= end && arg.walk_end % pagemap->page_bytes == 0;
}

/* The kernel is asked for whole pages of the host. */
static int fill(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
		struct fcp_error *err)
{
	address = fcp_align_down(address, pagemap->page_bytes);
	end = fcp_align_up(end, pagemap->page_bytes);
	pagemap->run_count = pagemap->next = 0;
	if (!pagemap->by_words && scan(pagemap, address, end))
		return 0;
	pagemap->run_count = 0;
	pagemap->by_words = true;
	return read_words(pagemap, address, end, err);
}

int fcp_guest_pagemap_next(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
			   struct fcp_guest_run *run_, struct fcp_error *err)
{
	const struct fcp_guest_run *run;

	if (pagemap->next < pagemap->run_count && address < pagemap->runs[pagemap->next].start)
		pagemap->next = 0;
	while (pagemap->next < pagemap->run_count && address >= pagemap->runs[pagemap->next].end)
		pagemap->next++;
	if (pagemap->next == pagemap->run_count || address < pagemap->runs[pagemap->next].start) {
		if (fill(pagemap, address, end, err) != 0)
			return -1;
		if (pagemap->run_count == 0)
			return read_error(err, 0);
	}
	run = &pagemap->runs[pagemap->next];
	*run_ = (struct fcp_guest_run){address, run->end < end ? run->end : end, run->kind};
	return 0;
}
