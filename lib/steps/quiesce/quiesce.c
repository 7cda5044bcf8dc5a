// SPDX-License-Identifier: Apache-2.0
#include "steps/quiesce/quiesce.h"

#include "base/cleanup.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "envd/quiesce.h"
#include "steps/quiesce/thaw.h"

#include <inttypes.h>

static void set_off(struct fcp_outcome *outcome, const char *reason)
{
	fcp_outcome_set(outcome, FCP_STATUS_SKIPPED, "%s", reason ? reason : "off");
}

int fcp_quiesce_begin(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	const struct fcp_quiesce_settings *settings = quiesce->settings;
	struct fcp_quiesce_result *result = quiesce->result;

	set_off(&result->freeze.outcome, settings ? settings->freeze_off_reason : NULL);
	set_off(&result->collapse.outcome, settings ? settings->collapse_off_reason : NULL);
	set_off(&result->fs_freeze, settings ? settings->fs_freeze_off_reason : NULL);
	set_off(&result->fs_thaw, "it was not frozen");
	set_off(&result->unfreeze, "it was not frozen");
	if (!settings || (!settings->freeze && !settings->collapse && !settings->fs_freeze))
		return 0;
	if (settings->fs_freeze && quiesce->skip_reason)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "the guest's file system cannot be frozen: %s",
				     quiesce->skip_reason);
	quiesce->has_token = fcp_envd_token_read(settings->envd_token_file, settings->cancel_fd,
						 &quiesce->token, err) == 0;
	if (quiesce->has_token && !quiesce->skip_reason &&
	    (settings->freeze || settings->fs_freeze))
		fcp_thaw_guard_start(settings->envd, &quiesce->token, &quiesce->guard);
	if (quiesce->has_token)
		return 0;
	if (settings->fs_freeze || err->error_class == FCP_ERR_INTERRUPTED)
		return -1;
	if (settings->freeze)
		fcp_outcome_set(&result->freeze.outcome, FCP_STATUS_FAILED, "%s", err->message);
	if (settings->collapse)
		fcp_outcome_set(&result->collapse.outcome, FCP_STATUS_FAILED, "%s", err->message);
	return 0;
}

void fcp_quiesce_end(struct fcp_quiesce *quiesce)
{
	fcp_guardian_end(&quiesce->guard);
	fcp_envd_token_clear(&quiesce->token);
}

/* The guard is told before each change, and after it what has come of it. */
static void tell_guard(const struct fcp_quiesce *quiesce)
{
	unsigned fs = FCP_THAW_FS | FCP_THAW_FS_BY_EXEC;
	struct fcp_error it_has_ended;

	/* Until it is frozen it may be by the one or the other. */
	if (quiesce->result->fs_freeze.status == FCP_STATUS_OK)
		fs = quiesce->result->fs_by_exec ? FCP_THAW_FS_BY_EXEC : FCP_THAW_FS;

	fcp_guardian_set(&quiesce->guard,
			 (quiesce->fs_frozen ? fs : 0) | (quiesce->frozen ? FCP_THAW_WORKLOAD : 0),
			 &it_has_ended);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/* Is the step to be done? If it is asked for and is not, the outcome says why. */
static bool is_on(const struct fcp_quiesce *quiesce, bool asked, struct fcp_outcome *outcome)
{
	if (asked && quiesce->skip_reason)
		set_off(outcome, quiesce->skip_reason);
	return asked && quiesce->has_token && !quiesce->skip_reason;
}

/* After a failed call, may it have been carried out nevertheless? */
static bool may_be_done(const struct fcp_error *err)
{
	switch (err->error_class) {
	case FCP_ERR_UNSUPPORTED:
	case FCP_ERR_CONNECT:
	case FCP_ERR_USAGE:
	case FCP_ERR_MEMORY:
		return false;
	case FCP_ERR_SERVER:
		/* 503: another one freezes or thaws just then. */
		return err->http_status >= 500 && err->http_status != 503;
	default:
		return true;
	}
}

/* Ends a best-effort step: -1 for an interruption only. */
static int finish(const struct fcp_step *step, struct fcp_outcome *outcome, int ran,
		  struct fcp_error *err)
{
	if (ran != 0 && err->error_class == FCP_ERR_TIMEOUT) {
		fcp_outcome_set(outcome, FCP_STATUS_TIMEOUT, "%s", err->message);
		ran = 0;
	}
	return fcp_step_finish(step, outcome, ran, err) != 0 &&
			       err->error_class == FCP_ERR_INTERRUPTED
		       ? -1
		       : 0;
}

/* ---- the workload ---- */

static void add(char *all, size_t bytes, uint64_t count, const char *what)
{
	char text[160];

	if (count == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " %s", count, what);
	fcp_text_append(text, all, bytes);
}

static void judge_freeze(const struct fcp_quiesce_settings *settings,
			 struct fcp_freeze_report *report)
{
	char all[512] = "";

	fcp_outcome_set(&report->outcome, FCP_STATUS_OK, NULL);
	if (!report->reported)
		return;
	add(all, sizeof(all), report->not_frozen,
	    "cgroups had not stopped in time, and may be running");
	add(all, sizeof(all), report->failed, "cgroups could not be frozen");
	add(all, sizeof(all), report->unobservable,
	    "cgroups do not tell whether they have stopped");
	if (report->truncated)
		fcp_text_append("there are more cgroups than are looked at", all, sizeof(all));
	if (settings->freeze_mode == FCP_FREEZE_HIERARCHY && report->mode[0] != 'h')
		fcp_text_append("envd has frozen only its own cgroups", all, sizeof(all));
	if (all[0])
		fcp_outcome_set(&report->outcome, FCP_STATUS_PARTIAL, "%s", all);
}

static struct fcp_guest_command guest_of(const struct fcp_quiesce *quiesce)
{
	return (struct fcp_guest_command){
		.envd = quiesce->settings->envd,
		.token = &quiesce->token,
		.observer = quiesce->settings->observer,
		.cancel_fd = -1,
	};
}

static int freeze(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	const struct fcp_quiesce_settings *settings = quiesce->settings;
	const struct fcp_step step = fcp_step_begin(settings->observer, "freeze");
	struct fcp_freeze_report *report = &quiesce->result->freeze;
	const struct fcp_guest_command guest = guest_of(quiesce);
	const struct fcp_envd_freeze request = {
		.mode = settings->freeze_mode,
		.max_cgroups = or_default(settings->freeze_max_cgroups, FCP_FREEZE_MAX_CGROUPS),
		.timeout_ms = or_default(settings->freeze_timeout_ms, FCP_FREEZE_TIMEOUT_MS),
		.cancel_fd = settings->cancel_fd,
	};
	int ran;

	quiesce->frozen = true;
	tell_guard(quiesce);
	ran = fcp_envd_freeze(&guest, &request, report, err);
	quiesce->frozen = ran == 0 || may_be_done(err);
	tell_guard(quiesce);
	if (ran == 0)
		judge_freeze(settings, report);
	return finish(&step, &report->outcome, ran, err);
}

static int collapse(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	const struct fcp_quiesce_settings *settings = quiesce->settings;
	const struct fcp_step step = fcp_step_begin(settings->observer, "collapse");
	struct fcp_collapse_report *report = &quiesce->result->collapse;
	const struct fcp_guest_command guest = guest_of(quiesce);
	int ran = fcp_envd_collapse(&guest,
				    or_default(settings->collapse_timeout_ms,
					       FCP_COLLAPSE_TIMEOUT_MS),
				    settings->cancel_fd, report, err);

	if (ran == 0)
		fcp_outcome_set(&report->outcome, FCP_STATUS_OK, NULL);
	return finish(&step, &report->outcome, ran, err);
}

int fcp_quiesce_workload(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	const struct fcp_quiesce_settings *settings = quiesce->settings;
	struct fcp_quiesce_result *result = quiesce->result;

	if (!settings)
		return 0;
	if (is_on(quiesce, settings->freeze, &result->freeze.outcome) && freeze(quiesce, err) != 0)
		return -1;
	if (is_on(quiesce, settings->collapse, &result->collapse.outcome))
		return collapse(quiesce, err);
	return 0;
}

/* ---- the file system ---- */

int fcp_quiesce_file_system(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	const struct fcp_quiesce_settings *settings = quiesce->settings;
	struct fcp_quiesce_result *result = quiesce->result;
	struct fcp_guest_command guest;
	struct fcp_step step;
	int ran;

	if (!settings || !is_on(quiesce, settings->fs_freeze, &result->fs_freeze))
		return 0;
	step = fcp_step_begin(settings->observer, "fs-freeze");
	guest = guest_of(quiesce);
	guest.cancel_fd = settings->cancel_fd;
	guest.timeout_ms = or_default(settings->fs_freeze_timeout_ms, FCP_FS_FREEZE_TIMEOUT_MS);
	quiesce->fs_frozen = true;
	tell_guard(quiesce);
	ran = fcp_fs_freeze(&guest, &result->fs_by_exec, err);
	quiesce->fs_frozen = ran == 0 || may_be_done(err);
	if (ran == 0)
		fcp_outcome_set(&result->fs_freeze, FCP_STATUS_OK, NULL);
	tell_guard(quiesce);
	fcp_step_finish(&step, &result->fs_freeze, ran, err);
	return ran == 0 ? 0 : fcp_error_wrap(err, "the guest's file system could not be frozen");
}

/* ---- undoing ---- */

void fcp_quiesce_keep(struct fcp_quiesce *quiesce)
{
	static const char kept[] = "it is part of the snapshot: thaw it when it is restored";
	struct fcp_error it_has_ended;

	quiesce->result->kept = true;
	fcp_guardian_set(&quiesce->guard, 0, &it_has_ended);
	if (quiesce->fs_frozen)
		set_off(&quiesce->result->fs_thaw, kept);
	if (quiesce->frozen)
		set_off(&quiesce->result->unfreeze, kept);
}

static int thaw_file_system(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	struct fcp_quiesce_result *result = quiesce->result;
	const struct fcp_step step = fcp_step_begin(quiesce->settings->observer, "fs-thaw");
	const struct fcp_guest_command guest = guest_of(quiesce);
	const struct fcp_thaw thaw = {
		.by_exec = result->fs_by_exec,
		.is_certain = result->fs_freeze.status == FCP_STATUS_OK,
	};
	int ran = fcp_fs_thaw(&guest, &thaw, err);

	quiesce->fs_frozen = ran != 0;
	tell_guard(quiesce);
	fcp_outcome_set(&result->fs_thaw, FCP_STATUS_OK, NULL);
	fcp_step_finish(&step, &result->fs_thaw, ran, err);
	return ran;
}

static int unfreeze(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	struct fcp_quiesce_result *result = quiesce->result;
	const struct fcp_step step = fcp_step_begin(quiesce->settings->observer, "unfreeze");
	const struct fcp_guest_command guest = guest_of(quiesce);
	int ran = fcp_unfreeze(&guest, err);

	quiesce->frozen = ran != 0;
	tell_guard(quiesce);
	fcp_outcome_set(&result->unfreeze, FCP_STATUS_OK, NULL);
	fcp_step_finish(&step, &result->unfreeze, ran, err);
	return ran;
}

int fcp_quiesce_undo(struct fcp_quiesce *quiesce, struct fcp_error *err)
{
	struct fcp_error of_workload;
	int ran = 0;

	if (quiesce->fs_frozen)
		ran = thaw_file_system(quiesce, err);
	if (quiesce->frozen && unfreeze(quiesce, &of_workload) != 0) {
		if (ran == 0)
			*err = of_workload;
		else
			fcp_error_append(err, "; %.300s", of_workload.message);
		ran = -1;
	}
	if (ran != 0)
		err->error_class = FCP_ERR_NOT_RESTORED;
	return ran;
}
