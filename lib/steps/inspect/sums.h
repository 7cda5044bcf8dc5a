// SPDX-License-Identifier: Apache-2.0
/* The sums of inspect: of the whole file, and the same for each part of it. */
#ifndef FCP_STEPS_INSPECT_SUMS_H
#define FCP_STEPS_INSPECT_SUMS_H

#include "memory/found.h"

/* Beside fcpause.h's FCP_FIND_...: pages that a file to share storage with has. */
#define FCP_FOUND_SHARED (1U << 16)

/* Cuts the file (result->logical_bytes) into at most cells_max parts; 0: none. result->compared and share_count are known.
 * FCP_ERR_MEMORY. */
int fcp_inspect_begin(struct fcp_inspect_result *result, uint32_t cells_max, struct fcp_error *err);

/* What to add; a move out of a class is the same with wrapped figures. */
struct fcp_inspect_amount {
	enum fcp_page_class page_class;
	bool in_memory, on_disk;
	bool take_away;
};

/* same: which pages stand elsewhere too, by FCP_FIND_BASE and FCP_FOUND_SHARED; sorted. */
void fcp_inspect_add(struct fcp_inspect_result *result, const struct fcp_found_ranges *same,
		     struct fcp_range range, const struct fcp_inspect_amount *amount);

/* At the end: result->same_all, layer_bytes and share_bytes. */
void fcp_inspect_sum_up(struct fcp_inspect_result *result);

/* What was added before the guest's memory turned out to be none. */
void fcp_inspect_forget(struct fcp_inspect_result *result);

/* The class that occupies most storage; UNKNOWN where none does. */
enum fcp_page_class fcp_inspect_largest(const struct fcp_inspect_result *result);

#endif
