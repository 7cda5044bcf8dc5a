// SPDX-License-Identifier: Apache-2.0
#include "steps/quiesce/thaw.h"

#include "envd/quiesce.h"
#include "steps/quiesce/quiesce.h"

#define ATTEMPT_MS 2000
#define UNDO_MS 10000
#define BETWEEN_NS UINT64_C(50000000)
#define ANSWER_MAX_BYTES 65536
#define EXIT_NO_FSFREEZE 127

static const char freeze_script[] =
	"command -v fsfreeze >/dev/null 2>&1 || exit 127; exec fsfreeze -f /";
static const char thaw_script[] = "exec fsfreeze -u /";

/* Its exit code; -1 with *err: it is not known how it ended. */
static int run_script(const struct fcp_guest_command *guest, const char *script,
		      struct fcp_error *err)
{
	struct fcp_guest_command command = *guest;
	struct fcp_guest_exit exit = {0};

	command.user = "root";
	command.beside_workload = true;
	command.argv = (const char *const[]){"/bin/sh", "-c", script, NULL};
	command.answer_max_bytes = ANSWER_MAX_BYTES;
	if (fcp_guest_run(&command, &exit, err) != 0)
		return -1;
	if (exit.exited)
		return exit.exit_code;
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "fsfreeze in the guest: %.60s", exit.status);
}

static int freeze_by_exec(const struct fcp_guest_command *guest, struct fcp_error *err)
{
	int exit_code = run_script(guest, freeze_script, err);

	if (exit_code <= 0)
		return exit_code;
	if (exit_code == EXIT_NO_FSFREEZE)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "envd has no /fsfreeze, and the guest no fsfreeze(8)");
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "fsfreeze in the guest: exit code %d",
			     exit_code);
}

int fcp_fs_freeze(const struct fcp_guest_command *guest, bool *by_exec_, struct fcp_error *err)
{
	if (fcp_envd_post(guest, "/fsfreeze", guest->timeout_ms, guest->cancel_fd, err) == 0)
		return 0;
	if (err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	*by_exec_ = true;
	return freeze_by_exec(guest, err);
}

/* One attempt. */
typedef int (*thaw_call)(const struct fcp_guest_command *guest, const struct fcp_thaw *thaw,
			 struct fcp_error *err);

static int thaw_fs_once(const struct fcp_guest_command *guest, const struct fcp_thaw *thaw,
			struct fcp_error *err)
{
	int exit_code;

	if (!thaw->by_exec)
		return fcp_envd_post(guest, "/fsthaw", ATTEMPT_MS, -1, err);
	exit_code = run_script(guest, thaw_script, err);
	if (exit_code <= 0 || !thaw->is_certain)
		return exit_code < 0 ? -1 : 0;
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "fsfreeze in the guest: exit code %d",
			     exit_code);
}

static int unfreeze_once(const struct fcp_guest_command *guest, const struct fcp_thaw *thaw,
			 struct fcp_error *err)
{
	(void)thaw;
	return fcp_envd_post(guest, "/unfreeze", ATTEMPT_MS, -1, err);
}

/* A VM that has just been resumed may lose the first packets. */
static int try_for_a_while(thaw_call call, const struct fcp_guest_command *guest,
			   const struct fcp_thaw *thaw, struct fcp_error *err)
{
	fcp_deadline deadline = fcp_deadline_in_ms(UNDO_MS);
	struct fcp_guest_command shielded = *guest;

	shielded.cancel_fd = -1;
	shielded.timeout_ms = ATTEMPT_MS;
	while (call(&shielded, thaw, err) != 0) {
		if (err->error_class == FCP_ERR_UNSUPPORTED || err->error_class == FCP_ERR_USAGE ||
		    fcp_deadline_passed(deadline))
			return -1;
		fcp_wait_ns(BETWEEN_NS, -1);
	}
	return 0;
}

int fcp_fs_thaw(const struct fcp_guest_command *guest, const struct fcp_thaw *thaw,
		struct fcp_error *err)
{
	if (try_for_a_while(thaw_fs_once, guest, thaw, err) == 0)
		return 0;
	return fcp_error_wrap(err,
			      "the guest's file system may still be frozen; by hand: %s%.100s%s",
			      thaw->by_exec ? "fsfreeze -u / in the guest" : "curl -X POST ",
			      thaw->by_exec ? "" : guest->envd, thaw->by_exec ? "" : "/fsthaw");
}

int fcp_unfreeze(const struct fcp_guest_command *guest, struct fcp_error *err)
{
	if (try_for_a_while(unfreeze_once, guest, NULL, err) == 0)
		return 0;
	return fcp_error_wrap(
		err,
		"the guest's workload may still be frozen; by hand: curl -X POST %.100s/unfreeze",
		guest->envd);
}

/* Where envd is too old to thaw it was too old to freeze, but for fsfreeze(8). */
static int thaw_restored_fs(const struct fcp_guest_command *guest, struct fcp_error *err)
{
	struct fcp_thaw thaw = {0};

	if (fcp_fs_thaw(guest, &thaw, err) == 0)
		return 0;
	if (err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	thaw.by_exec = true;
	return fcp_fs_thaw(guest, &thaw, err);
}

int fcp_guest_thaw(const char *envd, const struct fcp_envd_token *token,
		   const struct fcp_observer *observer, struct fcp_error *err)
{
	const struct fcp_guest_command guest = {.envd = envd, .token = token, .observer = observer};
	int ran = thaw_restored_fs(&guest, err);

	if (ran == 0 && fcp_unfreeze(&guest, err) != 0)
		ran = err->error_class == FCP_ERR_UNSUPPORTED ? 0 : -1;
	if (ran != 0)
		err->error_class = FCP_ERR_NOT_RESTORED;
	return ran;
}
