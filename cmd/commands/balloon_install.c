// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/gate.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

static struct fcp_balloon_install_settings settings_of(struct invocation *invocation)
{
	const struct value *values = invocation->values;

	return (struct fcp_balloon_install_settings){
		.size = sizeof(struct fcp_balloon_install_settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.balloon =
			{
				.amount_mib = values[OPT_AMOUNT_MIB].number,
				.deflate_on_oom = values[OPT_DEFLATE_ON_OOM].on,
				.free_page_hinting = values[OPT_FREE_PAGE_HINTING].on,
				.free_page_reporting = values[OPT_FREE_PAGE_REPORTING].on,
			},
		.timeout_ms = (uint32_t)values[OPT_TIMEOUT_MS].number,
		.wait_lock_ms = (uint32_t)values[OPT_WAIT_LOCK_MS].number,
		.cancel_fd = invocation->cancel_fd,
		.observer = signals_observer(invocation->signals),
	};
}

int command_balloon_install(struct invocation *invocation)
{
	struct fcp_balloon_install_settings settings;
	const struct planned step = {"balloon-install", NULL};
	struct fcp_balloon_install_result result = FCP_BALLOON_INSTALL_RESULT_INIT;
	struct fcp_error err;
	struct output output;
	int ran;

	if (gate_balloon(invocation, &err) != 0 || need_text(invocation, OPT_API_SOCK, &err) != 0)
		return output_error(invocation, &err);
	settings = settings_of(invocation);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_balloon_install(&settings, &result, &err);
	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output_warn(&output, result.warning);
	output.bad |= fcp_report_balloon_install(output.object, &result);
	text_balloon_install(output.text, &result);
	return output_end_step(&output, &result.outcome, ran, &err);
}
