// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

static int status_of(struct invocation *invocation)
{
	const struct fcp_status_settings settings = {
		.size = sizeof(settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.timeout_ms = (uint32_t)invocation->values[OPT_TIMEOUT_MS].number,
		.cancel_fd = invocation->cancel_fd,
		.observer = signals_observer(invocation->signals),
	};
	const struct planned step = {"status", NULL};
	struct fcp_status_result result = FCP_STATUS_RESULT_INIT;
	struct fcp_error err;
	struct output output;
	int ran;

	if (need_text(invocation, OPT_API_SOCK, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_status(&settings, &result, &err);
	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output.text_is_asked = ran >= 0;
	if (invocation->several)
		text_name(output.text, settings.api_sock);
	output.bad |= fcp_report_status(output.object, &result);
	text_status(output.text, &result);
	return output_end_step(&output, &result.outcome, ran, &err);
}

int command_status(struct invocation *invocation)
{
	return run_each(invocation, OPT_API_SOCK, status_of);
}
