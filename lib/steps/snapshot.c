// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "base/units.h"
#include "firecracker/by_hand.h"
#include "firecracker/hinting.h"
#include "firecracker/metrics.h"
#include "firecracker/process.h"
#include "firecracker/recover.h"
#include "firecracker/snapshot.h"
#include "steps/snapshot_failed.h"
#include "steps/snapshot_memory.h"
#include "steps/snapshot_publish.h"
#include "steps/snapshot_record.h"
#include "steps/snapshot_run.h"
#include "steps/snapshot_type.h"
#include "steps/snapshot_undo.h"
#include "steps/snapshot_writer.h"
#include "steps/vm_memory.h"

#include <string.h>

#define STATE_FILE_BYTES FCP_MIB /* Firecracker 1.16 writes some 14 kB */

/* ---- before the pause: all that can be found out, and can fail, while the guest still runs ---- */

static int choose_type(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_snapshot_result *result = run->result;
	bool asked = run->settings->type != FCP_SNAPSHOT_AUTO;
	char reason[sizeof(result->type_reason)] = "";
	bool complete = false;

	if (run->settings->type != FCP_SNAPSHOT_FULL)
		complete = fcp_snapshot_diff_is_complete(&run->firecracker, &run->instance,
							 &run->machine, reason);
	if (run->settings->type == FCP_SNAPSHOT_DIFF &&
	    fcp_snapshot_diff_is_corrupt(&run->instance, &run->machine))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "Firecracker %s writes corrupt Diffs of a VM with more than one memory slot; "
				     "take a Full", run->instance.vmm_version);
	result->type = run->settings->type;
	if (!asked)
		result->type = complete ? FCP_SNAPSHOT_DIFF : FCP_SNAPSHOT_FULL;
	result->layer = result->type == FCP_SNAPSHOT_DIFF && !complete;
	/* Why it was chosen; or why what was asked for is not whole. */
	if (!asked || result->layer)
		memcpy(result->type_reason, reason, sizeof(reason));
	return 0;
}

/* A Full has every page; a Diff at most what is resident. */
static int check_room(const struct fcp_snapshot_run *run, struct fcp_error *err)
{
	uint64_t needed_bytes = fcp_machine_memory_bytes(&run->machine);
	uint64_t rss_bytes;

	if (run->memory)
		needed_bytes = fcp_snapshot_memory_room(run->memory);
	else if (run->result->type == FCP_SNAPSHOT_DIFF &&
		 fcp_vm_memory_rss(&run->firecracker, &rss_bytes) && rss_bytes < needed_bytes)
		needed_bytes = rss_bytes;
	return fcp_snapshot_files_room(&run->files, needed_bytes, STATE_FILE_BYTES, err);
}

/* One run at a time on a target. What a killed run has left there is put right first. */
static int lock_files(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_files_lock(&run->files, &run->wait, err) != 0)
		return -1;
	return fcp_snapshot_recover(&run->files, err);
}

static int find_vm(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_vm_instance(&run->firecracker, &run->instance, err) != 0)
		return -1;
	run->result->vm_state = run->instance.state;
	if (run->instance.state == FCP_VM_NOT_STARTED)
		return fcp_error_set(err, FCP_ERR_STATE, 0, "the VM is not started");
	return 0;
}

static int find_files(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	pid_t pid = fcp_firecracker_pid(&run->firecracker);

	if (fcp_snapshot_files_find(run->settings, pid, &run->files, err) != 0)
		return -1;
	snprintf(run->result->mem_file, sizeof(run->result->mem_file), "%s", run->files.memory.host);
	return 0;
}

static int check(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_files_check_targets(&run->files, !run->checked, err) != 0 ||
	    fcp_vm_machine_config(&run->firecracker, &run->machine, err) != 0)
		return -1;
	if (choose_type(run, err) != 0 || fcp_snapshot_check_chain(run, err) != 0 ||
	    fcp_snapshot_writer_choose(run, err) != 0)
		return -1;
	return check_room(run, err);
}

static int hinting_is_open(const struct fcp_snapshot_run *run, struct fcp_error *err)
{
	char command[FCP_BY_HAND_BYTES];

	fcp_by_hand_stop_hinting(run->settings->api_sock, command);
	return fcp_error_set(err, FCP_ERR_LEFT, 0,
			     "an open hinting run could not be stopped; by hand: %s (%.150s)", command,
			     err->message);
}

/* A run that was left open (its fcpause was killed, say) would be open in the snapshot too, and the
 * guest would go on without the pages it had handed out. */
static int stop_open_hinting(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_hinting_status status;

	if (fcp_hinting_status(&run->firecracker, &status, err) != 0)
		/* Refused: no balloon, no hinting, an older Firecracker. */
		return err->error_class == FCP_ERR_SERVER ? 0 : -1;
	if (status.host_cmd == FCP_HINTING_NONE || status.host_cmd == FCP_HINTING_DONE)
		return 0;
	if (fcp_hinting_stop(&run->firecracker, err) != 0)
		return hinting_is_open(run, err);
	run->result->hinting_stopped = true;
	return 0;
}

static void flush_metrics(struct fcp_snapshot_run *run, struct fcp_metrics *metrics, bool *known_)
{
	struct fcp_error no_matter;

	*known_ = run->settings->metrics_path &&
		  fcp_metrics_flush(&run->firecracker, run->settings->metrics_path, metrics,
				    &no_matter) == 0;
}

static void warn(struct fcp_snapshot_run *run, const char *text)
{
	char *warning = run->result->warning;
	size_t used = strlen(warning), bytes = sizeof(run->result->warning);

	used += (size_t)snprintf(warning + used, bytes - used, "%s", used ? "; " : "");
	if (used < bytes)
		fcp_text_filter(text, warning + used, bytes - used);
}

static int begin(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_metrics before;
	bool ignored;

	if (stop_open_hinting(run, err) != 0)
		return -1;
	flush_metrics(run, &before, &ignored);
	if (fcp_snapshot_files_begin(&run->files, fcp_firecracker_pid(&run->firecracker), err) != 0)
		return -1;
	if (run->files.memory.no_sync || run->files.snapshot.no_sync)
		warn(run, "after a power cut the files may be lost: the directory of one cannot be synced");
	return fcp_snapshot_writer_prepare(run, err);
}

/* ---- the pause ---- */

/* Pauses a Running VM. When the answer got lost the VM may be paused all the same. */
static int pause_vm(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_hold(run, err) != 0)
		return -1;
	if (run->result->vm_state == FCP_VM_PAUSED)
		return 0;
	run->pause_ns = fcp_now_ns();
	if (fcp_vm_pause(&run->firecracker, err) != 0) {
		run->result->paused = err->error_class != FCP_ERR_SERVER &&
				      err->error_class != FCP_ERR_CONNECT;
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
	uint32_t timeout_ms = firecracker->timeout_ms;
	int created;

	firecracker->timeout_ms = fcp_snapshot_timeout_ms(run);
	run->creating = true;
	fcp_phase_begin(&run->settings->observer, "snapshot", "create");
	created = fcp_snapshot_create(firecracker, run->result->type, run->files.snapshot.seen,
				      run->files.memory.seen, err);
	fcp_phase_end(&run->settings->observer, "snapshot", "create");
	firecracker->timeout_ms = timeout_ms;
	run->accepted = created == 0 || (err->error_class != FCP_ERR_SERVER &&
					 err->error_class != FCP_ERR_CONNECT);
	return created;
}

/* A page that was swapped out after the type was chosen is missing in a Diff. */
static bool was_swapped(const struct fcp_snapshot_run *run)
{
	uint64_t swap_bytes;

	return !fcp_process_swap(fcp_firecracker_pid(&run->firecracker), &swap_bytes) ||
	       swap_bytes != 0;
}

static int create(struct fcp_snapshot_run *run, struct fcp_error *err)
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
		 "some of the process was swapped out during a Diff, which was thrown away");
	return create_once(run, err);
}

/* ---- the whole ---- */

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

static int publish(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	int published;

	fcp_phase_begin(&run->settings->observer, "snapshot", "publish");
	published = publish_files(run, err);
	fcp_phase_end(&run->settings->observer, "snapshot", "publish");
	return published;
}

/* A checkpoint's guest need not wait until its files are durable and have their names. */
static int resume_and_publish(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_error publish_error;
	uint64_t start_ns = fcp_now_ns();
	int resumed = fcp_snapshot_resume(run, 0, err), published;

	run->result->downtime_ms.resume += fcp_ms_since(start_ns);
	published = publish(run, &publish_error);
	if (published == 0 && resumed != 0)
		fcp_error_append(err, "; the snapshot is good");
	else if (resumed != 0)
		fcp_error_append(err, "; there is no snapshot: %.150s", publish_error.message);
	else if (published != 0)
		*err = publish_error;
	return resumed != 0 || published != 0 ? -1 : 0;
}

static int attempt(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (find_vm(run, err) != 0 || find_files(run, err) != 0 || lock_files(run, err) != 0 ||
	    check(run, err) != 0 || begin(run, err) != 0)
		return -1;
	if (pause_vm(run, err) != 0 || create(run, err) != 0)
		return fcp_snapshot_undo(run, err);
	if (run->settings->resume)
		return resume_and_publish(run, err);
	if (publish(run, err) != 0)
		return fcp_snapshot_undo(run, err);
	fcp_snapshot_let_go(run);
	if (run->result->paused)
		run->result->paused_ms = fcp_ms_since(run->pause_ns);
	return 0;
}

static int take(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	return attempt(run, err) == 0 ? 0 : fcp_snapshot_keep_failed(run, err);
}

static int open_run(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	run->files = (struct fcp_snapshot_files)FCP_SNAPSHOT_FILES_NONE;
	run->guard = (struct fcp_guard)FCP_GUARD_NONE;
	run->wait = fcp_lock_wait_for(run->settings->wait_lock_ms, run->settings->cancel_fd);
	return fcp_firecracker_open(run->settings->api_sock, run->settings->timeout_ms,
				    run->settings->cancel_fd, &run->firecracker, err);
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
	    fcp_firecracker_recover(&run.firecracker, lock, err) == 0 && find_vm(&run, err) == 0 &&
	    find_files(&run, err) == 0)
		ran = check(&run, err);
	close_run(&run);
	*state_ = found.vm_state;
	return ran;
}

int fcp_snapshot_keep(const struct fcp_snapshot_settings *settings,
		      const struct fcp_snapshot_prepared *prepared,
		      struct fcp_snapshot_result *result, int *memory_fd_, struct fcp_error *err)
{
	struct fcp_snapshot_run run = {.settings = settings, .result = result, .lock = prepared->lock,
				       .checked = prepared->checked};
	uint64_t start_ns = fcp_now_ns();
	int ran;

	*result = (struct fcp_snapshot_result){0};
	ran = open_run(&run, err) == 0 ? fcp_firecracker_recover(&run.firecracker, run.lock, err) : -1;
	fcp_text_filter(run.lock->warning, result->warning, sizeof(result->warning));
	if (ran == 0)
		ran = take(&run, err);
	if (ran == 0)
		flush_metrics(&run, &result->metrics, &result->has_metrics);
	*memory_fd_ = fcp_steal_fd(&run.files.memory.published);
	close_run(&run);
	return fcp_outcome_finish(&result->outcome, start_ns, ran, err);
}

int fcp_snapshot(const struct fcp_snapshot_settings *settings, struct fcp_snapshot_result *result,
		 struct fcp_error *err)
{
	const struct fcp_lock_wait wait = fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd);
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
