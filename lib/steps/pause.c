// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "firecracker/retry.h"
#include "memory/sparse.h"
#include "steps/balloon_drain.h"
#include "steps/madvise_ranges/madvise_ranges.h"
#include "steps/snapshot/files.h"
#include "steps/snapshot/snapshot.h"

#include <unistd.h>

struct pause_chain {
	const struct fcp_pause_settings *settings;
	struct fcp_pause_result *result;
	int memory_fd;	      /* the published memory file, or -1 */
	struct fcp_lock lock; /* of the VM, for the whole chain */
};

static void set_skipped(struct fcp_outcome *outcome, const char *reason)
{
	fcp_outcome_set(outcome, FCP_STATUS_SKIPPED, "%s", reason ? reason : "off");
}

/* Reports a step that the chain does not run. */
static void leave_out(const struct pause_chain *chain, const char *step,
		      struct fcp_outcome *outcome, const char *reason)
{
	set_skipped(outcome, reason);
	fcp_step_skip(&chain->settings->snapshot.observer, step, outcome);
}

static void skip_all(struct fcp_pause_result *result)
{
	set_skipped(&result->reclaim.outcome, "not reached");
	set_skipped(&result->drain.outcome, "not reached");
	set_skipped(&result->snapshot.outcome, "not reached");
	set_skipped(&result->trim.outcome, "not reached");
}

/* The failure of a best-effort step is in its outcome; only an interruption ends the chain. */
static int best_effort(int ran, const struct fcp_error *err)
{
	return ran != 0 && err->error_class == FCP_ERR_INTERRUPTED ? -1 : 0;
}

static int pause_reclaim(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_reclaim_result *result = &chain->result->reclaim;

	if (!chain->settings->reclaim_on)
		leave_out(chain, "reclaim", &result->outcome, chain->settings->reclaim_off_reason);
	else if (chain->result->vm_state != FCP_VM_RUNNING)
		leave_out(chain, "reclaim", &result->outcome, "the VM was paused already");
	else
		return best_effort(fcp_reclaim(&chain->settings->reclaim, result, err), err);
	return 0;
}

static int pause_drain(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_balloon_drain_result *result = &chain->result->drain;

	if (!chain->settings->drain_on)
		leave_out(chain, "balloon-drain", &result->outcome,
			  chain->settings->drain_off_reason);
	else if (chain->result->vm_state != FCP_VM_RUNNING)
		leave_out(chain, "balloon-drain", &result->outcome, "the VM was paused already");
	else if (best_effort(fcp_balloon_drain_locked(&chain->settings->drain, &chain->lock, result,
						      err),
			     err) != 0)
		return -1;
	/* Flags apply to many VMs, and not all have a balloon. */
	if (result->outcome.status == FCP_STATUS_UNSUPPORTED)
		result->outcome.status = FCP_STATUS_SKIPPED;
	return 0;
}

static bool hinting_left_open(const struct fcp_balloon_drain_result *drain)
{
	return drain->outcome.status == FCP_STATUS_FAILED && drain->started && !drain->stopped;
}

static int pause_snapshot(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_pause_result *result = chain->result;
	const struct fcp_snapshot_prepared prepared = {.lock = &chain->lock, .checked = true};
	int ran = fcp_snapshot_keep(&chain->settings->snapshot, &prepared, &result->snapshot,
				    &chain->memory_fd, err);

	if (result->snapshot.vm_state != FCP_VM_UNKNOWN || result->snapshot.paused)
		result->vm_state = result->snapshot.vm_state;
	result->paused_ms = result->snapshot.paused_ms;
	if (ran != 0 && fcp_firecracker_has_ended(err)) {
		/* It had answered before the first step. */
		result->vm_state = FCP_VM_UNKNOWN;
		fcp_error_wrap(err, "Firecracker has ended, and the VM with it");
		if (hinting_left_open(&result->drain))
			err->error_class = FCP_ERR_NOT_RESTORED;
	}
	return ran;
}

/*
 * What can be released from the new file: of a layer only free pages, since their contents are
 * dead.
 */
static unsigned what_to_find(const struct pause_chain *chain)
{
	unsigned find = chain->settings->trim.find;

	return chain->result->snapshot.layer ? find & ~(unsigned)FCP_FIND_ZERO : find;
}

/*
 * fcpause, as the writer, has done this step's work, except for free pages that a gate refused. The
 * file's storage is reported nevertheless.
 */
static void left_out_while_writing(const struct pause_chain *chain,
				   struct fcp_madvise_ranges_result *result)
{
	const struct fcp_memory_report *memory = &chain->result->snapshot.memory;
	struct fcp_file_size size;
	struct fcp_error ignored;

	set_skipped(&result->outcome, "left out while writing");
	if (memory->free_reason[0])
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "free pages: %s",
				memory->free_reason);
	fcp_step_skip(&chain->settings->snapshot.observer, "madvise-ranges", &result->outcome);
	if (fcp_file_size(chain->memory_fd, "memory file", &size, &ignored) == 0)
		result->mem_file = (struct fcp_mem_file){size.logical_bytes, size.allocated_bytes,
							 size.allocated_bytes};
}

static int pause_trim(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_madvise_ranges_settings settings = chain->settings->trim;
	struct fcp_madvise_ranges_result *result = &chain->result->trim;

	settings.mem_file_path = chain->result->snapshot.mem_file;
	settings.holes = chain->result->snapshot.layer ? FCP_HOLES_BASE : FCP_HOLES_ZERO;
	settings.find = what_to_find(chain);
	if (!chain->settings->trim_on)
		leave_out(chain, "madvise-ranges", &result->outcome,
			  chain->settings->trim_off_reason);
	else if (chain->result->snapshot.writer == FCP_WRITER_FCPAUSE)
		left_out_while_writing(chain, result);
	else if (chain->memory_fd < 0)
		leave_out(chain, "madvise-ranges", &result->outcome, "there is no memory file");
	else if (settings.find == 0)
		leave_out(chain, "madvise-ranges", &result->outcome,
			  "a hole in this Diff may mean a base's bytes, not zeros");
	else
		return best_effort(fcp_madvise_ranges_of(chain->memory_fd, &settings, result, err),
				   err);
	return 0;
}

/* What a guest cannot do at all does not count as falling short: fstrim without discard support. */
static bool reclaim_fell_short(const struct fcp_reclaim_result *reclaim)
{
	for (size_t i = 0; i < reclaim->step_count; i++)
		if (reclaim->steps[i].outcome.status != FCP_STATUS_OK &&
		    reclaim->steps[i].outcome.status != FCP_STATUS_UNSUPPORTED)
			return true;
	return reclaim->step_count == 0 || reclaim->outcome.status == FCP_STATUS_FAILED;
}

/* A step falls short if it was asked for and did not do all of it. */
static void sum_up(struct fcp_pause_result *result)
{
	const struct {
		const char *name;
		const struct fcp_outcome *outcome;
	} steps[] = {
		{"reclaim", &result->reclaim.outcome},
		{"balloon-drain", &result->drain.outcome},
		{"madvise-ranges", &result->trim.outcome},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct fcp_outcome *sum = &result->outcome;

		if (steps[i].outcome->status == FCP_STATUS_OK ||
		    steps[i].outcome->status == FCP_STATUS_SKIPPED ||
		    (i == 0 && !reclaim_fell_short(&result->reclaim)))
			continue;
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "%s%s%s: %s", sum->reason,
				sum->reason[0] ? "; " : "", steps[i].name,
				steps[i].outcome->reason);
	}
}

/* The step ended without a failure and without a snapshot: not supported here. */
static void no_snapshot(struct fcp_pause_result *result)
{
	const struct fcp_outcome *outcome = &result->snapshot.outcome;
	bool is_said = outcome->status != FCP_STATUS_OK && outcome->status != FCP_STATUS_SKIPPED;

	fcp_outcome_set(&result->outcome, is_said ? outcome->status : FCP_STATUS_FAILED,
			"snapshot: %s", is_said ? outcome->reason : "there is none");
}

static int run_chain(struct pause_chain *chain, struct fcp_error *err)
{
	char *warning = chain->result->snapshot.warning;
	const struct fcp_pause_settings *settings = chain->settings;
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->snapshot.wait_lock_ms, settings->snapshot.cancel_fd);

	if (fcp_snapshot_files_check_names(&settings->snapshot, err) != 0 ||
	    fcp_lock_vm(settings->snapshot.api_sock, &wait, &chain->lock, err) != 0 ||
	    fcp_snapshot_check(&settings->snapshot, &chain->lock, &chain->result->vm_state, err) !=
		    0)
		return -1;
	fcp_text_filter(chain->lock.warning, warning, sizeof(chain->result->snapshot.warning));
	if (pause_reclaim(chain, err) != 0 || pause_drain(chain, err) != 0 ||
	    pause_snapshot(chain, err) != 0)
		return -1;
	if (!chain->result->snapshot.created) {
		no_snapshot(chain->result);
		return 0;
	}
	/* From here on the snapshot is good and the VM's state as asked: nothing can fail it. */
	pause_trim(chain, err);
	sum_up(chain->result);
	return 0;
}

int fcp_pause(const struct fcp_pause_settings *settings, struct fcp_pause_result *result,
	      struct fcp_error *err)
{
	struct pause_chain chain = {settings, result, -1, FCP_LOCK_NONE};
	uint64_t start_ns = fcp_now_ns();
	int ran;

	*result = (struct fcp_pause_result){0};
	skip_all(result);
	ran = run_chain(&chain, err);
	fcp_lock_release(&chain.lock);
	if (chain.memory_fd >= 0)
		close(chain.memory_fd);
	return fcp_outcome_finish(&result->outcome, start_ns, ran, err);
}

void fcp_pause_result_clear(struct fcp_pause_result *result)
{
	fcp_madvise_ranges_result_clear(&result->trim);
}
