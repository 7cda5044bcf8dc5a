// SPDX-License-Identifier: Apache-2.0
/* Resumes a Paused VM, or loads one from its files. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/lock.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "envd/health.h"
#include "firecracker/recover.h"
#include "firecracker/snapshot.h"
#include "firecracker/vm.h"
#include "steps/quiesce/quiesce.h"
#include "steps/resume/files.h"

/* Firecracker reads the state and maps the memory; allows for a slow disk and a busy host. */
#define LOAD_TIMEOUT_MS 60000

struct resume_run {
	const struct fcp_resume_settings *settings;
	struct fcp_resume_result *result;
	struct fcp_lock lock;
	struct fcp_firecracker firecracker;
};

static int check_resume_settings(const struct fcp_resume_settings *settings, struct fcp_error *err)
{
	if (fcp_resume_files_check_names(settings, err) != 0)
		return -1;
	if (settings->envd && settings->envd_timeout_ms == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "envd is to be waited for, but only for 0 ms");
	if (settings->thaw && !settings->envd)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "a guest is thawed by envd, and its address is not given");
	return 0;
}

static int load_snapshot(struct resume_run *run, struct fcp_error *err)
{
	const struct fcp_resume_settings *settings = run->settings;
	struct fcp_resume_files files;
	int ran = fcp_resume_files_find(settings, fcp_firecracker_pid(&run->firecracker), &files,
					err);

	if (ran == 0) {
		const struct fcp_snapshot_load load = {files.snapshot_seen, files.memory_seen,
						       settings->track_dirty_pages};

		run->firecracker.timeout_ms =
			settings->load_timeout_ms ? settings->load_timeout_ms : LOAD_TIMEOUT_MS;
		ran = fcp_snapshot_load(&run->firecracker, &load, err);
		run->firecracker.timeout_ms =
			settings->timeout_ms ? settings->timeout_ms : FCP_FIRECRACKER_TIMEOUT_MS;
		run->result->loaded = run->result->resumed = ran == 0;
		if (ran != 0 && err->error_class == FCP_ERR_SERVER)
			fcp_error_wrap(err, "Firecracker cannot load it, and ends");
		if (ran != 0 && (err->error_class == FCP_ERR_TIMEOUT ||
				 err->error_class == FCP_ERR_INTERRUPTED))
			fcp_error_append(err,
					 "; Firecracker may go on with it, and the VM run then");
	}
	fcp_resume_files_clear(&files);
	return ran;
}

static int check_empty(const struct fcp_instance *instance, struct fcp_error *err)
{
	if (instance->state == FCP_VM_NOT_STARTED)
		return 0;
	return fcp_error_set(
		err, FCP_ERR_STATE, 0,
		"this Firecracker has a VM already, which is %s: files are loaded into one that "
		"was just started",
		fcp_vm_state_name(instance->state));
}

static int resume_paused(struct resume_run *run, const struct fcp_instance *instance,
			 struct fcp_error *err)
{
	if (instance->state == FCP_VM_RUNNING)
		return 0;
	if (instance->state == FCP_VM_NOT_STARTED)
		return fcp_error_set(
			err, FCP_ERR_STATE, 0,
			"the VM was not started: boot it, or give both files of a snapshot");
	if (fcp_vm_resume(&run->firecracker, err) != 0)
		return -1;
	run->result->resumed = true;
	return 0;
}

/* Recovery resumes what a killed run left paused. */
static int recover_vm(struct resume_run *run, struct fcp_error *err)
{
	if (fcp_firecracker_recover(&run->firecracker, &run->lock, err) != 0)
		return -1;
	fcp_text_filter(run->lock.warning, run->result->warning, sizeof(run->result->warning));
	return 0;
}

static int let_run(struct resume_run *run, struct fcp_error *err)
{
	const struct fcp_observer *observer = run->settings->observer;
	bool files = run->settings->snapshot_path != NULL;
	uint64_t start_ns = fcp_now_ns();
	struct fcp_instance instance;
	int ran;

	if (recover_vm(run, err) != 0 || fcp_vm_instance(&run->firecracker, &instance, err) != 0)
		return -1;
	run->result->vm_state = instance.state;
	if (files && check_empty(&instance, err) != 0)
		return -1;
	fcp_phase_begin(observer, "resume", files ? "load" : "resume");
	ran = files ? load_snapshot(run, err) : resume_paused(run, &instance, err);
	fcp_phase_end(observer, "resume", files ? "load" : "resume");
	if (ran == 0)
		ran = fcp_vm_instance(&run->firecracker, &instance, err);
	if (ran != 0)
		return -1;
	run->result->resume_ms = fcp_ms_since(start_ns);
	run->result->vm_state = instance.state;
	if (instance.state == FCP_VM_RUNNING)
		return 0;
	return fcp_error_set(err, FCP_ERR_STATE, 0,
			     "the VM is %s, although Firecracker has resumed it",
			     fcp_vm_state_name(instance.state));
}

/* The VM runs, even if envd does not answer. */
static int wait_for_envd(struct resume_run *run, struct fcp_error *err)
{
	const struct fcp_resume_settings *settings = run->settings;
	uint64_t start_ns = fcp_now_ns();
	int ran;

	if (!settings->envd)
		return 0;
	fcp_phase_begin(settings->observer, "resume", "envd");
	ran = fcp_envd_wait(settings->envd, fcp_deadline_in_ms(settings->envd_timeout_ms),
			    settings->cancel_fd, settings->observer, err);
	fcp_phase_end(settings->observer, "resume", "envd");
	if (ran != 0 && err->error_class != FCP_ERR_TIMEOUT)
		return -1;
	if (ran != 0)
		fcp_outcome_set(&run->result->outcome, FCP_STATUS_TIMEOUT,
				"the VM runs, but envd did not answer in %u ms: %s",
				settings->envd_timeout_ms, err->message);
	else
		run->result->envd_ms = fcp_ms_since(start_ns);
	return 0;
}

/* After a pause that froze it, and whose snapshot, or VM, this is. */
static int thaw_guest(const struct fcp_resume_settings *settings, struct fcp_resume_result *result,
		      struct fcp_error *err)
{
	struct fcp_envd_token token;
	int ran = fcp_envd_token_read(settings->envd_token_file, settings->cancel_fd, &token, err);

	fcp_phase_begin(settings->observer, "resume", "thaw");
	if (ran == 0)
		ran = fcp_guest_thaw(settings->envd, &token, settings->observer, err);
	fcp_phase_end(settings->observer, "resume", "thaw");
	fcp_envd_token_clear(&token);
	result->thawed = ran == 0;
	return ran;
}

static int run_locked(struct resume_run *run, struct fcp_error *err)
{
	const struct fcp_resume_settings *settings = run->settings;
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "resume");
	int ran = fcp_lock_vm(settings->api_sock, &wait, &run->lock, err);

	if (ran == 0)
		ran = fcp_firecracker_open(settings->api_sock, settings->timeout_ms,
					   settings->cancel_fd, &run->firecracker, err);
	if (ran == 0) {
		fcp_firecracker_observe(&run->firecracker, settings->observer);
		ran = let_run(run, err);
	}
	/* Others need not wait for the guest to come up. */
	fcp_lock_release(&run->lock);
	fcp_firecracker_close(&run->firecracker);
	return ran;
}

static int resume_vm(const struct fcp_resume_settings *settings, struct fcp_resume_result *result,
		     struct fcp_error *err)
{
	struct resume_run run = {.settings = settings, .result = result, .lock = FCP_LOCK_NONE};
	const struct fcp_step step = fcp_step_begin(settings->observer, "resume");
	int ran = check_resume_settings(settings, err);

	*result = (struct fcp_resume_result){.vm_state = FCP_VM_UNKNOWN};
	if (ran == 0)
		ran = run_locked(&run, err);
	if (ran == 0)
		ran = wait_for_envd(&run, err);
	if (ran == 0 && settings->thaw && result->outcome.status == FCP_STATUS_OK)
		ran = thaw_guest(settings, result, err);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_resume(const struct fcp_resume_settings *settings, struct fcp_resume_result *result,
	       struct fcp_error *err)
{
	struct fcp_resume_settings own_settings = FCP_RESUME_SETTINGS_INIT;
	struct fcp_resume_result own = FCP_RESUME_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = resume_vm(&own_settings, &own, err);
	return fcp_call_end(result, &own, sizeof(own), ran);
}
