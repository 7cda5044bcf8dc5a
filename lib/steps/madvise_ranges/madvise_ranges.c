// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/units.h"
#include "memory/file.h"
#include "memory/identity.h"
#include "memory/range.h"
#include "memory/release.h"
#include "memory/releaser.h"
#include "memory/sparse.h"
#include "memory/zero.h"
#include "steps/free_ranges.h"
#include "steps/madvise_ranges/madvise_ranges.h"
#include "steps/madvise_ranges/process.h"
#include "steps/madvise_ranges/run.h"

#include <string.h>

/* For a file and for a process. */
static int check_finds(const struct fcp_madvise_ranges_settings *settings, struct fcp_error *err)
{
	const unsigned known = FCP_FIND_ZERO | FCP_FIND_FREE | FCP_FIND_BY_BASE;
	uint64_t align_bytes = fcp_madvise_align_bytes(settings);

	if ((settings->find != 0) == (settings->ranges != NULL) || (settings->find & ~known) != 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "either what to find or ranges");
	if ((settings->find & FCP_FIND_BY_BASE) && !settings->keep)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"pages that equal the base's, or have changed, must not be released: "
			"the guest needs them");
	if (align_bytes < FCP_PAGE_BYTES || align_bytes > FCP_ALIGN_MAX ||
	    (align_bytes & (align_bytes - 1)) != 0)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"an alignment of %llu bytes: not a power of two from 4096 to 1 GiB",
			(unsigned long long)align_bytes);
	return 0;
}

static int check_madvise_settings(const struct fcp_madvise_ranges_settings *settings,
				  struct fcp_error *err)
{
	if (!settings->mem_file_path || !*settings->mem_file_path)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no memory file given");
	if ((settings->find & FCP_FIND_BY_BASE) && !settings->base)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%.200s: without its base it is unknown which pages equal it",
				     settings->mem_file_path);
	return 0;
}

static int measure_file(const struct fcp_madvise_run *run, uint64_t *allocated_bytes_,
			struct fcp_error *err)
{
	struct fcp_file_size size;

	if (fcp_file_size(run->file.fd, run->file.name, &size, err) < 0)
		return -1;
	run->result->mem_file.logical_bytes = size.logical_bytes;
	*allocated_bytes_ = size.allocated_bytes;
	return 0;
}

/*
 * All gates are checked before anything is released. If one refuses, zero pages can still be
 * released.
 */
static int find_free_of_file(struct fcp_madvise_run *run, struct fcp_error *err)
{
	const struct fcp_free_source source = {run->file.fd, run->result->attributes.holes,
					       run->base.file.fd, run->file.cancel_fd,
					       run->settings->confine};
	bool look = run->find & FCP_FIND_FREE;
	struct fcp_error why;

	if (look && fcp_free_ranges_find(&source, &run->free, &run->result->guest, &why) != 0) {
		if (why.error_class != FCP_ERR_UNSUPPORTED || run->find == FCP_FIND_FREE) {
			*err = why;
			return -1;
		}
		fcp_outcome_set(&run->result->outcome, FCP_STATUS_PARTIAL, "free pages: %s",
				why.message);
	}
	return fcp_madvise_check_holes(run, look, err);
}

/* Only the complete list shows which runs are long enough, and which fill a larger block. */
static bool release_while_finding(const struct fcp_madvise_run *run)
{
	return !run->settings->keep && run->settings->min_run_bytes <= FCP_PAGE_BYTES &&
	       fcp_madvise_align_bytes(run->settings) == FCP_PAGE_BYTES;
}

static int take_zero(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	struct fcp_madvise_run *run = arg;

	if (fcp_ranges_add(&run->zero, start, end, err) < 0)
		return -1;
	return run->releaser ? fcp_releaser_put(start, end, run->releaser, err) : 0;
}

static int scan_zero(struct fcp_madvise_run *run, struct fcp_error *err)
{
	/* Free pages need not be read. */
	const struct fcp_zero_scan scan = {.file = &run->file,
					   .skip = &run->free,
					   .sink = take_zero,
					   .sink_arg = run};

	for (size_t i = 0; run->releaser && i < run->free.count; i++)
		if (fcp_releaser_put(run->free.items[i].start, run->free.items[i].end,
				     run->releaser, err) < 0)
			return -1;
	return run->find & FCP_FIND_ZERO ? fcp_zero_scan(&scan, err) : 0;
}

/*
 * Zeros are found and released in parallel. The claim guarantees that a page is still zero when it
 * is punched: nobody else has the file open, and an opener waits until we are done or have given
 * way. Stopped at any point, each page is unchanged or a hole that reads the same.
 */
static int find_and_release(struct fcp_madvise_run *run, struct fcp_error *err)
{
	int found, released;

	if (fcp_releaser_start(&run->file, &run->releaser, err) < 0)
		return -1;
	found = scan_zero(run, err);
	released = fcp_releaser_finish(run->releaser, found < 0, &run->punched_bytes, err);
	run->releaser = NULL;
	/* The releaser's own error says so already. */
	if (found < 0 && released == 0)
		fcp_error_wrap(err, "%llu bytes were released",
			       (unsigned long long)run->punched_bytes);
	return found < 0 || released < 0 ? -1 : 0;
}

static int check_made_of(struct fcp_madvise_run *run, struct fcp_error *err)
{
	const struct fcp_file_identity *made_of = &run->settings->ranges_of;
	char theirs[FCP_IDENTITY_BYTES], ours[FCP_IDENTITY_BYTES];

	if (!fcp_identity_is_known(made_of) || fcp_identity_equal(made_of, &run->result->file))
		return 0;
	return fcp_error_set(
		err, FCP_ERR_INPUT, 0,
		"%.200s: the ranges were made of another file, or of this one before it "
		"was written: of %s, and this is %s (device:inode, size, time of change)",
		run->file.name, fcp_identity_text(made_of, theirs),
		fcp_identity_text(&run->result->file, ours));
}

static int copy_given(struct fcp_madvise_run *run, struct fcp_error *err)
{
	const struct fcp_ranges none = {0};

	if (check_made_of(run, err) < 0)
		return -1;
	if (fcp_ranges_check(run->settings->ranges, FCP_PAGE_BYTES, run->size_bytes, err) < 0)
		return fcp_error_wrap(err, "%.200s", run->file.name);
	return fcp_ranges_union(run->settings->ranges, &none, &run->result->ranges, err);
}

static int list_found(struct fcp_madvise_run *run, struct fcp_error *err)
{
	return fcp_ranges_union(&run->free, &run->zero, &run->result->ranges, err);
}

static int find_all(struct fcp_madvise_run *run, struct fcp_error *err)
{
	if (run->settings->ranges)
		return copy_given(run, err);
	if ((run->find & FCP_FIND_BY_BASE ? fcp_madvise_compare(run, err) : scan_zero(run, err)) <
	    0)
		return -1;
	return list_found(run, err);
}

static int find_then_release(struct fcp_madvise_run *run, struct fcp_error *err)
{
	struct fcp_ranges *ranges = &run->result->ranges;

	if (find_all(run, err) < 0)
		return -1;
	fcp_ranges_align(ranges, fcp_madvise_align_bytes(run->settings));
	fcp_ranges_drop_short(ranges, run->settings->min_run_bytes);
	if (run->settings->keep)
		return fcp_madvise_list_file(run, err);
	return fcp_release_ranges(&run->file, ranges, &run->punched_bytes, err);
}

static int release_from_file(struct fcp_madvise_run *run, struct fcp_error *err)
{
	if (fcp_madvise_decide_holes(run, err) < 0 || fcp_madvise_open_base(run, err) < 0 ||
	    find_free_of_file(run, err) < 0)
		return -1;
	fcp_madvise_record_holes(run);
	if (run->settings->ranges || !release_while_finding(run))
		return find_then_release(run, err);
	return find_and_release(run, err) < 0 ? -1 : list_found(run, err);
}

/* Measures the result, even after a failure: that failure's err is kept. */
static int take_stock(struct fcp_madvise_run *run, struct fcp_error *err)
{
	struct fcp_madvise_ranges_result *result = run->result;

	result->free_bytes = fcp_ranges_bytes(&run->free);
	result->zero_bytes = fcp_ranges_bytes(&run->zero);
	if (measure_file(run, &result->mem_file.allocated_bytes, err) < 0)
		return -1;
	if (run->settings->keep || run->punched_bytes == 0)
		return 0;
	if (fcp_release_check(&run->file, &result->ranges, result->mem_file.allocated_before_bytes,
			      &result->released_bytes, err) < 0)
		return -1;
	if (result->mem_file.logical_bytes != run->size_bytes)
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: its size was changed",
				     run->file.name);
	if (result->released_bytes == fcp_ranges_bytes(&result->ranges))
		return 0;
	fcp_outcome_set(
		&result->outcome, FCP_STATUS_PARTIAL,
		"%llu bytes were zeroed in place: the file system's blocks are larger than the "
		"runs",
		(unsigned long long)(fcp_ranges_bytes(&result->ranges) - result->released_bytes));
	return 0;
}

static int run_madvise(struct fcp_madvise_run *run, struct fcp_error *err)
{
	struct fcp_error ignored;
	int worked;

	if (check_madvise_settings(run->settings, err) < 0 || fcp_madvise_open(run, err) < 0 ||
	    measure_file(run, &run->result->mem_file.allocated_before_bytes, err) < 0)
		return -1;
	run->result->mem_file.allocated_bytes = run->result->mem_file.allocated_before_bytes;
	fcp_madvise_warn(run, run->claim.doubt);
	worked = release_from_file(run, err);
	worked |= fcp_madvise_end_changes(run, worked == 0 ? err : &ignored);
	if (worked == 0)
		return take_stock(run, err);
	if (run->punched_bytes == 0)
		fcp_ranges_clear(&run->result->ranges); /* never a list of what was refused */
	else if (run->result->ranges.count == 0)
		list_found(run, &ignored);
	take_stock(run, &ignored);
	return -1;
}

static void end_run(struct fcp_madvise_run *run)
{
	fcp_madvise_close(run);
	fcp_ranges_clear(&run->free);
	fcp_ranges_clear(&run->zero);
	fcp_found_clear(&run->compared);
	fcp_input_file_close(&run->base);
}

int fcp_madvise_ranges_of(int fd, const struct fcp_madvise_ranges_settings *settings,
			  struct fcp_madvise_ranges_result *result, struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "madvise-ranges");
	struct fcp_madvise_run run = {.settings = settings,
				      .result = result,
				      .borrowed = fd >= 0,
				      .base = FCP_INPUT_FILE_NONE,
				      .file = {.fd = fd,
					       .name = settings->mem_file_path,
					       .cancel_fd = settings->cancel_fd}};
	int done;

	*result = (struct fcp_madvise_ranges_result){0};
	done = check_finds(settings, err);
	if (done == 0)
		done = settings->pid ? fcp_madvise_process(settings, result, err)
				     : run_madvise(&run, err);
	if (done != 0)
		fcp_found_clear(&result->found);
	end_run(&run);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, done, err);
}

int fcp_madvise_ranges(const struct fcp_madvise_ranges_settings *settings,
		       struct fcp_madvise_ranges_result *result, struct fcp_error *err)
{
	struct fcp_madvise_ranges_settings own_settings = FCP_MADVISE_RANGES_SETTINGS_INIT;
	struct fcp_madvise_ranges_result own = FCP_MADVISE_RANGES_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = fcp_madvise_ranges_of(-1, &own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_madvise_ranges_result_clear(&own);
	return ran;
}

void fcp_madvise_ranges_result_clear(struct fcp_madvise_ranges_result *result)
{
	struct fcp_madvise_ranges_result own = FCP_MADVISE_RANGES_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_ranges_clear(&own.ranges);
	fcp_found_clear(&own.found);
	free(own.regions);
	free(own.guest);
}
