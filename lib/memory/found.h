// SPDX-License-Identifier: Apache-2.0
/* Lists of what was found where: beyond what fcpause.h offers. */
#ifndef FCP_MEMORY_FOUND_H
#define FCP_MEMORY_FOUND_H

#include "base/error.h"

/* The kinds that are told by comparing with a base. */
#define FCP_FIND_BY_BASE ((unsigned)(FCP_FIND_BASE | FCP_FIND_CHANGED))

/* The reverse of fcp_find_name(); 0 when it is none. */
unsigned fcp_find_parse(const char *name);

/* Appends start .. end; merges with the last range of the same kind when they touch. FCP_ERR_MEMORY only. */
int fcp_found_add(struct fcp_found_ranges *ranges, uint64_t start, uint64_t end, unsigned found,
		  struct fcp_error *err);

/* The same of all of another list. */
int fcp_found_append(struct fcp_found_ranges *ranges, const struct fcp_found_ranges *added,
		     struct fcp_error *err);

/* The same of each of a list. */
int fcp_found_add_all(struct fcp_found_ranges *ranges, const struct fcp_ranges *added,
		      unsigned found, struct fcp_error *err);

/* The number of the first range of a sorted list that ends behind that offset; count: none. */
size_t fcp_found_first(const struct fcp_found_ranges *ranges, uint64_t offset);

/* In ascending order, with touching ranges of one kind merged. */
void fcp_found_sort(struct fcp_found_ranges *ranges);

/* Sum of the lengths of one kind, in bytes. */
uint64_t fcp_found_bytes(const struct fcp_found_ranges *ranges, unsigned found);

/* *ranges_ (zero-initialised) = the ranges of one kind. FCP_ERR_MEMORY only. */
int fcp_found_select(const struct fcp_found_ranges *ranges, unsigned found,
		     struct fcp_ranges *ranges_, struct fcp_error *err);

struct fcp_found_grain {
	uint64_t align_bytes; /* a power of two */
	uint64_t min_run_bytes;
	uint64_t size_bytes;  /* where the memory ends */
	bool rest_is_changed; /* what is in no other kind's range is CHANGED; else it is in none */
};

/*
 * *coarse_ (zero-initialised) = the ranges of a sorted list, cut down to multiples of align_bytes; those
 * shorter than min_run_bytes are left out. With rest_is_changed the blocks of align_bytes that this leaves out,
 * in part or as a whole, become CHANGED, and so do those of CHANGED ranges. FCP_ERR_MEMORY only.
 */
int fcp_found_coarsen(const struct fcp_found_ranges *ranges, const struct fcp_found_grain *grain,
		      struct fcp_found_ranges *coarse_, struct fcp_error *err);

/* Safe on zeros. */
void fcp_found_clear(struct fcp_found_ranges *ranges);

static inline void fcp_cleanup_found(struct fcp_found_ranges *ranges)
{
	fcp_found_clear(ranges);
}

#endif
