// SPDX-License-Identifier: Apache-2.0
/* Lists of classified ranges, beyond fcpause.h. */
#ifndef FCP_MEMORY_FOUND_H
#define FCP_MEMORY_FOUND_H

#include "base/error.h"

/* The kinds that take a comparison with a base. */
#define FCP_FIND_BY_BASE ((unsigned)(FCP_FIND_BASE | FCP_FIND_CHANGED))

/* The reverse of fcp_find_name(); 0 for any other name. */
unsigned fcp_find_parse(const char *name);

/*
 * Appends start .. end, merging it with the last range if they touch and have the same kind.
 * FCP_ERR_MEMORY only.
 */
int fcp_found_add(struct fcp_found_ranges *ranges, uint64_t start, uint64_t end, unsigned found,
		  struct fcp_error *err);

/* The same for all of another list. */
int fcp_found_append(struct fcp_found_ranges *ranges, const struct fcp_found_ranges *added,
		     struct fcp_error *err);

/* The same for each range of a list. */
int fcp_found_add_all(struct fcp_found_ranges *ranges, const struct fcp_ranges *added,
		      unsigned found, struct fcp_error *err);

/* The index of the first range of a sorted list that ends after offset; count if there is none. */
size_t fcp_found_first(const struct fcp_found_ranges *ranges, uint64_t offset);

/* Sorts the list, merging touching ranges of the same kind. */
void fcp_found_sort(struct fcp_found_ranges *ranges);

/* Sum of the lengths of one kind, in bytes. */
uint64_t fcp_found_bytes(const struct fcp_found_ranges *ranges, unsigned found);

/* *ranges_ (zero-initialised): the ranges of one kind. FCP_ERR_MEMORY only. */
int fcp_found_select(const struct fcp_found_ranges *ranges, unsigned found,
		     struct fcp_ranges *ranges_, struct fcp_error *err);

struct fcp_found_grain {
	uint64_t align_bytes; /* a power of two */
	uint64_t min_run_bytes;
	uint64_t size_bytes;  /* the size of the memory */
	bool rest_is_changed; /* what no other range covers is CHANGED; else it is dropped */
};

/*
 * *coarse_ (zero-initialised): the ranges of a sorted list, shrunk to multiples of align_bytes,
 * without those that become shorter than min_run_bytes. With rest_is_changed, the blocks of
 * align_bytes that this drops, in part or as a whole, become CHANGED, as do those of CHANGED
 * ranges. FCP_ERR_MEMORY only.
 */
int fcp_found_coarsen(const struct fcp_found_ranges *ranges, const struct fcp_found_grain *grain,
		      struct fcp_found_ranges *coarse_, struct fcp_error *err);

/* Safe on a zeroed struct. */
void fcp_found_clear(struct fcp_found_ranges *ranges);

static inline void fcp_cleanup_found(struct fcp_found_ranges *ranges)
{
	fcp_found_clear(ranges);
}

#endif
