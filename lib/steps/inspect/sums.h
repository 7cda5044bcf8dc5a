// SPDX-License-Identifier: Apache-2.0
/* The sums of inspect, for the whole file and for each part of it. */
#ifndef FCP_STEPS_INSPECT_SUMS_H
#define FCP_STEPS_INSPECT_SUMS_H

#include "memory/found.h"

/* Besides fcpause.h's FCP_FIND_...: pages that a file to share storage with has. */
#define FCP_FOUND_SHARED (1U << 16)

/*
 * Makes result->classes and, dividing the file (result->logical_bytes) into at most cells_max
 * parts, its cells; 0: none. Free with fcp_inspect_free(), after a failure too. FCP_ERR_MEMORY.
 */
int fcp_inspect_begin(struct fcp_inspect_result *result, uint32_t cells_max, struct fcp_error *err);

/* Frees the classes and the cells. */
void fcp_inspect_free(struct fcp_inspect_result *result);

/* What to add. Moving bytes out of a class is adding negative figures, which wrap. */
struct fcp_inspect_amount {
	enum fcp_page_class page_class;
	bool in_memory, on_disk;
	bool take_away;
};

/*
 * same: the pages that other files have too, as FCP_FIND_BASE and FCP_FOUND_SHARED; sorted.
 * FCP_ERR_MEMORY.
 */
int fcp_inspect_add(struct fcp_inspect_result *result, const struct fcp_found_ranges *same,
		    struct fcp_range range, const struct fcp_inspect_amount *amount,
		    struct fcp_error *err);

/* At the end: computes result->in_base, in_shares, layer_bytes and share_bytes. */
void fcp_inspect_sum_up(struct fcp_inspect_result *result);

/* Drops what was added before the guest turned out to be unreadable. */
void fcp_inspect_forget(struct fcp_inspect_result *result);

/* The class with the most storage; UNKNOWN if there is no storage. */
enum fcp_page_class fcp_inspect_largest(const struct fcp_inspect_result *result);

#endif
