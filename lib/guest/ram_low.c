// SPDX-License-Identifier: Apache-2.0
/* Which of the places where boot memory could begin is the one: what a VMM puts into low memory. */
#include "guest/ram_place.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "guest/pagemap.h"

#include <string.h>
#include <sys/uio.h>

#define SIGN_BYTES 8

/* Firecracker's (src/vmm/src/arch/x86_64/layout.rs), in memory that Linux leaves alone. */
static const struct sign {
	uint64_t gpa;
	const char *text;
} signs[] = {
	{0xe0000, "RSD PTR "},		/* ACPI */
	{0x9fc00, "_MP_"},		/* the MP table */
	{0x7202, "HdrS"},		/* boot_params */
	{0x6000, "\x78\xc5\x6e\x33"},	/* PVH: hvm_start_info */
};

/* A page that is missing is not touched: a userfaultfd handler would be waited for. */
static bool is_there(struct fcp_guest_pagemap *pagemap, uint64_t address)
{
	uint64_t page = fcp_align_down(address, FCP_PAGE_BYTES);
	struct fcp_guest_run run;
	struct fcp_error ignored;

	return fcp_guest_pagemap_next(pagemap, page, page + FCP_PAGE_BYTES, &run, &ignored) == 0 &&
	       run.kind != FCP_GUEST_PAGE_ABSENT;
}

static bool has_sign(const struct fcp_guest_ram *ram, struct fcp_guest_pagemap *pagemap,
		     const struct fcp_guest_region *region)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t length = strlen(signs[i].text);
		char found[SIGN_BYTES];
		struct iovec local = {found, length};
		struct iovec remote = {(void *)(uintptr_t)(region->address + signs[i].gpa), length};

		if (signs[i].gpa + length <= region->bytes &&
		    is_there(pagemap, region->address + signs[i].gpa) &&
		    process_vm_readv(ram->pid, &local, 1, &remote, 1, 0) == (ssize_t)length &&
		    memcmp(found, signs[i].text, length) == 0)
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
		has[i] = has_sign(ram, &pagemap, &ram->layouts[i][0]);
		found += has[i];
	}
	for (unsigned i = 0; found > 0 && i < ram->layout_count; i++)
		if (has[i])
			memmove(ram->layouts[kept++], ram->layouts[i], sizeof(ram->layouts[0]));
	ram->layout_count = found > 0 ? kept : ram->layout_count;
}
