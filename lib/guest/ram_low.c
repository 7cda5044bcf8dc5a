// SPDX-License-Identifier: Apache-2.0
/* Which of the places where boot memory could begin it does begin at: by what a VMM puts there. */
#include "guest/ram_place.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "guest/arch/arch.h"
#include "guest/pagemap.h"

#include <string.h>
#include <sys/uio.h>

#define MARK_BYTES_MAX 8

/* A page that is missing is not touched: a userfaultfd handler would be waited for. */
static bool is_there(struct fcp_guest_pagemap *pagemap, uint64_t address)
{
	uint64_t page = fcp_align_down(address, FCP_PAGE_BYTES);
	struct fcp_guest_run run;
	struct fcp_error ignored;

	return fcp_guest_pagemap_next(pagemap, page, page + FCP_PAGE_BYTES, &run, &ignored) == 0 &&
	       run.kind != FCP_GUEST_PAGE_ABSENT;
}

static bool mark_is_at(const struct fcp_guest_ram *ram, struct fcp_guest_pagemap *pagemap,
		       uint64_t address, const char *text)
{
	size_t length = strlen(text);
	char found[MARK_BYTES_MAX];
	struct iovec local = {found, length};
	struct iovec remote = {(void *)(uintptr_t)address, length};

	return length <= sizeof(found) && is_there(pagemap, address) &&
	       process_vm_readv(ram->pid, &local, 1, &remote, 1, 0) == (ssize_t)length &&
	       memcmp(found, text, length) == 0;
}

static bool has_mark(const struct fcp_guest_ram *ram, struct fcp_guest_pagemap *pagemap,
		     unsigned layout)
{
	const struct fcp_guest_region *region = &ram->layouts[layout][0];
	const struct fcp_guest_arch *arch = ram->layout_archs[layout];

	for (unsigned i = 0; i < arch->mark_count; i++) {
		const struct fcp_guest_mark *mark = &arch->marks[i];
		uint64_t at =
			mark->at < 0 ? region->bytes + (uint64_t)mark->at : (uint64_t)mark->at;

		if (at < region->bytes && strlen(mark->text) <= region->bytes - at &&
		    mark_is_at(ram, pagemap, region->address + at, mark->text))
			return true;
	}
	return false;
}

void fcp_guest_ram_narrow(struct fcp_guest_ram *ram)
{
	FCP_CLEANUP(guest_pagemap) struct fcp_guest_pagemap pagemap = {.fd = -1};
	bool has[FCP_GUEST_LAYOUTS_MAX] = {false};
	struct fcp_error ignored;
	unsigned kept = 0, found = 0;

	if (ram->layout_count < 2 || fcp_guest_pagemap_open(ram->pid, &pagemap, &ignored) != 0)
		return;
	for (unsigned i = 0; i < ram->layout_count; i++) {
		has[i] = has_mark(ram, &pagemap, i);
		found += has[i];
	}
	for (unsigned i = 0; found > 0 && i < ram->layout_count; i++) {
		if (!has[i])
			continue;
		ram->layout_archs[kept] = ram->layout_archs[i];
		memmove(ram->layouts[kept++], ram->layouts[i], sizeof(ram->layouts[0]));
	}
	ram->layout_count = found > 0 ? kept : ram->layout_count;
}
