// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/snapshot.h"

#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "firecracker/process.h"
#include "firecracker/recover.h"
#include "firecracker/snapshot.h"
#include "steps/snapshot/failed.h"
#include "steps/snapshot/memory.h"
#include "steps/snapshot/prepare.h"
#include "steps/snapshot/publish.h"
#include "steps/snapshot/record.h"
#include "steps/snapshot/run.h"
#include "steps/snapshot/undo.h"
#include "steps/snapshot/watch.h"
#include "steps/snapshot/writer.h"
#include "steps/vm_memory.h"

/* ---- the pause ---- */

/*
 * Firecracker refuses with status 400; any other comes from a proxy, which may have forwarded the
 * request.
 */
static bool may_be_done(const struct fcp_error *err)
{
	return err->error_class == FCP_ERR_SERVER ? err->http_status >= 500
						  : err->error_class != FCP_ERR_CONNECT;
}

/* Pauses a Running VM. If the answer is lost the VM may be paused nevertheless. */
static int pause_vm(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_hold(run, err) != 0)
		return -1;
	if (run->result->vm_state == FCP_VM_PAUSED)
		return 0;
	run->pause_ns = fcp_now_ns();
	if (fcp_vm_pause(&run->firecracker, err) != 0) {
		run->result->paused = may_be_done(err);
		if (run->result->paused)
			run->result->vm_state = FCP_VM_UNKNOWN;
		return -1;
	}
	run->result->paused = true;
	run->result->vm_state = FCP_VM_PAUSED;
	run->result->downtime_ms.pause = fcp_ms_since(run->pause_ns);
	return 0;
}

static int create_once(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_firecracker *firecracker = &run->firecracker;
	bool full = run->result->type == FCP_SNAPSHOT_FULL;
	uint32_t timeout_ms = firecracker->timeout_ms;
	struct fcp_snapshot_watch watch;
	int created;

	firecracker->timeout_ms = fcp_snapshot_timeout_ms(run);
	run->creating = true;
	fcp_phase_begin(run->settings->observer, "snapshot", "create");
	/* How much of a Diff there will be, only Firecracker knows. */
	fcp_snapshot_watch_begin(&watch, run->settings->observer, run->files.memory.fd,
				 full ? fcp_machine_file_bytes(&run->machine) : 0);
	created = fcp_snapshot_create(firecracker, run->result->type, run->files.snapshot.seen,
				      run->files.memory.seen, err);
	fcp_snapshot_watch_end(&watch);
	fcp_phase_end(run->settings->observer, "snapshot", "create");
	firecracker->timeout_ms = timeout_ms;
	run->accepted = created == 0 ||
			(err->error_class != FCP_ERR_SERVER && err->error_class != FCP_ERR_CONNECT);
	return created;
}

/* A page swapped out after the type was chosen is missing from a Diff. */
static bool was_swapped(const struct fcp_snapshot_run *run)
{
	uint64_t swap_bytes;

	return !fcp_process_swap(fcp_firecracker_pid(&run->firecracker), &swap_bytes) ||
	       swap_bytes != 0;
}

static int create_snapshot(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_snapshot_result *result = run->result;
	bool written = false;

	if (run->memory && fcp_snapshot_writer_take(run, &written, err) != 0)
		return -1;
	if (written)
		return 0;
	if (create_once(run, err) != 0)
		return -1;
	if (result->type != FCP_SNAPSHOT_DIFF || result->layer || !was_swapped(run))
		return 0;
	if (run->settings->type != FCP_SNAPSHOT_AUTO) {
		result->layer = true;
		snprintf(result->type_reason, sizeof(result->type_reason),
			 "some of the process was swapped out: the Diff lacks those pages");
		return 0;
	}
	result->type = FCP_SNAPSHOT_FULL;
	snprintf(result->type_reason, sizeof(result->type_reason),
		 "some of the process was swapped out during a Diff, which was discarded");
	return create_once(run, err);
}

/* ---- the step ---- */

static int publish_files(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (run->memory && fcp_snapshot_memory_finish(run->memory, run->result, err) != 0)
		return -1;
	if (fcp_snapshot_files_check(&run->files, fcp_machine_file_bytes(&run->machine), err) != 0)
		return -1;
	fcp_snapshot_record(run->files.memory.fd, &run->firecracker, &run->machine, run->result);
	if (fcp_snapshot_publish(&run->files, err) != 0)
		return -1;
	run->result->created = true;
	return 0;
}

static int publish_snapshot(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	int published;

	fcp_phase_begin(run->settings->observer, "snapshot", "publish");
	published = publish_files(run, err);
	fcp_phase_end(run->settings->observer, "snapshot", "publish");
	return published;
}

/* A checkpoint's guest need not wait until its files are durable and have their names. */
static int resume_and_publish(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_error publish_error;
	uint64_t start_ns = fcp_now_ns();
	int resumed = fcp_snapshot_resume(run, 0, err), published;

	run->result->downtime_ms.resume += fcp_ms_since(start_ns);
	published = publish_snapshot(run, &publish_error);
	if (published == 0 && resumed != 0)
		fcp_error_append(err, "; the snapshot is good");
	else if (resumed != 0)
		fcp_error_append(err, "; there is no snapshot: %.150s", publish_error.message);
	else if (published != 0)
		*err = publish_error;
	return resumed != 0 || published != 0 ? -1 : 0;
}

static int attempt_snapshot(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_lock_and_check(run, err) != 0 || fcp_snapshot_begin(run, err) != 0)
		return -1;
	if (pause_vm(run, err) != 0 || create_snapshot(run, err) != 0)
		return fcp_snapshot_undo(run, err);
	if (run->settings->resume)
		return resume_and_publish(run, err);
	if (publish_snapshot(run, err) != 0)
		return fcp_snapshot_undo(run, err);
	fcp_snapshot_let_go(run);
	if (run->result->paused)
		run->result->paused_ms = fcp_ms_since(run->pause_ns);
	return 0;
}

static int take_snapshot(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	return attempt_snapshot(run, err) == 0 ? 0 : fcp_snapshot_keep_failed(run, err);
}

static int open_run(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	run->files = (struct fcp_snapshot_files)FCP_SNAPSHOT_FILES_NONE;
	run->guard = (struct fcp_guard)FCP_GUARD_NONE;
	run->wait = fcp_lock_wait_for(run->settings->wait_lock_ms, run->settings->cancel_fd,
				      run->settings->observer, "snapshot");
	if (fcp_firecracker_open(run->settings->api_sock, run->settings->timeout_ms,
				 run->settings->cancel_fd, &run->firecracker, err) != 0)
		return -1;
	fcp_firecracker_observe(&run->firecracker, run->settings->observer);
	return 0;
}

static void close_run(struct fcp_snapshot_run *run)
{
	fcp_snapshot_let_go(run);
	fcp_snapshot_memory_free(run->memory);
	fcp_guard_end(&run->guard);
	fcp_firecracker_close(&run->firecracker);
	fcp_snapshot_files_clear(&run->files);
}

int fcp_snapshot_check(const struct fcp_snapshot_settings *settings, struct fcp_lock *lock,
		       enum fcp_vm_state *state_, struct fcp_error *err)
{
	struct fcp_snapshot_result found = {0};
	struct fcp_snapshot_run run = {.settings = settings, .result = &found};
	int ran = -1;

	if (open_run(&run, err) == 0 && fcp_snapshot_files_check_names(settings, err) == 0 &&
	    fcp_firecracker_recover(&run.firecracker, lock, err) == 0)
		ran = fcp_snapshot_check_run(&run, err);
	close_run(&run);
	fcp_snapshot_memory_report_free(found.memory);
	*state_ = found.vm_state;
	return ran;
}

int fcp_snapshot_keep(const struct fcp_snapshot_settings *settings,
		      const struct fcp_snapshot_prepared *prepared,
		      struct fcp_snapshot_result *result, int *memory_fd_, struct fcp_error *err)
{
	struct fcp_snapshot_run run = {.settings = settings,
				       .result = result,
				       .lock = prepared->lock,
				       .prepared = prepared,
				       .checked = prepared->checked};
	const struct fcp_step step = fcp_step_begin(settings->observer, "snapshot");
	int ran;

	*result = (struct fcp_snapshot_result){0};
	ran = open_run(&run, err) == 0 ? fcp_firecracker_recover(&run.firecracker, run.lock, err)
				       : -1;
	fcp_text_filter(run.lock->warning, result->warning, sizeof(result->warning));
	if (ran == 0)
		ran = take_snapshot(&run, err);
	if (ran == 0)
		result->metrics = fcp_snapshot_flush_metrics(&run);
	*memory_fd_ = fcp_steal_fd(&run.files.memory.published);
	close_run(&run);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

static int take_snapshot_locked(const struct fcp_snapshot_settings *settings,
				struct fcp_snapshot_result *result, struct fcp_error *err)
{
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "snapshot");
	FCP_CLEANUP(lock) struct fcp_lock lock = FCP_LOCK_NONE;
	const struct fcp_snapshot_prepared prepared = {.lock = &lock};
	FCP_CLEANUP(fd) int unused = -1;
	uint64_t start_ns = fcp_now_ns();

	if (fcp_snapshot_files_check_names(settings, err) == 0 &&
	    fcp_lock_vm(settings->api_sock, &wait, &lock, err) == 0)
		return fcp_snapshot_keep(settings, &prepared, result, &unused, err);
	*result = (struct fcp_snapshot_result){0};
	return fcp_outcome_finish(&result->outcome, start_ns, -1, err);
}

int fcp_snapshot(const struct fcp_snapshot_settings *settings, struct fcp_snapshot_result *result,
		 struct fcp_error *err)
{
	struct fcp_snapshot_settings own_settings = FCP_SNAPSHOT_SETTINGS_INIT;
	struct fcp_snapshot_result own = FCP_SNAPSHOT_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = take_snapshot_locked(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_snapshot_result_clear(&own);
	return ran;
}

void fcp_snapshot_result_clear(struct fcp_snapshot_result *result)
{
	struct fcp_snapshot_result own = FCP_SNAPSHOT_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_snapshot_memory_report_free(own.memory);
	free(own.guest);
	free(own.metrics);
}
