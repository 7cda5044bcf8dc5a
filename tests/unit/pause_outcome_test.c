// SPDX-License-Identifier: Apache-2.0
/* What pause makes of a snapshot step that returns 0 and has made no snapshot; the linker puts the
 * step below in place of the real one. */
#include "base/outcome.h"
#include "steps/snapshot/snapshot.h"
#include "tap.h"

static enum fcp_status status;
static bool created;

int __wrap_fcp_lock_vm(void);
int __wrap_fcp_lock_vm(void)
{
	return 0;
}

int __wrap_fcp_snapshot_files_check_names(void);
int __wrap_fcp_snapshot_files_check_names(void)
{
	return 0;
}

int __wrap_fcp_snapshot_check(const void *settings, const void *lock, enum fcp_vm_state *state_);
int __wrap_fcp_snapshot_check(const void *settings, const void *lock, enum fcp_vm_state *state_)
{
	(void)settings;
	(void)lock;
	*state_ = FCP_VM_RUNNING;
	return 0;
}

int __wrap_fcp_snapshot_keep(const void *settings, const void *prepared,
			     struct fcp_snapshot_result *result, int *memory_fd_);
int __wrap_fcp_snapshot_keep(const void *settings, const void *prepared,
			     struct fcp_snapshot_result *result, int *memory_fd_)
{
	(void)settings;
	(void)prepared;
	*result = (struct fcp_snapshot_result){.created = created};
	*memory_fd_ = -1;
	fcp_outcome_set(&result->outcome, status, status == FCP_STATUS_OK ? NULL : "so it is");
	return 0;
}

static void gives(enum fcp_status expected, const char *reason, const char *what)
{
	const struct fcp_snapshot_settings snapshot = FCP_SNAPSHOT_SETTINGS_INIT;
	const struct fcp_pause_settings settings = {.size = sizeof(settings),
						    .snapshot = &snapshot};
	struct fcp_pause_result result = FCP_PAUSE_RESULT_INIT;
	struct fcp_error err;

	ok(fcp_pause(&settings, &result, &err) == (int)expected, "%s: returns the status", what);
	is_str(fcp_status_name(result.outcome.status), fcp_status_name(expected), what);
	is_str(result.outcome.reason, reason, "with the reason");
	fcp_pause_result_clear(&result);
}

int main(void)
{
	status = FCP_STATUS_UNSUPPORTED;
	gives(FCP_STATUS_UNSUPPORTED, "snapshot: so it is", "unsupported");
	status = FCP_STATUS_SKIPPED;
	gives(FCP_STATUS_FAILED, "snapshot: there is none", "skipped");
	status = FCP_STATUS_OK;
	gives(FCP_STATUS_FAILED, "snapshot: there is none", "ok, but no snapshot");
	created = true;
	gives(FCP_STATUS_OK, "", "ok, with a snapshot");
	return done();
}
