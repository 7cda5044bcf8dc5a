// SPDX-License-Identifier: Apache-2.0
/* Decides which pages of a stopped guest must be read for its memory file. */
#ifndef FCP_STEPS_SNAPSHOT_PLAN_H
#define FCP_STEPS_SNAPSHOT_PLAN_H

#include "guest/ram.h"
#include "memory/writer.h"

/*
 * Three disjoint lists of the memory file's pages; free pages are in none. Zero-initialise it; free
 * it with fcp_snapshot_plan_clear().
 */
struct fcp_snapshot_plan {
	struct fcp_page_runs changed; /* the VM's own: must be read */
	struct fcp_ranges zero;	      /* certainly zeros, not read */
	struct fcp_ranges unchanged;  /* the base's bytes */
};

struct fcp_snapshot_plan_settings {
	const struct fcp_guest_ram *ram;
	const struct fcp_ranges
		*free; /* offsets in the memory file, sorted: in none of the lists */
};

/*
 * Reads the process's mappings and pagemap. A page of a private file mapping is the base's until it
 * is written. In anonymous memory, also where a discard put it over a file mapping, a page neither
 * present nor swapped out is zeros; where a handler fills in memory (userfaultfd), it is the
 * base's. The data of a shared file is the VM's own, and its holes are zeros. The memory itself is
 * not read. FCP_ERR_UNSUPPORTED: no permission to trace the process; FCP_ERR_IO, FCP_ERR_MEMORY.
 * Source: Documentation/admin-guide/mm/pagemap.rst.
 */
int fcp_snapshot_plan_make(const struct fcp_snapshot_plan_settings *settings,
			   struct fcp_snapshot_plan *plan_, struct fcp_error *err);

void fcp_snapshot_plan_clear(struct fcp_snapshot_plan *plan);

#endif
