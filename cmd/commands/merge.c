// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

static int read_settings(const struct invocation *invocation, struct fcp_merge_settings *settings_,
			 struct fcp_error *err)
{
	if (need_text(invocation, OPT_BASE, err) != 0 || need_text(invocation, OPT_OUT, err) != 0)
		return -1;
	if (invocation->layers.count == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--layer FILE is needed, once or more");
	*settings_ = (struct fcp_merge_settings){
		.size = sizeof(struct fcp_merge_settings),
		.base = text_of(invocation, OPT_BASE),
		.layers = invocation->layers.files,
		.layer_count = invocation->layers.count,
		.out = text_of(invocation, OPT_OUT),
		.force = invocation->values[OPT_FORCE].on,
		.any_base = invocation->values[OPT_ANY_BASE].on,
		.wait_lock_ms = (uint32_t)invocation->values[OPT_WAIT_LOCK_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
	return 0;
}

static int finish(const struct invocation *invocation, const struct fcp_merge_settings *settings,
		  const struct fcp_merge_result *result, int ran, const struct fcp_error *err)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return result->created ? EXIT_PARTLY : EXIT_FAILED;
	output.kept = result->created;
	output_warn(&output, result->warning);
	output.bad |= fcp_report_merge(output.object, settings, result);
	text_merge(output.text, settings, result);
	return output_end_step(&output, &result->outcome, ran, err);
}

int command_merge(struct invocation *invocation)
{
	const struct planned step = {"merge", NULL};
	struct fcp_merge_settings settings;
	struct fcp_merge_result result = FCP_MERGE_RESULT_INIT;
	struct fcp_error err;
	int ran, exit_code;

	if (read_settings(invocation, &settings, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_merge(&settings, &result, &err);
	exit_code = finish(invocation, &settings, &result, ran, &err);
	fcp_merge_result_clear(&result);
	return exit_code;
}
