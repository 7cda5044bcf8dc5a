// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/confined.h"
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/units.h"
#include "guest/classify/classify.h"
#include "memory/claim.h"
#include "memory/file.h"
#include "memory/sparse.h"
#include "memory/zero.h"
#include "steps/free_ranges.h"
#include "steps/holes.h"
#include "steps/inspect/base.h"
#include "steps/inspect/share.h"
#include "steps/inspect/sums.h"
#include "steps/memory_file.h"

#include <stdio.h>
#include <string.h>

/* How often to check who else uses the file. */
#define POLL_BYTES (4 * FCP_MIB)

/* One run of the step. */
struct inspect_run {
	const struct fcp_inspect_settings *settings;
	struct fcp_inspect_result *result;
	struct fcp_file file;
	struct fcp_inspect_base base;
	struct fcp_inspect_share share;
	struct fcp_claim claim;
	bool claimed;
	uint64_t polled_bytes; /* the offset at which that was last checked */
};

/* ---- the file ---- */

static int open_inspected(struct inspect_run *run, struct fcp_error *err)
{
	struct fcp_file_size size;
	bool contradicts; /* it changes nothing here */

	if (fcp_memory_file_open(&run->file, false, &run->result->logical_bytes, err) < 0 ||
	    fcp_file_size(run->file.fd, run->file.name, &size, err) < 0)
		return -1;
	run->result->allocated_bytes = size.allocated_bytes;
	run->claimed = true;
	if (fcp_claim_take(run->file.fd, run->file.name, FCP_CLAIM_READ, &run->claim, err) < 0)
		return -1;
	return fcp_holes_decide(&run->file, run->settings->holes, &run->result->attributes,
				&contradicts, err);
}

/* ---- a readable guest ---- */

static int add_class_run(const struct fcp_guest_class_run *guest, void *arg, struct fcp_error *err)
{
	struct inspect_run *run = arg;

	if (guest->end - run->polled_bytes >= POLL_BYTES) {
		run->polled_bytes = guest->end;
		if (fcp_file_poll(&run->file, err) < 0)
			return -1;
	}
	run->result->data_bytes += guest->data ? guest->end - guest->start : 0;
	return fcp_inspect_add(run->result, &run->base.same,
			       (struct fcp_range){guest->start, guest->end},
			       &(struct fcp_inspect_amount){guest->page_class, true, guest->data,
							    false},
			       err);
}

/* The guest chooses its release string: only printable characters may reach a terminal. */
static void take_release(const char *release, char printable[65])
{
	size_t i;

	for (i = 0; i < 64 && release[i]; i++)
		printable[i] = release[i] > ' ' && release[i] < 0x7f ? release[i] : '?';
	printable[i] = '\0';
}

/* Gates after the free lists matter for a release only. */
static bool is_sound(const struct fcp_guest_report *report)
{
	for (unsigned i = 0; i <= FCP_GUEST_GATE_FREE_COUNT; i++)
		if (report->gates[i]->state != FCP_GATE_PASSED)
			return false;
	return true;
}

/*
 * In a layer that is not recorded as one, holes in the memmap stand for the base's bytes; read as
 * zeros they would yield wrong page states: the guest's free lists must agree with the memmap.
 */
static int check_guest(struct inspect_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct fcp_guest_report *report = NULL;
	struct fcp_ranges free_ranges = {0};
	const struct fcp_free_source source = {run->file.fd, run->result->attributes.holes,
					       run->base.file.file.fd, run->file.cancel_fd,
					       run->settings->confine};
	int found = fcp_free_ranges_find(&source, &free_ranges, &report, err);

	fcp_ranges_clear(&free_ranges);
	if (found != 0 && report && err->error_class == FCP_ERR_UNSUPPORTED && is_sound(report))
		return 0;
	return found;
}

struct classification {
	const struct fcp_guest_memory *memory;
	const struct fcp_guest_classify_settings *settings;
	char *release;
};

static int classify(void *arg, struct fcp_error *err)
{
	const struct classification *job = arg;

	return fcp_guest_classify(job->memory, job->settings, job->release, err);
}

static int add_readable_guest(struct inspect_run *run, struct fcp_error *err)
{
	const struct fcp_guest_classify_settings settings = {.zero = true,
							     .cancel_fd = run->file.cancel_fd,
							     .sink = add_class_run,
							     .sink_arg = run};
	const struct fcp_confinement confinement = {run->settings->confine, 0};
	char release[FCP_GUEST_RELEASE_BYTES] = "";
	struct fcp_guest_memory memory;
	struct classification job = {&memory, &settings, release};

	if (check_guest(run, err) < 0 ||
	    fcp_guest_memory_open_file(run->file.fd, run->result->attributes.holes,
				       run->base.file.file.fd, &memory, err) < 0)
		return -1;
	if (memory.bytes != run->result->logical_bytes)
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: its size was changed",
				     run->file.name);
	if (fcp_confined_run(&confinement, classify, &job, err) < 0)
		return -1;
	take_release(release, run->result->release);
	return 0;
}

/* ---- an unreadable guest ---- */

/* The next extent of data, in whole pages. */
static int next_data(struct inspect_run *run, uint64_t at, struct fcp_range *data_,
		     struct fcp_error *err)
{
	int more;

	if (fcp_file_poll(&run->file, err) < 0)
		return -1;
	more = fcp_sparse_next_pages(run->file.fd, run->file.name, at, run->result->logical_bytes,
				     data_, err);
	if (more <= 0)
		return more;
	run->result->data_bytes += data_->end - data_->start;
	return 1;
}

static int move_zero(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	const struct fcp_range range = {start, end};
	struct inspect_run *run = arg;

	if (end > run->result->logical_bytes ||
	    run->result->classes[FCP_PAGE_UNKNOWN]->all.allocated_bytes < end - start)
		return fcp_error_set(err, FCP_ERR_BUSY, 0,
				     "the file was changed while it was read");
	if (fcp_inspect_add(run->result, &run->base.same, range,
			    &(struct fcp_inspect_amount){FCP_PAGE_UNKNOWN, true, true, true},
			    err) < 0)
		return -1;
	return fcp_inspect_add(run->result, &run->base.same, range,
			       &(struct fcp_inspect_amount){FCP_PAGE_ZERO, true, true, false}, err);
}

/* Holes are unknown too: in a layer they stand for the base's bytes. */
static int add_unknown(struct inspect_run *run, struct fcp_error *err)
{
	const struct fcp_zero_scan scan = {.file = &run->file, .sink = move_zero, .sink_arg = run};
	struct fcp_range data = {0, 0};
	int more;

	if (fcp_inspect_add(run->result, &run->base.same,
			    (struct fcp_range){0, run->result->logical_bytes},
			    &(struct fcp_inspect_amount){FCP_PAGE_UNKNOWN, true, false, false},
			    err) < 0)
		return -1;
	while ((more = next_data(run, data.end, &data, err)) > 0)
		if (fcp_inspect_add(run->result, &run->base.same, data,
				    &(struct fcp_inspect_amount){FCP_PAGE_UNKNOWN, false, true,
								 false},
				    err) < 0)
			return -1;
	return more < 0 ? -1 : fcp_zero_scan(&scan, err);
}

/* ---- the step ---- */

static bool is_of_the_guest(const struct fcp_error *err)
{
	return err->error_class == FCP_ERR_UNSUPPORTED || err->error_class == FCP_ERR_INPUT;
}

static int inspect_pages(struct inspect_run *run, struct fcp_error *err)
{
	if (add_readable_guest(run, err) == 0)
		return 0;
	if (!is_of_the_guest(err))
		return -1;
	fcp_outcome_set(&run->result->outcome, FCP_STATUS_PARTIAL, "the guest cannot be read: %s",
			err->message);
	fcp_inspect_forget(run->result);
	return add_unknown(run, err);
}

/* If the guest can be read with holes as zeros, they are zeros. */
static int check_holes(struct inspect_run *run, bool *known_, struct fcp_error *err)
{
	*known_ = run->result->attributes.holes != FCP_HOLES_UNSPECIFIED ||
		  !fcp_holes_exist(&run->file, run->result->logical_bytes);
	if (*known_)
		return 0;
	*known_ = check_guest(run, err) == 0;
	return *known_ || is_of_the_guest(err) ? 0 : -1;
}

static int compare_base(struct inspect_run *run, struct fcp_error *err)
{
	bool holes_known;

	if (!run->settings->base)
		return 0;
	if (check_holes(run, &holes_known, err) < 0)
		return -1;
	return fcp_inspect_compare(run->settings->base, &run->file, holes_known, &run->base,
				   run->result, err);
}

/* Prepended to the present reason. */
static void put_reason(struct inspect_run *run, const char *what, const char *reason)
{
	struct fcp_outcome *outcome = &run->result->outcome;
	char other[512] = "";

	if (!reason[0])
		return;
	if (outcome->status != FCP_STATUS_OK)
		snprintf(other, sizeof(other), "; %.500s", outcome->reason);
	fcp_outcome_set(outcome, FCP_STATUS_PARTIAL, "%s%s%s", what, reason, other);
}

static int run_inspect(struct inspect_run *run, struct fcp_error *err)
{
	if (!run->settings->mem_file_path || !*run->settings->mem_file_path)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no memory file given");
	if (open_inspected(run, err) < 0 || compare_base(run, err) < 0 ||
	    fcp_inspect_look_up(run->settings, &run->file, &run->share, &run->base.same,
				run->result, err) < 0 ||
	    fcp_inspect_begin(run->result, run->settings->cells_max, err) < 0 ||
	    inspect_pages(run, err) < 0)
		return -1;
	run->result->largest = fcp_inspect_largest(run->result);
	fcp_inspect_sum_up(run->result);
	put_reason(run, "", run->share.doubt);
	put_reason(run, "not compared: ", run->base.not_compared);
	return 0;
}

static int inspect_file(const struct fcp_inspect_settings *settings,
			struct fcp_inspect_result *result, struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "inspect");
	struct inspect_run run = {.settings = settings,
				  .result = result,
				  .base = FCP_INSPECT_BASE_NONE,
				  .file = {.fd = -1,
					   .name = settings->mem_file_path,
					   .cancel_fd = settings->cancel_fd}};
	int done;

	*result = (struct fcp_inspect_result){.largest = FCP_PAGE_UNKNOWN};
	done = run_inspect(&run, err);
	fcp_inspect_share_close(&run.share);
	fcp_inspect_base_close(&run.base);
	if (run.claimed)
		fcp_claim_release(&run.claim);
	if (run.file.fd >= 0)
		close(run.file.fd);
	return fcp_step_finish(&step, &result->outcome, done, err);
}

int fcp_inspect(const struct fcp_inspect_settings *settings, struct fcp_inspect_result *result,
		struct fcp_error *err)
{
	struct fcp_inspect_settings own_settings = FCP_INSPECT_SETTINGS_INIT;
	struct fcp_inspect_result own = FCP_INSPECT_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = inspect_file(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_inspect_result_clear(&own);
	return ran;
}

void fcp_inspect_result_clear(struct fcp_inspect_result *result)
{
	struct fcp_inspect_result own = FCP_INSPECT_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_inspect_free(&own);
}
