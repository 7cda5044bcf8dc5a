// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "report.h"

static int finish(const struct invocation *invocation, const struct fcp_share_settings *settings,
		  const struct fcp_share_result *result, int ran, const struct fcp_error *err)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return result->replaced ? EXIT_PARTLY : EXIT_FAILED;
	output.kept = result->replaced;
	output_warn(&output, result->warning);
	output.bad |= fcp_report_share(output.object, settings, result);
	text_share(output.text, settings, result);
	return output_end_step(&output, &result->outcome, ran, err);
}

int command_share(struct invocation *invocation)
{
	const struct planned step = {"share", NULL};
	struct fcp_share_settings settings;
	struct fcp_share_result result = FCP_SHARE_RESULT_INIT;
	struct fcp_error err;
	int ran, exit_code;

	if (share_settings(invocation, &settings, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_share(&settings, &result, &err);
	exit_code = finish(invocation, &settings, &result, ran, &err);
	fcp_share_result_clear(&result);
	return exit_code;
}
