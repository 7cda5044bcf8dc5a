// SPDX-License-Identifier: Apache-2.0
/* What the parts of madvise-ranges on a memory file have in common. */
#ifndef FCP_STEPS_MADVISE_RANGES_RUN_H
#define FCP_STEPS_MADVISE_RANGES_RUN_H

#include "base/units.h"
#include "memory/claim.h"
#include "memory/file.h"
#include "memory/found.h"
#include "memory/releaser.h"
#include "steps/input_file.h"

/* One run of the step. The lists are sorted; free and zero are disjoint. */
struct fcp_madvise_run {
	const struct fcp_madvise_ranges_settings *settings;
	struct fcp_madvise_ranges_result *result;
	struct fcp_file file;
	bool borrowed; /* the file's descriptor is the caller's */
	struct fcp_claim claim;
	bool claimed;
	bool recorded; /* what the holes mean is recorded with the file */
	unsigned find; /* of settings->find, what the meaning of the holes allows */
	uint64_t size_bytes;
	struct fcp_ranges free;
	struct fcp_ranges zero;
	struct fcp_input_file base;	  /* what the file is compared with */
	struct fcp_found_ranges compared; /* what that has shown; sorted, without free pages */
	struct fcp_releaser *releaser;
	uint64_t punched_bytes;
};

/*
 * Opens and claims the file, as far as it is not borrowed, and notes its identity. FCP_ERR_LOCKED:
 * another fcpause is using it, and has for wait_lock_ms.
 */
int fcp_madvise_open(struct fcp_madvise_run *run, struct fcp_error *err);

/* After the last change: was the file ours alone (FCP_ERR_BUSY)? Then its record stays right. */
int fcp_madvise_end_changes(struct fcp_madvise_run *run, struct fcp_error *err);

/* Safe before _open and after itself. */
void fcp_madvise_close(struct fcp_madvise_run *run);

/* Adds to the result's warning; "" adds nothing. */
void fcp_madvise_warn(struct fcp_madvise_run *run, const char *text);

/*
 * What the holes of the file mean: as specified, else as recorded; what can be found follows from it.
 * A file recorded as a layer is never taken for a whole one (FCP_ERR_UNSUPPORTED); one recorded as
 * whole can be taken for a layer, which releases less, with a warning. Of a layer zero pages alone
 * cannot be found: FCP_ERR_USAGE where it was specified, FCP_ERR_UNSUPPORTED where it is recorded.
 */
int fcp_madvise_decide_holes(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * Where nothing is specified and nothing recorded, the file may have holes over free pages only:
 * where its guest uses memory, zeros and a base's bytes cannot be told apart (FCP_ERR_UNSUPPORTED).
 * looked: run->free is what was found. FCP_ERR_IO.
 */
int fcp_madvise_check_holes(struct fcp_madvise_run *run, bool looked, struct fcp_error *err);

/* Records the meaning with the file before pages are released, so that the next run need not ask. */
void fcp_madvise_record_holes(struct fcp_madvise_run *run);

static inline uint64_t fcp_madvise_align_bytes(const struct fcp_madvise_ranges_settings *settings)
{
	return settings->align_bytes ? settings->align_bytes : FCP_PAGE_BYTES;
}

/* ---- madvise_list.c ---- */

/* Opens the base where something is to be found that needs one; what the holes mean is known. Errors as of
 * fcp_base_file_open(), also for a layer of another. */
int fcp_madvise_open_base(struct fcp_madvise_run *run, struct fcp_error *err);

/* Fills run->compared and run->zero in, of all pages but run->free. FCP_ERR_BUSY: one of the two files has been
 * changed meanwhile; others as fcp_compare_files(). */
int fcp_madvise_compare(struct fcp_madvise_run *run, struct fcp_error *err);

/* The list of what was found in the file, or of the ranges that were given. FCP_ERR_MEMORY. */
int fcp_madvise_list_file(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * The list of what was found: result->found and the sums beside it, of all (which is sorted by that),
 * cut down as the settings say. size_bytes: of the memory. FCP_ERR_MEMORY.
 */
int fcp_madvise_list(const struct fcp_madvise_ranges_settings *settings, uint64_t size_bytes,
		     struct fcp_found_ranges *all, struct fcp_madvise_ranges_result *result,
		     struct fcp_error *err);

#endif
