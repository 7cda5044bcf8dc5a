// SPDX-License-Identifier: Apache-2.0
/* Which pages of a guest that stands still have to be read for its memory file. */
#ifndef FCP_STEPS_SNAPSHOT_PLAN_H
#define FCP_STEPS_SNAPSHOT_PLAN_H

#include "guest/ram.h"
#include "memory/writer.h"

/*
 * Three disjoint lists of the memory file's pages; what is in none of them has the base's bytes (a
 * VM without a base has no such pages). Zero-initialise; free with fcp_snapshot_plan_clear().
 */
struct fcp_snapshot_plan {
	struct fcp_page_runs changed; /* the VM's own: to be read */
	struct fcp_ranges zero;	      /* zeros for sure, not to be read */
	struct fcp_ranges unchanged;  /* the base's bytes */
};

struct fcp_snapshot_plan_settings {
	const struct fcp_guest_ram *ram;
	const struct fcp_ranges *free; /* offsets in the memory file, sorted: in no list */
};

/*
 * Asks the process's mappings and pagemap. A page of a private mapping of a file is the base's until it
 * was written to; in anonymous memory (also where a discard put it over a file's mapping) a page
 * that is neither present nor swapped out is zeros; where a handler fills memory in (userfaultfd), it is
 * the base's. Of a shared file the data is the VM's own, and a hole is zeros. Nothing is read of the memory itself.
 * FCP_ERR_UNSUPPORTED without the right to trace the process; FCP_ERR_IO, FCP_ERR_MEMORY.
 * Source: Documentation/admin-guide/mm/pagemap.rst.
 */
int fcp_snapshot_plan_make(const struct fcp_snapshot_plan_settings *settings,
			   struct fcp_snapshot_plan *plan_, struct fcp_error *err);

void fcp_snapshot_plan_clear(struct fcp_snapshot_plan *plan);

#endif
