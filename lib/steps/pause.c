// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "firecracker/retry.h"
#include "memory/sparse.h"
#include "steps/balloon_drain.h"
#include "steps/madvise_ranges/madvise_ranges.h"
#include "steps/quiesce/quiesce.h"
#include "steps/reclaim/reclaim.h"
#include "steps/snapshot/files.h"
#include "steps/snapshot/snapshot.h"

#include <stdlib.h>
#include <unistd.h>

struct pause_chain {
	const struct fcp_pause_settings *settings;
	struct fcp_pause_result *result;
	int memory_fd;	      /* the published memory file, or -1 */
	struct fcp_lock lock; /* of the VM, for the whole chain */
	struct fcp_quiesce quiesce;
	bool not_thawed; /* for this reason */
	struct fcp_error thaw_error;
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
	fcp_step_skip(chain->settings->snapshot->observer, step, outcome);
}

static void set_not_reached(struct fcp_pause_result *result)
{
	struct fcp_outcome *const outcomes[] = {
		&result->quiesce->freeze.outcome, &result->quiesce->collapse.outcome,
		&result->reclaim->outcome,	  &result->quiesce->fs_freeze,
		&result->drain->outcome,	  &result->snapshot->outcome,
		&result->quiesce->fs_thaw,	  &result->quiesce->unfreeze,
		&result->trim->outcome,
	};

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		set_skipped(outcomes[i], "not reached");
}

static int make_results(struct fcp_pause_result *result, struct fcp_error *err)
{
	result->reclaim = calloc(1, sizeof(*result->reclaim));
	result->drain = calloc(1, sizeof(*result->drain));
	result->snapshot = calloc(1, sizeof(*result->snapshot));
	result->trim = calloc(1, sizeof(*result->trim));
	result->quiesce = calloc(1, sizeof(*result->quiesce));
	if (!result->reclaim || !result->drain || !result->snapshot || !result->trim ||
	    !result->quiesce)
		return fcp_error_nomem(err);
	set_not_reached(result);
	return 0;
}

/* The steps have filled them in; their sizes are for the caller. */
static void set_result_sizes(struct fcp_pause_result *result)
{
	result->reclaim->size = sizeof(*result->reclaim);
	result->drain->size = sizeof(*result->drain);
	result->snapshot->size = sizeof(*result->snapshot);
	result->trim->size = sizeof(*result->trim);
	result->quiesce->size = sizeof(*result->quiesce);
}

/* The failure of a best-effort step is in its outcome; only an interruption ends the chain. */
static int best_effort(int ran, const struct fcp_error *err)
{
	return ran != 0 && err->error_class == FCP_ERR_INTERRUPTED ? -1 : 0;
}

/* The guest must not stay frozen for longer than it stands still. */
static void undo_quiesce(struct pause_chain *chain)
{
	if (!chain->not_thawed && fcp_quiesce_undo(&chain->quiesce, &chain->thaw_error) != 0)
		chain->not_thawed = true;
}

static void on_resumed(void *arg)
{
	undo_quiesce(arg);
}

/*
 * What is still frozen is part of the snapshot, where there is one and the VM stays Paused, and
 * else thawed. Returns what the chain returns.
 */
static int end_quiesce(struct pause_chain *chain, int ran, struct fcp_error *err)
{
	const struct fcp_pause_result *result = chain->result;
	bool frozen = chain->quiesce.frozen || chain->quiesce.fs_frozen;

	if (frozen && ran == 0 && result->snapshot->created && result->vm_state == FCP_VM_PAUSED) {
		fcp_quiesce_keep(&chain->quiesce);
		return 0;
	}
	if (frozen && result->vm_state == FCP_VM_RUNNING)
		undo_quiesce(chain);
	if (!chain->not_thawed && !(frozen && result->vm_state == FCP_VM_PAUSED))
		return ran;
	if (ran == 0) {
		*err = chain->thaw_error;
		fcp_error_append(err, "%s",
				 result->snapshot->created ? "; the snapshot is good" : "");
	} else {
		fcp_error_append(err, "; %.400s",
				 chain->not_thawed ? chain->thaw_error.message
						   : "the guest is frozen, too");
	}
	err->error_class = FCP_ERR_NOT_RESTORED;
	return -1;
}

static int begin_quiesce(struct pause_chain *chain, struct fcp_error *err)
{
	chain->quiesce.settings = chain->settings->quiesce;
	chain->quiesce.result = chain->result->quiesce;
	if (chain->result->vm_state != FCP_VM_RUNNING)
		chain->quiesce.skip_reason = "the VM was paused already";
	if (fcp_quiesce_begin(&chain->quiesce, err) != 0)
		return -1;
	return fcp_quiesce_workload(&chain->quiesce, err);
}

static int pause_reclaim(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_reclaim_result *result = chain->result->reclaim;

	if (!chain->settings->reclaim)
		leave_out(chain, "reclaim", &result->outcome, chain->settings->reclaim_off_reason);
	else if (chain->result->vm_state != FCP_VM_RUNNING)
		leave_out(chain, "reclaim", &result->outcome, "the VM was paused already");
	else
		return best_effort(fcp_reclaim_run(chain->settings->reclaim,
						   chain->quiesce.has_token ? &chain->quiesce.token
									    : NULL,
						   result, err),
				   err);
	return 0;
}

static int pause_drain(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_balloon_drain_result *result = chain->result->drain;

	if (!chain->settings->drain)
		leave_out(chain, "balloon-drain", &result->outcome,
			  chain->settings->drain_off_reason);
	else if (chain->result->vm_state != FCP_VM_RUNNING)
		leave_out(chain, "balloon-drain", &result->outcome, "the VM was paused already");
	else if (best_effort(fcp_balloon_drain_locked(chain->settings->drain, &chain->lock, result,
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
	const struct fcp_snapshot_prepared prepared = {
		.lock = &chain->lock,
		.checked = true,
		.on_resumed = on_resumed,
		.arg = chain,
	};
	int ran = fcp_snapshot_keep(chain->settings->snapshot, &prepared, result->snapshot,
				    &chain->memory_fd, err);

	if (result->snapshot->vm_state != FCP_VM_UNKNOWN || result->snapshot->paused)
		result->vm_state = result->snapshot->vm_state;
	result->paused_ms = result->snapshot->paused_ms;
	if (ran != 0 && fcp_firecracker_has_ended(err)) {
		/* It had answered before the first step. */
		result->vm_state = FCP_VM_UNKNOWN;
		fcp_error_wrap(err, "Firecracker has ended, and the VM with it");
		if (hinting_left_open(result->drain))
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
	unsigned find = chain->settings->trim->find;

	return chain->result->snapshot->layer ? find & ~(unsigned)FCP_FIND_ZERO : find;
}

/*
 * fcpause, as the writer, has done this step's work, except for free pages that a gate refused. The
 * file's storage is reported nevertheless.
 */
static void left_out_while_writing(const struct pause_chain *chain,
				   struct fcp_madvise_ranges_result *result)
{
	const struct fcp_memory_report *memory = chain->result->snapshot->memory;
	struct fcp_file_size size;
	struct fcp_error ignored;

	set_skipped(&result->outcome, "left out while writing");
	if (memory->free_reason[0])
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "free pages: %s",
				memory->free_reason);
	fcp_step_skip(chain->settings->snapshot->observer, "madvise-ranges", &result->outcome);
	if (fcp_file_size(chain->memory_fd, "memory file", &size, &ignored) == 0)
		result->mem_file = (struct fcp_mem_file){size.logical_bytes, size.allocated_bytes,
							 size.allocated_bytes};
}

static int release_published(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_madvise_ranges_settings settings = *chain->settings->trim;
	struct fcp_madvise_ranges_result *result = chain->result->trim;

	settings.mem_file_path = chain->result->snapshot->mem_file;
	settings.holes = chain->result->snapshot->layer ? FCP_HOLES_BASE : FCP_HOLES_ZERO;
	settings.find = what_to_find(chain);
	if (settings.find != 0)
		return best_effort(fcp_madvise_ranges_of(chain->memory_fd, &settings, result, err),
				   err);
	leave_out(chain, "madvise-ranges", &result->outcome,
		  "a hole in this Diff may mean a base's bytes, not zeros");
	return 0;
}

static int pause_trim(struct pause_chain *chain, struct fcp_error *err)
{
	struct fcp_madvise_ranges_result *result = chain->result->trim;

	if (!chain->settings->trim)
		leave_out(chain, "madvise-ranges", &result->outcome,
			  chain->settings->trim_off_reason);
	else if (chain->result->snapshot->writer == FCP_WRITER_FCPAUSE)
		left_out_while_writing(chain, result);
	else if (chain->memory_fd < 0)
		leave_out(chain, "madvise-ranges", &result->outcome, "there is no memory file");
	else
		return release_published(chain, err);
	return 0;
}

/* What a guest cannot do at all does not count as falling short: fstrim without discard support. */
static bool reclaim_fell_short(const struct fcp_reclaim_result *reclaim)
{
	for (size_t i = 0; i < reclaim->step_count; i++)
		if (reclaim->steps[i]->outcome.status != FCP_STATUS_OK &&
		    reclaim->steps[i]->outcome.status != FCP_STATUS_UNSUPPORTED)
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
		{"freeze", &result->quiesce->freeze.outcome},
		{"collapse", &result->quiesce->collapse.outcome},
		{"reclaim", &result->reclaim->outcome},
		{"balloon-drain", &result->drain->outcome},
		{"madvise-ranges", &result->trim->outcome},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct fcp_outcome *sum = &result->outcome;

		if (steps[i].outcome->status == FCP_STATUS_OK ||
		    steps[i].outcome->status == FCP_STATUS_SKIPPED ||
		    (steps[i].outcome == &result->reclaim->outcome &&
		     !reclaim_fell_short(result->reclaim)))
			continue;
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "%s%s%s: %s", sum->reason,
				sum->reason[0] ? "; " : "", steps[i].name,
				steps[i].outcome->reason);
	}
}

/* The step ended without a failure and without a snapshot: not supported here. */
static void no_snapshot(struct fcp_pause_result *result)
{
	const struct fcp_outcome *outcome = &result->snapshot->outcome;
	bool is_said = outcome->status != FCP_STATUS_OK && outcome->status != FCP_STATUS_SKIPPED;

	fcp_outcome_set(&result->outcome, is_said ? outcome->status : FCP_STATUS_FAILED,
			"snapshot: %s", is_said ? outcome->reason : "there is none");
}

static int run_chain(struct pause_chain *chain, struct fcp_error *err)
{
	char *warning = chain->result->snapshot->warning;
	const struct fcp_pause_settings *settings = chain->settings;
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->snapshot->wait_lock_ms, settings->snapshot->cancel_fd,
				  settings->snapshot->observer, "pause");

	if (fcp_snapshot_files_check_names(settings->snapshot, err) != 0 ||
	    fcp_lock_vm(settings->snapshot->api_sock, &wait, &chain->lock, err) != 0 ||
	    fcp_snapshot_check(settings->snapshot, &chain->lock, &chain->result->vm_state, err) !=
		    0)
		return -1;
	fcp_text_filter(chain->lock.warning, warning, sizeof(chain->result->snapshot->warning));
	if (begin_quiesce(chain, err) != 0 || pause_reclaim(chain, err) != 0 ||
	    fcp_quiesce_file_system(&chain->quiesce, err) != 0 || pause_drain(chain, err) != 0 ||
	    pause_snapshot(chain, err) != 0)
		return -1;
	if (!chain->result->snapshot->created) {
		no_snapshot(chain->result);
		return 0;
	}
	/* From here on the snapshot is good and the VM's state as asked: nothing can fail it. */
	pause_trim(chain, err);
	sum_up(chain->result);
	return 0;
}

static int pause_in_order(const struct fcp_pause_settings *settings,
			  struct fcp_pause_result *result, struct fcp_error *err)
{
	struct pause_chain chain = {.settings = settings,
				    .result = result,
				    .memory_fd = -1,
				    .lock = FCP_LOCK_NONE,
				    .quiesce = FCP_QUIESCE_NONE};
	uint64_t start_ns = fcp_now_ns();
	int ran = make_results(result, err);

	if (ran == 0) {
		ran = end_quiesce(&chain, run_chain(&chain, err), err);
		set_result_sizes(result);
	}
	fcp_quiesce_end(&chain.quiesce);
	fcp_lock_release(&chain.lock);
	if (chain.memory_fd >= 0)
		close(chain.memory_fd);
	return fcp_outcome_finish(&result->outcome, start_ns, ran, err);
}

/* The settings of the steps, as this version has them. */
struct pause_steps {
	struct fcp_snapshot_settings snapshot;
	struct fcp_reclaim_settings reclaim;
	struct fcp_balloon_drain_settings drain;
	struct fcp_madvise_ranges_settings trim;
	struct fcp_quiesce_settings quiesce;
};

static int take_steps(struct fcp_pause_settings *settings, struct pause_steps *steps,
		      struct fcp_error *err)
{
	if (fcp_settings_take(&steps->snapshot, settings->snapshot, err) != 0)
		return fcp_error_wrap(err, "snapshot");
	if (settings->reclaim && fcp_settings_take(&steps->reclaim, settings->reclaim, err) != 0)
		return fcp_error_wrap(err, "reclaim");
	if (settings->drain && (fcp_settings_take(&steps->drain, settings->drain, err) != 0 ||
				fcp_reserved_check(steps->drain.reserved, err) != 0))
		return fcp_error_wrap(err, "drain");
	if (settings->trim && fcp_settings_take(&steps->trim, settings->trim, err) != 0)
		return fcp_error_wrap(err, "trim");
	if (settings->quiesce && fcp_settings_take(&steps->quiesce, settings->quiesce, err) != 0)
		return fcp_error_wrap(err, "quiesce");
	settings->snapshot = &steps->snapshot;
	settings->reclaim = settings->reclaim ? &steps->reclaim : NULL;
	settings->drain = settings->drain ? &steps->drain : NULL;
	settings->trim = settings->trim ? &steps->trim : NULL;
	settings->quiesce = settings->quiesce ? &steps->quiesce : NULL;
	return 0;
}

int fcp_pause(const struct fcp_pause_settings *settings, struct fcp_pause_result *result,
	      struct fcp_error *err)
{
	struct fcp_pause_settings own_settings = FCP_PAUSE_SETTINGS_INIT;
	struct fcp_pause_result own = FCP_PAUSE_RESULT_INIT;
	struct pause_steps steps = {
		FCP_SNAPSHOT_SETTINGS_INIT,	 FCP_RECLAIM_SETTINGS_INIT,
		FCP_BALLOON_DRAIN_SETTINGS_INIT, FCP_MADVISE_RANGES_SETTINGS_INIT,
		FCP_QUIESCE_SETTINGS_INIT,
	};
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0 ||
	    take_steps(&own_settings, &steps, err) != 0)
		return -1;
	ran = pause_in_order(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_pause_result_clear(&own);
	return ran;
}

void fcp_pause_result_clear(struct fcp_pause_result *result)
{
	struct fcp_pause_result own = FCP_PAUSE_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_madvise_ranges_result_clear(own.trim);
	fcp_snapshot_result_clear(own.snapshot);
	fcp_reclaim_result_clear(own.reclaim);
	free(own.reclaim);
	free(own.drain);
	free(own.snapshot);
	free(own.trim);
	free(own.quiesce);
}
