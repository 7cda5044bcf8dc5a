// SPDX-License-Identifier: Apache-2.0
/* F5: public functions take any value: unknown enums, counts past the arrays, settings that are not
 * set. */
#include "base/enums.h"
#include "fcpause.h"

#include "tap.h"

#include <limits.h>
#include <unistd.h>

static const int strange[] = {-1, 100, 255, 256, 1 << 20, INT_MAX, INT_MIN};
#define STRANGE (sizeof(strange) / sizeof(strange[0]))

static void names(void)
{
	for (size_t i = 0; i < STRANGE; i++) {
		int value = strange[i];

		is_str(fcp_error_class_name((enum fcp_error_class)value), "unknown",
		       "F5: no error class");
		is_str(fcp_status_name((enum fcp_status)value), "unknown", "F5: no status");
		ok(!fcp_find_name((unsigned)value), "F5: nothing to find");
		is_str(fcp_reclaim_kind_name((enum fcp_reclaim_kind)value), "unknown",
		       "F5: no step");
		is_u64(fcp_reclaim_default_cap_ms((enum fcp_reclaim_kind)value), 0,
		       "F5: ... has no cap");
		is_str(fcp_vm_state_name((enum fcp_vm_state)value), "unknown", "F5: no state");
		is_str(fcp_gate_state_name((enum fcp_gate_state)value), "unknown",
		       "F5: no gate's state");
		is_str(fcp_page_class_name((enum fcp_page_class)value), "unknown",
		       "F5: no class of pages");
		is_str(fcp_snapshot_type_name((enum fcp_snapshot_type)value), "auto",
		       "F5: no type");
	}
	ok(!fcp_reclaim_kind_find(NULL, &(enum fcp_reclaim_kind){0}), "F5: no name");
}

/* The first value past each enum's end. */
static void ends(void)
{
	is_str(fcp_verdict_name(FCP_VERDICT_SKIPPED + 1), "unknown", "F5: behind the last verdict");
	is_str(fcp_status_name(FCP_STATUS_FAILED + 1), "unknown", "F5: behind the last status");
	is_str(fcp_reclaim_kind_name(FCP_RECLAIM_KINDS), "unknown", "F5: behind the last step");
	is_str(fcp_gate_state_name(FCP_GATE_FAILED + 1), "unknown",
	       "F5: behind the last gate's state");
	is_str(fcp_page_class_name(FCP_PAGE_CLASSES), "unknown", "F5: behind the last class");
	is_str(fcp_vm_state_name(FCP_VM_PAUSED + 1), "unknown", "F5: behind the last state");
}

/* A wrong call is FCP_ERR_USAGE (or, of files, another error of its own), and has a message. */
static void is_refused(int ran, const struct fcp_error *err, const char *what)
{
	ok(ran == -1 && err->error_class != FCP_ERR_NONE && err->message[0] != '\0', "F5: %s: %s",
	   what, err->message);
}

static void reclaim(void)
{
	struct fcp_reclaim_step steps[FCP_RECLAIM_KINDS + 1] = {{FCP_RECLAIM_SYNC, 1}};
	struct fcp_reclaim_settings settings = {.size = sizeof(settings),
						.envd = "http://127.0.0.1:1",
						.steps = steps,
						.cancel_fd = -1};
	struct fcp_reclaim_result result = FCP_RECLAIM_RESULT_INIT;
	struct fcp_error err;

	settings.step_count = FCP_RECLAIM_KINDS + 1;
	is_refused(fcp_reclaim(&settings, &result, &err), &err, "too many steps");
	ok(err.error_class == FCP_ERR_USAGE && result.step_count == 0, "F5: ... nothing was done");
	settings.step_count = SIZE_MAX;
	is_refused(fcp_reclaim(&settings, &result, &err), &err, "far too many steps");
	settings.step_count = 1;
	settings.steps = NULL;
	is_refused(fcp_reclaim(&settings, &result, &err), &err, "a step that is not given");
	settings.steps = steps;
	for (size_t i = 0; i < STRANGE; i++) {
		steps[0].kind = (enum fcp_reclaim_kind)strange[i];
		is_refused(fcp_reclaim(&settings, &result, &err), &err, "a step that is none");
	}
	steps[0].kind = FCP_RECLAIM_SYNC;
	fcp_reclaim_result_clear(&result);
	settings.envd = NULL;
	is_refused(fcp_reclaim(&settings, &result, &err), &err, "no envd");
	fcp_reclaim_result_clear(&result);
	settings.envd = "http://bob:s3cret@127.0.0.1:1";
	is_refused(fcp_reclaim(&settings, &result, &err), &err, "a password");
	ok(strstr(err.message, "s3cret") == NULL && strstr(result.outcome.reason, "s3cret") == NULL,
	   "R12: ... which is not shown");
	fcp_reclaim_result_clear(&result);
	fcp_reclaim_result_clear(NULL);
}

static void nothing_set(void)
{
	struct fcp_exec_settings exec = FCP_EXEC_SETTINGS_INIT;
	struct fcp_balloon_install_settings install = FCP_BALLOON_INSTALL_SETTINGS_INIT;
	struct fcp_balloon_drain_settings drain = {.size = sizeof(drain),
						   .cancel_fd = -1,
						   .fph_timeout_ms = 1};
	struct fcp_snapshot_settings snapshot = FCP_SNAPSHOT_SETTINGS_INIT;
	struct fcp_madvise_ranges_settings trim = {.size = sizeof(trim),
						   .cancel_fd = -1,
						   .find = FCP_FIND_ZERO};
	struct fcp_inspect_settings inspect = FCP_INSPECT_SETTINGS_INIT;
	struct fcp_error err;

	is_refused(fcp_exec(&exec, &(struct fcp_exec_result)FCP_EXEC_RESULT_INIT, &err), &err,
		   "no command");
	exec.argv = (const char *const[]){"true", NULL};
	is_refused(fcp_exec(&exec, &(struct fcp_exec_result)FCP_EXEC_RESULT_INIT, &err), &err,
		   "no envd for a command");
	is_refused(fcp_balloon_install(&install,
				       &(struct fcp_balloon_install_result)
					       FCP_BALLOON_INSTALL_RESULT_INIT,
				       &err),
		   &err, "no socket to install by");
	is_refused(fcp_balloon_drain(&drain,
				     &(struct fcp_balloon_drain_result)
					     FCP_BALLOON_DRAIN_RESULT_INIT,
				     &err),
		   &err, "no socket to drain by");
	is_refused(fcp_snapshot(&snapshot, &(struct fcp_snapshot_result)FCP_SNAPSHOT_RESULT_INIT,
				&err),
		   &err, "no socket for a snapshot");
	snapshot.api_sock = "/nowhere.sock";
	is_refused(fcp_snapshot(&snapshot, &(struct fcp_snapshot_result)FCP_SNAPSHOT_RESULT_INIT,
				&err),
		   &err, "no files");
	snapshot.snapshot_path = "s";
	is_refused(fcp_snapshot(&snapshot, &(struct fcp_snapshot_result)FCP_SNAPSHOT_RESULT_INIT,
				&err),
		   &err, "one file");
	is_refused(fcp_madvise_ranges(&trim,
				      &(struct fcp_madvise_ranges_result)
					      FCP_MADVISE_RANGES_RESULT_INIT,
				      &err),
		   &err, "no memory file");
	trim.pid = getpid();
	is_refused(fcp_madvise_ranges(&trim,
				      &(struct fcp_madvise_ranges_result)
					      FCP_MADVISE_RANGES_RESULT_INIT,
				      &err),
		   &err, "a process without a socket");
	is_refused(fcp_inspect(&inspect, &(struct fcp_inspect_result)FCP_INSPECT_RESULT_INIT, &err),
		   &err, "no memory file to inspect");
}

static void never_released(void)
{
	const struct fcp_madvise_ranges_settings usual = {.size = sizeof(usual),
							  .cancel_fd = -1,
							  .mem_file_path = "/dev/null",
							  .base = "/dev/null",
							  .find = FCP_FIND_ZERO};
	const uint64_t odd[] = {1, 4095, 12288, UINT64_C(2) << 30, UINT64_MAX};
	struct fcp_madvise_ranges_settings trim = usual;
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_error err;

	for (unsigned find = FCP_FIND_BASE; find <= FCP_FIND_CHANGED; find *= 2) {
		trim.find = FCP_FIND_ZERO | find;
		is_refused(fcp_madvise_ranges(&trim, &result, &err), &err,
			   "to release what the guest needs");
		trim.pid = getpid();
		is_refused(fcp_madvise_ranges(&trim, &result, &err), &err, "... of a process");
		trim.pid = 0;
	}
	trim.keep = true;
	trim.base = NULL;
	is_refused(fcp_madvise_ranges(&trim, &result, &err), &err,
		   "what has changed, without a base");
	trim = usual;
	trim.find = 16;
	is_refused(fcp_madvise_ranges(&trim, &result, &err), &err, "to find what is none");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		trim = usual;
		trim.align_bytes = odd[i];
		is_refused(fcp_madvise_ranges(&trim, &result, &err), &err,
			   "an alignment that is none");
	}
}

static void nothing_to_share(void)
{
	struct fcp_share_settings share = FCP_SHARE_SETTINGS_INIT;
	struct fcp_share_result result = FCP_SHARE_RESULT_INIT;
	const char *many[FCP_SHARES_MAX + 1];
	struct fcp_error err;

	is_refused(fcp_share(&share, &result, &err), &err, "no file that is to share");
	share.mem_file_path = "memory";
	is_refused(fcp_share(&share, &result, &err), &err, "no file to share with");
	for (size_t i = 0; i <= FCP_SHARES_MAX; i++)
		many[i] = "disk";
	share.shares = many;
	share.share_count = FCP_SHARES_MAX + 1;
	is_refused(fcp_share(&share, &result, &err), &err, "too many files to share with");
	fcp_share_result_clear(&result);
	fcp_share_result_clear(NULL);
}

static void nothing_to_merge(void)
{
	struct fcp_merge_settings merge = FCP_MERGE_SETTINGS_INIT;
	struct fcp_merge_result result = FCP_MERGE_RESULT_INIT;
	struct fcp_error err;

	is_refused(fcp_merge(&merge, &result, &err), &err, "no base to merge");
	fcp_merge_result_clear(&result);
	merge.base = "base";
	is_refused(fcp_merge(&merge, &result, &err), &err, "no layer to merge");
	fcp_merge_result_clear(&result);
	merge.layers = (const char *const[]){"layer"};
	merge.layer_count = 1;
	is_refused(fcp_merge(&merge, &result, &err), &err, "no file to merge into");
	fcp_merge_result_clear(&result);
	fcp_merge_result_clear(NULL);
}

static void status_and_resume(void)
{
	struct fcp_status_settings status = FCP_STATUS_SETTINGS_INIT;
	struct fcp_resume_settings resume = FCP_RESUME_SETTINGS_INIT;
	struct fcp_doctor_result doctor = FCP_DOCTOR_RESULT_INIT;
	struct fcp_error err;

	is_refused(fcp_doctor(&(struct fcp_doctor_settings)FCP_DOCTOR_SETTINGS_INIT, &doctor, &err),
		   &err, "no socket to look at");
	fcp_doctor_result_clear(&doctor);
	fcp_doctor_result_clear(NULL);
	is_refused(fcp_status(&status, &(struct fcp_status_result)FCP_STATUS_RESULT_INIT, &err),
		   &err, "no socket to ask");
	is_refused(fcp_resume(&resume, &(struct fcp_resume_result)FCP_RESUME_RESULT_INIT, &err),
		   &err, "no socket to resume by");
	resume.api_sock = "/nowhere.sock";
	resume.mem_file_path = "m";
	is_refused(fcp_resume(&resume, &(struct fcp_resume_result)FCP_RESUME_RESULT_INIT, &err),
		   &err, "one file to load");
	resume.mem_file_path = NULL;
	resume.envd = "nonsense://";
	is_refused(fcp_resume(&resume, &(struct fcp_resume_result)FCP_RESUME_RESULT_INIT, &err),
		   &err, "no time for envd");
}

static void pause_and_flags(void)
{
	const struct fcp_reclaim_settings reclaim = FCP_RECLAIM_SETTINGS_INIT;
	const struct fcp_balloon_drain_settings drain = FCP_BALLOON_DRAIN_SETTINGS_INIT;
	const struct fcp_madvise_ranges_settings trim = FCP_MADVISE_RANGES_SETTINGS_INIT;
	struct fcp_snapshot_settings snapshot = FCP_SNAPSHOT_SETTINGS_INIT;
	struct fcp_pause_settings settings = FCP_PAUSE_SETTINGS_INIT;
	struct fcp_pause_result result = FCP_PAUSE_RESULT_INIT;
	struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_error err;

	is_refused(fcp_pause(&settings, &result, &err), &err, "a pause without a snapshot");
	fcp_pause_result_clear(&result);
	settings.snapshot = &snapshot;
	settings.reclaim = &reclaim;
	settings.drain = &drain;
	settings.trim = &trim;
	is_refused(fcp_pause(&settings, &result, &err), &err, "a pause of nothing");
	fcp_pause_result_clear(&result);
	settings.reclaim = NULL;
	settings.drain = NULL;
	settings.trim = NULL;
	snapshot.api_sock = "/nowhere.sock";
	is_refused(fcp_pause(&settings, &result, &err), &err, "no files for a pause, nor reasons");
	fcp_pause_result_clear(&result);
	ok(fcp_flags_read(NULL, FCP_USE_PAUSE, false, &flags, &err) == 0 &&
		   flags.warning_count == 1,
	   "F5: no flags file is a warning");
	fcp_flags_clear(&flags);
	fcp_flags_clear(NULL);
	is_refused(fcp_flags_read(NULL, (enum fcp_flags_use)77, true, &flags, &err), &err,
		   "strictly an error");
	is_refused(fcp_ranges_read(&(struct fcp_ranges_text)FCP_RANGES_TEXT_INIT,
				   &(struct fcp_ranges){0}, &err),
		   &err, "ranges of no file");
}

int main(void)
{
	names();
	ends();
	reclaim();
	nothing_set();
	never_released();
	nothing_to_merge();
	nothing_to_share();
	status_and_resume();
	pause_and_flags();
	return done();
}
