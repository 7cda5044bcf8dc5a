// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

/* From the command line only: the environment variables name the files that a pause writes. */
static const char *file_of(const struct invocation *invocation, enum option_id id)
{
	return invocation->values[id].origin == ORIGIN_CLI ? text_of(invocation, id) : NULL;
}

static struct fcp_resume_settings settings_of(const struct invocation *invocation)
{
	const struct value *values = invocation->values;

	return (struct fcp_resume_settings){
		.size = sizeof(struct fcp_resume_settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.snapshot_path = file_of(invocation, OPT_SNAPSHOT_PATH),
		.mem_file_path = file_of(invocation, OPT_MEM_FILE_PATH),
		.chroot_base = text_of(invocation, OPT_CHROOT_BASE),
		.track_dirty_pages = values[OPT_TRACK_DIRTY_PAGES].on,
		.envd = text_of(invocation, OPT_ENVD),
		.envd_token_file = text_of(invocation, OPT_ENVD_TOKEN_FILE),
		.thaw = values[OPT_THAW].on,
		.envd_timeout_ms = (uint32_t)values[OPT_ENVD_TIMEOUT_MS].number,
		.timeout_ms = (uint32_t)values[OPT_TIMEOUT_MS].number,
		.load_timeout_ms = (uint32_t)values[OPT_LOAD_TIMEOUT_MS].number,
		.wait_lock_ms = (uint32_t)values[OPT_WAIT_LOCK_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
}

int command_resume(struct invocation *invocation)
{
	const struct fcp_resume_settings settings = settings_of(invocation);
	const struct planned step = {"resume", NULL};
	struct fcp_resume_result result = FCP_RESUME_RESULT_INIT;
	struct fcp_error err;
	struct output output;
	int ran;

	if (need_text(invocation, OPT_API_SOCK, &err) != 0 ||
	    (settings.thaw && need_text(invocation, OPT_ENVD, &err) != 0))
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_resume(&settings, &result, &err);
	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output_warn(&output, result.warning);
	output.bad |= fcp_report_resume(output.object, &result);
	text_resume(output.text, &result);
	return output_end_step(&output, &result.outcome, ran, &err);
}
