// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "base/units.h"
#include "firecracker/snapshot.h"
#include "firecracker/vm.h"
#include "steps/snapshot.h"
#include "steps/snapshot_files.h"

#define SNAPSHOT_BASE_MS (120 * 1000)
#define SNAPSHOT_MIB_PER_S 50
#define RESUME_MS 10000

#define WAIT_BEFORE_RETRY_NS UINT64_C(20000000)

struct run {
	const struct fcp_snapshot_settings *settings;
	struct fcp_snapshot_result *result;
	struct fcp_firecracker firecracker;
	struct fcp_snapshot_files files;
	uint32_t snapshot_timeout_ms;
	uint64_t pause_ns; /* when we asked for the pause */
};

/* All that can be found out, and can fail, while the guest still runs. */
static int prepare(struct run *run, struct fcp_error *err)
{
	struct fcp_machine_config machine;
	struct fcp_instance instance;

	if (fcp_snapshot_files_prepare(run->settings, &run->files, err) != 0 ||
	    fcp_vm_instance(&run->firecracker, &instance, err) != 0)
		return -1;
	run->result->vm_state = instance.state;
	if (instance.state == FCP_VM_NOT_STARTED)
		return fcp_error_set(err, FCP_ERR_STATE, 0, "the VM is not started");
	if (fcp_vm_machine_config(&run->firecracker, &machine, err) != 0)
		return -1;
	run->snapshot_timeout_ms = run->settings->snapshot_timeout_ms;
	if (run->snapshot_timeout_ms == 0)
		run->snapshot_timeout_ms = SNAPSHOT_BASE_MS +
			(uint32_t)(machine.mem_size_mib * 1000 / SNAPSHOT_MIB_PER_S);
	run->result->type = run->settings->type == FCP_SNAPSHOT_DIFF ? FCP_SNAPSHOT_DIFF
								     : FCP_SNAPSHOT_FULL;
	return 0;
}

/* Pauses a Running VM. When the answer got lost the VM may be paused all the same. */
static int pause_vm(struct run *run, struct fcp_error *err)
{
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
	return 0;
}

static int create(struct run *run, struct fcp_error *err)
{
	struct fcp_firecracker *firecracker = &run->firecracker;
	uint32_t timeout_ms = firecracker->timeout_ms;
	int created;

	firecracker->timeout_ms = run->snapshot_timeout_ms;
	created = fcp_snapshot_create(firecracker, run->result->type, run->files.snapshot.temporary,
				      run->files.memory.temporary, err);
	firecracker->timeout_ms = timeout_ms;
	return created;
}

static int left(const struct run *run, const struct fcp_error *why, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_LEFT, 0,
			     "the VM could not be resumed (%.200s); by hand: curl --unix-socket '%.120s' "
			     "-X PATCH -d '{\"state\":\"Resumed\"}' http://localhost/vm",
			     why->message, run->settings->api_sock);
}

/*
 * Brings the VM back to Running, whatever has happened before and whatever signals come. A creation
 * that was given up goes on in Firecracker, and the API answers only when it is over.
 */
static int resume_vm(struct run *run, uint64_t timeout_ms, struct fcp_error *err)
{
	struct fcp_firecracker *firecracker = &run->firecracker;
	fcp_deadline deadline = fcp_deadline_in_ms(timeout_ms);
	struct fcp_error why;

	fcp_firecracker_shield(firecracker);
	firecracker->deadline = deadline;
	firecracker->timeout_ms = (uint32_t)timeout_ms;
	while (fcp_vm_resume(firecracker, &why) != 0) {
		if (why.error_class == FCP_ERR_CONNECT || fcp_deadline_passed(deadline)) {
			run->result->vm_state = FCP_VM_UNKNOWN;
			return left(run, &why, err);
		}
		fcp_wait_ns(WAIT_BEFORE_RETRY_NS, -1);
	}
	run->result->vm_state = FCP_VM_RUNNING;
	run->result->paused_ms = fcp_ms_since(run->pause_ns);
	return 0;
}

/* The way back: what we paused runs again, and no half file stays. The first error is the reason;
 * one of the way back is worse. */
static int undo(struct run *run, struct fcp_error *err)
{
	uint64_t timeout_ms = RESUME_MS;
	struct fcp_error left_error;

	if (err->error_class == FCP_ERR_INTERRUPTED || err->error_class == FCP_ERR_PROTOCOL)
		timeout_ms += run->snapshot_timeout_ms;
	if (run->result->paused && resume_vm(run, timeout_ms, &left_error) != 0) {
		struct fcp_error first = *err;

		*err = left_error;
		fcp_error_wrap(err, "%s", first.message);
	}
	fcp_snapshot_files_discard(&run->files);
	return -1;
}

static int publish(struct run *run, struct fcp_error *err)
{
	if (fcp_snapshot_files_publish(&run->files, err) != 0)
		return -1;
	run->result->created = true;
	return 0;
}

static int take(struct run *run, struct fcp_error *err)
{
	if (prepare(run, err) != 0)
		return -1;
	if (pause_vm(run, err) != 0 || create(run, err) != 0)
		return undo(run, err);
	/* A checkpoint's guest need not wait until its files are durable. */
	if (run->settings->resume) {
		int resumed;

		if (run->pause_ns == 0)
			run->pause_ns = fcp_now_ns();
		resumed = resume_vm(run, RESUME_MS, err);
		if (publish(run, resumed == 0 ? err : &(struct fcp_error){0}) != 0)
			fcp_snapshot_files_discard(&run->files);
		return resumed == 0 && run->result->created ? 0 : -1;
	}
	if (publish(run, err) != 0)
		return undo(run, err);
	if (run->result->paused)
		run->result->paused_ms = fcp_ms_since(run->pause_ns);
	return 0;
}

static int open_run(struct run *run, struct fcp_error *err)
{
	return fcp_firecracker_open(run->settings->api_sock, run->settings->timeout_ms,
				    run->settings->cancel_fd, &run->firecracker, err);
}

static void close_run(struct run *run)
{
	fcp_firecracker_close(&run->firecracker);
	fcp_snapshot_files_clear(&run->files);
}

int fcp_snapshot_check(const struct fcp_snapshot_settings *settings, enum fcp_vm_state *state_,
		       struct fcp_error *err)
{
	struct fcp_snapshot_result found = {0};
	struct run run = {.settings = settings, .result = &found};
	int ran = open_run(&run, err) == 0 ? prepare(&run, err) : -1;

	close_run(&run);
	*state_ = found.vm_state;
	return ran;
}

int fcp_snapshot(const struct fcp_snapshot_settings *settings, struct fcp_snapshot_result *result,
		 struct fcp_error *err)
{
	struct run run = {.settings = settings, .result = result};
	uint64_t start_ns = fcp_now_ns();
	int ran;

	*result = (struct fcp_snapshot_result){0};
	ran = open_run(&run, err) == 0 ? take(&run, err) : -1;
	close_run(&run);
	return fcp_outcome_finish(&result->outcome, start_ns, ran, err);
}
