// SPDX-License-Identifier: Apache-2.0
/* Does the memory file contain the VM's memory? */
#include "steps/snapshot/memory_parts.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "memory/overlay.h"
#include "memory/pages.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "memory/zero.h"

/* The process's addresses for ranges of the memory file. */
static int runs_of(const struct fcp_guest_ram *ram, const struct fcp_ranges *ranges,
		   struct fcp_page_runs *runs, struct fcp_error *err)
{
	for (size_t i = 0; i < ranges->count; i++) {
		struct fcp_page_run run = {.end = ranges->items[i].start};

		while (run.end < ranges->items[i].end) {
			const struct fcp_guest_piece *piece =
				&ram->pieces[fcp_guest_ram_piece(ram, run.end)];

			run.start = run.end;
			run.end = fcp_guest_piece_end(piece);
			if (run.end > ranges->items[i].end)
				run.end = ranges->items[i].end;
			run.address = fcp_guest_piece_address(piece, run.start);
			if (fcp_page_runs_add(runs, run, err) != 0)
				return -1;
		}
	}
	return 0;
}

static int verify_runs(const struct fcp_snapshot_memory *memory, const struct fcp_page_runs *runs,
		       uint64_t *differing, struct fcp_error *err)
{
	struct fcp_writer_settings writer = fcp_snapshot_writer_settings(memory);
	uint64_t pages = 0;

	writer.runs = runs;
	if (fcp_writer_verify(&writer, &pages, err) != 0)
		return -1;
	*differing += pages;
	return 0;
}

/* Is the page zero, as dropped pages must be? A layer is read over its base. */
static bool is_zero_at(const struct fcp_snapshot_memory *memory, uint64_t at)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	const struct fcp_overlay overlay = {memory->base.fd, file->fd, file->host};
	const struct fcp_range range = {at, at + FCP_PAGE_BYTES};
	unsigned char page[FCP_PAGE_BYTES];
	struct fcp_error ignored;
	int got = fcp_snapshot_is_layer(memory)
			  ? fcp_overlay_read(&overlay, range, page, &ignored)
			  : fcp_pages_read(file->fd, file->host, range, page, &ignored);

	return got == 0 && fcp_page_is_zero(page);
}

/* Counts the pages of one range, in fd's data, that are not zeros. */
static int count_not_zero(const struct fcp_snapshot_memory *memory, int fd, struct fcp_range range,
			  uint64_t *differing, struct fcp_error *err)
{
	const char *name = memory->settings.files->memory.host;
	struct fcp_range data = {range.start, range.start};
	int more;

	while ((more = fcp_sparse_next(fd, name, data.end, range.end, &data, err)) > 0)
		for (uint64_t at = fcp_align_down(data.start, FCP_PAGE_BYTES); at < data.end;
		     at += FCP_PAGE_BYTES)
			*differing += !is_zero_at(memory, at);
	return more;
}

/*
 * Pages that the process does not have must be zeros. They are not read: that would fault them in.
 */
static int verify_zeros(const struct fcp_snapshot_memory *memory, uint64_t *differing,
			struct fcp_error *err)
{
	const struct fcp_ranges *zero = &memory->plan.zero;
	int fd = memory->settings.files->memory.fd, base = memory->base.fd;

	for (size_t i = 0; i < zero->count; i++) {
		if (count_not_zero(memory, fd, zero->items[i], differing, err) != 0)
			return -1;
		if (fcp_snapshot_is_layer(memory) &&
		    count_not_zero(memory, base, zero->items[i], differing, err) != 0)
			return -1;
	}
	return 0;
}

/*
 * Compares all pages of the file that are not free with the memory, which must be stopped. Missing
 * pages that a handler would fill in are not touched.
 */
int fcp_snapshot_verify(const struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			struct fcp_error *err)
{
	FCP_CLEANUP(page_runs) struct fcp_page_runs unchanged = {0};
	uint64_t differing = 0;

	if (fcp_snapshot_settle_rest(memory, report, err) != 0 ||
	    verify_zeros(memory, &differing, err) != 0 ||
	    verify_runs(memory, &memory->plan.changed, &differing, err) != 0)
		return -1;
	if (memory->ram.backing != FCP_GUEST_BACKING_USERFAULT &&
	    (runs_of(&memory->ram, &memory->plan.unchanged, &unchanged, err) != 0 ||
	     verify_runs(memory, &unchanged, &differing, err) != 0))
		return -1;
	if (differing > 0)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "%llu pages of the memory file differ from the VM's memory",
				     (unsigned long long)differing);
	report->verified = true;
	return 0;
}
