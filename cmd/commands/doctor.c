// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/gate.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

static struct fcp_doctor_settings settings_of(const struct invocation *invocation)
{
	return (struct fcp_doctor_settings){
		.size = sizeof(struct fcp_doctor_settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.mem_file_path = text_of(invocation, OPT_MEM_FILE_PATH),
		.base = text_of(invocation, OPT_BASE),
		.chroot_base = text_of(invocation, OPT_CHROOT_BASE),
		.envd = text_of(invocation, OPT_ENVD),
		.envd_token_file = text_of(invocation, OPT_ENVD_TOKEN_FILE),
		.drain_on = invocation->values[OPT_DRAIN].on,
		.timeout_ms = (uint32_t)invocation->values[OPT_TIMEOUT_MS].number,
		.cancel_fd = invocation->cancel_fd,
		.observer = signals_observer(invocation->signals),
		.confine = invocation->values[OPT_SANDBOX].on,
	};
}

/* Whether a pause would run this step, and which setting decides that. */
static void put_step(const struct invocation *invocation, enum option_id toggle, const char *name,
		     FILE *out)
{
	static const char *const by[] = {
		[ORIGIN_DEFAULT] = "default",
		[ORIGIN_FLAGS] = "the flags",
		[ORIGIN_ENVIRONMENT] = "the environment",
		[ORIGIN_CLI] = "the command line",
	};
	const struct value *value = &invocation->values[toggle];

	fprintf(out, "%-8s  %-13s  a pause would%s do it, by %s\n", "", name,
		value->on ? "" : " not", by[value->origin]);
}

static int finish(const struct invocation *invocation, const struct fcp_doctor_result *result,
		  int ran, const struct fcp_error *err)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output.bad |= fcp_report_doctor(output.object, result);
	text_doctor(output.text, result);
	put_step(invocation, OPT_RECLAIM, "reclaim", output.text);
	put_step(invocation, OPT_DRAIN, "drain", output.text);
	return output_end_step(&output, &result->outcome, ran, err);
}

int command_doctor(struct invocation *invocation)
{
	const struct planned step = {"doctor", NULL};
	struct fcp_doctor_settings settings;
	struct fcp_doctor_result result = FCP_DOCTOR_RESULT_INIT;
	struct fcp_error err;
	int ran, exit_code;

	if (gate(invocation, &err) != 0 || need_text(invocation, OPT_API_SOCK, &err) != 0)
		return output_error(invocation, &err);
	settings = settings_of(invocation);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_doctor(&settings, &result, &err);
	exit_code = finish(invocation, &result, ran, &err);
	fcp_doctor_result_clear(&result);
	return exit_code;
}
