// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/undo.h"

#include "base/deadline.h"
#include "base/observer.h"
#include "firecracker/by_hand.h"
#include "firecracker/retry.h"
#include "steps/snapshot/memory.h"
#include "steps/snapshot/snapshot.h"

#define SNAPSHOT_BASE_MS (120 * 1000)
#define SNAPSHOT_MIB_PER_S 50
#define RESUME_MS 5000
#define STATE_MS 1000 /* how long to wait for the last answer about the VM's state */

uint32_t fcp_snapshot_timeout_ms(const struct fcp_snapshot_run *run)
{
	uint64_t timeout_ms = run->settings->snapshot_timeout_ms;

	if (timeout_ms == 0)
		timeout_ms = SNAPSHOT_BASE_MS + fcp_machine_file_bytes(&run->machine) / FCP_MIB *
							1000 / SNAPSHOT_MIB_PER_S;
	return timeout_ms > INT32_MAX ? INT32_MAX : (uint32_t)timeout_ms;
}

int fcp_snapshot_hold(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	unsigned undo = (run->result->vm_state == FCP_VM_PAUSED ? 0 : FCP_UNDO_PAUSE) |
			(run->memory ? FCP_UNDO_FIFO : 0);
	const struct fcp_guard_settings settings = {
		.api_sock = run->settings->api_sock,
		.firecracker = &run->firecracker,
		.fifo_directory = run->memory ? run->files.memory.place.directory : -1,
		.fifo_name = run->memory ? fcp_snapshot_memory_fifo(run->memory) : NULL,
		.lock = run->lock,
	};

	if (undo == 0)
		return 0;
	if (fcp_guard_start(&settings, &run->guard, err) != 0 ||
	    fcp_guard_set(&run->guard, undo, err) != 0)
		return -1;
	run->holding = true;
	fcp_phase_begin(run->settings->observer, "snapshot", "hold");
	return 0;
}

void fcp_snapshot_let_go(struct fcp_snapshot_run *run)
{
	struct fcp_error it_has_ended;

	if (!run->holding)
		return;
	fcp_guard_set(&run->guard, 0, &it_has_ended);
	run->holding = false;
	fcp_phase_end(run->settings->observer, "snapshot", "hold");
}

/* Nothing more can be done, but the state can be reported correctly. */
static enum fcp_vm_state ask_state(struct fcp_firecracker *firecracker)
{
	struct fcp_instance instance;
	struct fcp_error it_does_not_tell;

	fcp_firecracker_shield(firecracker);
	firecracker->deadline = fcp_deadline_in_ms(STATE_MS);
	return fcp_vm_instance(firecracker, &instance, &it_does_not_tell) == 0 ? instance.state
									       : FCP_VM_UNKNOWN;
}

/* The command comes first, complete: a long reason is truncated instead. */
static int not_resumed(const struct fcp_snapshot_run *run, const struct fcp_error *why,
		       struct fcp_error *err)
{
	char command[FCP_BY_HAND_BYTES];

	if (fcp_firecracker_has_ended(why))
		return fcp_error_set(err, FCP_ERR_NOT_RESTORED, 0, "%.300s", why->message);
	fcp_by_hand_resume(run->settings->api_sock, command);
	return fcp_error_set(err, FCP_ERR_NOT_RESTORED, 0,
			     "the VM could not be resumed; by hand: %s (%.150s)", command,
			     why->message);
}

int fcp_snapshot_resume(struct fcp_snapshot_run *run, uint64_t timeout_ms, struct fcp_error *err)
{
	struct fcp_snapshot_result *result = run->result;
	struct fcp_error why;
	int resumed;

	fcp_phase_begin(run->settings->observer, "snapshot", "resume");
	resumed = fcp_firecracker_retry(&run->firecracker, fcp_vm_resume,
					timeout_ms ? timeout_ms : RESUME_MS, &why);
	run->ended = resumed != 0 && fcp_firecracker_has_ended(&why);
	result->vm_state = resumed == 0 ? FCP_VM_RUNNING : ask_state(&run->firecracker);
	if (result->paused)
		result->paused_ms = fcp_ms_since(run->pause_ns);
	if (result->vm_state == FCP_VM_RUNNING)
		fcp_snapshot_let_go(run);
	fcp_phase_end(run->settings->observer, "snapshot", "resume");
	if (result->vm_state == FCP_VM_RUNNING && run->prepared && run->prepared->on_resumed)
		run->prepared->on_resumed(run->prepared->arg);
	return result->vm_state == FCP_VM_RUNNING ? 0 : not_resumed(run, &why, err);
}

static int get_instance(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	struct fcp_instance ignored;

	return fcp_vm_instance(firecracker, &ignored, err);
}

/* A VM that was found Paused stays so; this waits for Firecracker to finish. */
static int wait_for_end(struct fcp_snapshot_run *run, uint64_t timeout_ms, struct fcp_error *err)
{
	struct fcp_error why;

	if (fcp_firecracker_retry(&run->firecracker, get_instance, timeout_ms, &why) == 0 ||
	    !fcp_firecracker_has_ended(&why))
		return -1;
	run->ended = true;
	run->result->vm_state = FCP_VM_UNKNOWN;
	why.error_class = FCP_ERR_NOT_RESTORED;
	fcp_error_append(&why, "; before: %.150s", err->message);
	*err = why;
	return -1;
}

int fcp_snapshot_undo(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	bool given_up = run->creating && err->error_class != FCP_ERR_SERVER;
	uint64_t timeout_ms = RESUME_MS + (given_up ? fcp_snapshot_timeout_ms(run) : 0);
	struct fcp_error not_undone;

	if (!run->result->paused)
		return given_up ? wait_for_end(run, timeout_ms, err) : -1;
	if (fcp_snapshot_resume(run, timeout_ms, &not_undone) != 0) {
		fcp_error_append(&not_undone, "; before: %.150s", err->message);
		*err = not_undone;
	}
	return -1;
}
