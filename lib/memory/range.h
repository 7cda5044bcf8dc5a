// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of ranges, beyond fcpause.h. A "sorted list" is in ascending order, without empty,
 * overlapping or touching items: what fcp_ranges_add() makes of ascending input.
 */
#ifndef FCP_MEMORY_RANGE_H
#define FCP_MEMORY_RANGE_H

#include "base/error.h"

/*
 * The union of two sorted lists, in one pass. *ranges_ (zero-initialised, neither of the inputs) is
 * sorted and owned by the caller. FCP_ERR_MEMORY only; clear *ranges_ then too.
 */
int fcp_ranges_union(const struct fcp_ranges *a, const struct fcp_ranges *b,
		     struct fcp_ranges *ranges_, struct fcp_error *err);

/*
 * 0 .. bytes without a sorted list. *rest_ (zero-initialised) is sorted and owned by the caller.
 * FCP_ERR_MEMORY only.
 */
int fcp_ranges_complement(const struct fcp_ranges *ranges, uint64_t bytes, struct fcp_ranges *rest_,
			  struct fcp_error *err);

/*
 * Shrinks each range, in place, to multiples of unit_bytes, a power of two; drops those that become
 * empty.
 */
void fcp_ranges_align(struct fcp_ranges *ranges, uint64_t unit_bytes);

/* The first of two sorted lists without the second; else as fcp_ranges_union(). */
int fcp_ranges_subtract(const struct fcp_ranges *a, const struct fcp_ranges *b,
			struct fcp_ranges *ranges_, struct fcp_error *err);

/* Drops, in place, the ranges shorter than min_bytes. */
void fcp_ranges_drop_short(struct fcp_ranges *ranges, uint64_t min_bytes);

/*
 * Are the ranges sorted, multiples of unit_bytes and within 0 .. limit_bytes? Touching ranges are
 * accepted. FCP_ERR_USAGE names the first that is not.
 */
int fcp_ranges_check(const struct fcp_ranges *ranges, uint64_t unit_bytes, uint64_t limit_bytes,
		     struct fcp_error *err);

static inline void fcp_cleanup_ranges(struct fcp_ranges *ranges)
{
	fcp_ranges_clear(ranges);
}

#endif
