// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/plan.h"

#include "base/cleanup.h"
#include "guest/pagemap.h"
#include "memory/sparse.h"

#include <fcntl.h>

struct memory_planner {
	const struct fcp_guest_ram *ram;
	const struct fcp_ranges *free;
	size_t next_free; /* the first that ends after what was planned */
	struct fcp_guest_pagemap pagemap;
	struct fcp_snapshot_plan *plan;
};

/* Does the pagemap show the page as the process's own? */
static bool is_own(enum fcp_guest_page_kind kind, const struct fcp_guest_piece *piece)
{
	if (kind == FCP_GUEST_PAGE_SWAPPED)
		return true;
	return kind == FCP_GUEST_PAGE_ANONYMOUS || (kind == FCP_GUEST_PAGE_FILE && !piece->of_file);
}

/* In an anonymous piece over a file's mapping, missing pages are zeros: a discard made it. */
static struct fcp_ranges *list_of_missing(struct memory_planner *planner,
					  const struct fcp_guest_piece *piece)
{
	bool of_base = piece->of_file || planner->ram->backing == FCP_GUEST_BACKING_USERFAULT;

	return of_base ? &planner->plan->unchanged : &planner->plan->zero;
}

/* Offsets start .. end of the memory file, within one piece, none of them free. */
static int plan_by_pagemap(struct memory_planner *planner, const struct fcp_guest_piece *piece,
			   uint64_t start, uint64_t end, struct fcp_error *err)
{
	uint64_t address = fcp_guest_piece_address(piece, start);
	uint64_t last = fcp_guest_piece_address(piece, end);

	while (address < last) {
		struct fcp_guest_run run;
		uint64_t offset = piece->offset + (address - piece->start), bytes;
		int added;

		if (fcp_guest_pagemap_next(&planner->pagemap, address, last, &run, err) != 0)
			return -1;
		bytes = run.end - run.start;
		added = is_own(run.kind, piece)
				? fcp_page_runs_add(&planner->plan->changed,
						    (struct fcp_page_run){offset, offset + bytes,
									  address},
						    err)
				: fcp_ranges_add(list_of_missing(planner, piece), offset,
						 offset + bytes, err);
		if (added != 0)
			return -1;
		address += bytes;
	}
	return 0;
}

/* The shared file's data in that range. The process need not have its pages mapped. */
static int plan_by_extents(struct memory_planner *planner, const struct fcp_guest_piece *piece,
			   struct fcp_range part, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = fcp_guest_piece_open(planner->ram->pid, piece, O_RDONLY, err);
	uint64_t to_file = piece->file_offset - piece->offset; /* may wrap, and wrap back */
	uint64_t at = part.start;
	struct fcp_range data;

	if (fd < 0)
		return -1;
	while (at < part.end) {
		int more = fcp_sparse_next(fd, "guest memory", at + to_file, part.end + to_file,
					   &data, err);
		uint64_t start = more > 0 ? data.start - to_file : part.end;

		if (more < 0 || fcp_ranges_add(&planner->plan->zero, at, start, err) != 0)
			return -1;
		at = more > 0 ? data.end - to_file : part.end;
		if (fcp_page_runs_add(&planner->plan->changed,
				      (struct fcp_page_run){start, at,
							    fcp_guest_piece_address(piece, start)},
				      err) != 0)
			return -1;
	}
	return 0;
}

static int plan_part(struct memory_planner *planner, const struct fcp_guest_piece *piece,
		     uint64_t start, uint64_t end, struct fcp_error *err)
{
	if (piece->inaccessible)
		return fcp_ranges_add(&planner->plan->zero, start, end, err);
	if (planner->ram->backing == FCP_GUEST_BACKING_SHARED)
		return plan_by_extents(planner, piece, (struct fcp_range){start, end}, err);
	return plan_by_pagemap(planner, piece, start, end, err);
}

/* The parts of a piece between free ranges. */
static int plan_piece(struct memory_planner *planner, const struct fcp_guest_piece *piece,
		      struct fcp_error *err)
{
	const struct fcp_ranges *free = planner->free;
	uint64_t at = piece->offset, end = fcp_guest_piece_end(piece);

	while (at < end) {
		const struct fcp_range *next;
		uint64_t until = end;

		while (planner->next_free < free->count &&
		       free->items[planner->next_free].end <= at)
			planner->next_free++;
		next = planner->next_free < free->count ? &free->items[planner->next_free] : NULL;
		if (next && next->start < end)
			until = next->start > at ? next->start : at;
		if (until > at && plan_part(planner, piece, at, until, err) != 0)
			return -1;
		at = next && next->start < end ? next->end : end;
	}
	return 0;
}

int fcp_snapshot_plan_make(const struct fcp_snapshot_plan_settings *settings,
			   struct fcp_snapshot_plan *plan_, struct fcp_error *err)
{
	struct memory_planner planner = {.ram = settings->ram,
					 .free = settings->free,
					 .plan = plan_};
	int made = fcp_guest_pagemap_open(settings->ram->pid, &planner.pagemap, err);

	planner.pagemap.no_files = fcp_guest_ram_has_no_files(settings->ram);
	planner.pagemap.absent_is_zero = settings->ram->backing == FCP_GUEST_BACKING_ANONYMOUS;
	for (size_t i = 0; made == 0 && i < settings->ram->piece_count; i++)
		made = plan_piece(&planner, &settings->ram->pieces[i], err);
	fcp_guest_pagemap_close(&planner.pagemap);
	return made;
}

void fcp_snapshot_plan_clear(struct fcp_snapshot_plan *plan)
{
	fcp_page_runs_clear(&plan->changed);
	fcp_ranges_clear(&plan->zero);
	fcp_ranges_clear(&plan->unchanged);
}
