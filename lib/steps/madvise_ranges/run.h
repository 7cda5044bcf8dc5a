// SPDX-License-Identifier: Apache-2.0
/* Shared by the files of madvise-ranges that work on a memory file. */
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
	bool borrowed; /* the caller owns the file's descriptor */
	struct fcp_claim claim;
	bool claimed;
	bool recorded; /* the meaning of the holes is recorded with the file */
	unsigned find; /* those of settings->find that the meaning of the holes allows */
	uint64_t size_bytes;
	struct fcp_ranges free;
	struct fcp_ranges zero;
	struct fcp_input_file base; /* what the file is compared with */
	struct fcp_found_ranges
		compared; /* the result of the comparison; sorted, without free pages */
	struct fcp_releaser *releaser;
	uint64_t punched_bytes;
};

/*
 * Opens and claims the file, unless it is borrowed, and reads its identity. FCP_ERR_LOCKED: another
 * fcpause is using it, and was for wait_lock_ms.
 */
int fcp_madvise_open(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * After the last change: FCP_ERR_BUSY if anybody else used the file; else its record stays valid.
 */
int fcp_madvise_end_changes(struct fcp_madvise_run *run, struct fcp_error *err);

/* Safe before _open, and twice. */
void fcp_madvise_close(struct fcp_madvise_run *run);

/* Adds to the result's warning; "" adds nothing. */
void fcp_madvise_warn(struct fcp_madvise_run *run, const char *text);

/*
 * Decides what the file's holes mean: as specified, else as recorded; that limits what can be
 * found. A file recorded as a layer is never treated as a whole one (FCP_ERR_UNSUPPORTED); one
 * recorded as whole can be treated as a layer, which releases less, with a warning. Of a layer,
 * zero pages alone cannot be found: FCP_ERR_USAGE if specified to be one, FCP_ERR_UNSUPPORTED if
 * recorded.
 */
int fcp_madvise_decide_holes(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * If neither specified nor recorded, the file may have holes over free pages only: where its guest
 * uses memory, zeros and a base's bytes cannot be told apart (FCP_ERR_UNSUPPORTED). looked:
 * run->free is the list of free pages. FCP_ERR_IO.
 */
int fcp_madvise_check_holes(struct fcp_madvise_run *run, bool looked, struct fcp_error *err);

/*
 * Records the meaning with the file before pages are released, so that the next run need not be
 * told.
 */
void fcp_madvise_record_holes(struct fcp_madvise_run *run);

static inline uint64_t fcp_madvise_align_bytes(const struct fcp_madvise_ranges_settings *settings)
{
	return settings->align_bytes ? settings->align_bytes : FCP_PAGE_BYTES;
}

/* ---- list.c ---- */

/*
 * Opens the base if something is to be found that needs one; the meaning of the holes must be
 * decided. Errors as fcp_base_file_open(), also for a layer of another base.
 */
int fcp_madvise_open_base(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * Fills in run->compared and run->zero, from all pages but run->free. FCP_ERR_BUSY: one of the
 * files was changed during the comparison; others as fcp_compare_files().
 */
int fcp_madvise_compare(struct fcp_madvise_run *run, struct fcp_error *err);

/* Lists what was found in the file, or the given ranges. FCP_ERR_MEMORY. */
int fcp_madvise_list_file(struct fcp_madvise_run *run, struct fcp_error *err);

/*
 * Lists what was found, in result->found with its sums, from all (which it sorts), shrunk as the
 * settings say. size_bytes: of the memory. FCP_ERR_MEMORY.
 */
int fcp_madvise_list(const struct fcp_madvise_ranges_settings *settings, uint64_t size_bytes,
		     struct fcp_found_ranges *all, struct fcp_madvise_ranges_result *result,
		     struct fcp_error *err);

#endif
