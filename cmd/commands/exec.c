// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/output/guest_output.h"
#include "cmd/output/output.h"
#include "cmd/settings/plan.h"
#include "cmd/signals.h"
#include "report.h"

#include <unistd.h>

/* {"/bin/sh", "-c", SCRIPT, "sh", OPERAND...} or the operands. The array is owned, the words are
 * not. */
static const char **command_words(const struct invocation *invocation, struct fcp_error *err)
{
	const char *script = text_of(invocation, OPT_SCRIPT);
	char *const *operands = invocation->operands;
	const char *head[] = {"/bin/sh", "-c", script, "sh"};
	size_t count = 0, at = script ? 4 : 0;
	const char **words;

	while (operands && operands[count])
		count++;
	if (count == 0 && !script) {
		fcp_error_set(err, FCP_ERR_USAGE, 0,
			      "a command is needed: -- COMMAND [ARG...], or --script TEXT");
		return NULL;
	}
	words = calloc(at + count + 1, sizeof(*words));
	if (!words) {
		fcp_error_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < at; i++)
		words[i] = head[i];
	for (size_t i = 0; i < count; i++)
		words[at + i] = operands[i];
	return words;
}

static int report(struct fcp_json *object, const struct fcp_exec_result *result,
		  struct guest_output *output)
{
	int bad = fcp_report_exec(object, result);

	bad |= fcp_json_set_string(object, "stdout", guest_output_text(output, FCP_GUEST_STDOUT));
	bad |= fcp_json_set_string(object, "stderr", guest_output_text(output, FCP_GUEST_STDERR));
	return bad | fcp_json_set_bool(object, "truncated",
				       output->kept[FCP_GUEST_STDOUT].truncated ||
					       output->kept[FCP_GUEST_STDERR].truncated);
}

/* 0 if there is none: the command was aborted, or envd names a signal that we do not know. */
static int code_of(const struct fcp_exec_result *result)
{
	if (result->signal != 0)
		return EXIT_SIGNAL + result->signal;
	return result->exit_code > 0 ? result->exit_code & 0xff : 0;
}

static int run(const struct invocation *invocation, const char *const *words)
{
	bool json = invocation->values[OPT_JSON].on;
	uint32_t timeout_ms = (uint32_t)invocation->values[OPT_EXEC_TIMEOUT_MS].number;
	FCP_CLEANUP(free) struct guest_output *guest = calloc(1, sizeof(*guest));
	const struct fcp_exec_settings settings = {
		.size = sizeof(settings),
		.envd = text_of(invocation, OPT_ENVD),
		.envd_token_file = text_of(invocation, OPT_ENVD_TOKEN_FILE),
		.user = text_of(invocation, OPT_USER),
		.argv = words,
		.timeout_ms = timeout_ms,
		.on_output = json ? guest_output_keep : guest_output_pass,
		.arg = guest,
		.cancel_fd = invocation->cancel_fd,
		.observer = signals_observer(invocation->signals),
		.pass_input = invocation->values[OPT_STDIN].on,
		.input_fd = STDIN_FILENO,
	};
	struct fcp_exec_result result = FCP_EXEC_RESULT_INIT;
	struct fcp_error err;
	struct output output;
	int ran;

	if (!guest || !output_begin(&output, invocation))
		return EXIT_EXEC_FAILED;
	guest->deadline = fcp_deadline_in_ms(timeout_ms);
	guest->cancel_fd = invocation->cancel_fd;
	ran = fcp_exec(&settings, &result, &err);
	output.bad |= report(output.object, &result, guest);
	return output_end(&output,
			  &(struct ending){
				  .outcome = &result.outcome,
				  .err = ran < 0 ? &err : NULL,
				  .exit_code = exit_code_of(&result.outcome, ran < 0 ? &err : NULL),
				  .told = true,
				  .code_of_command = ran >= 0 ? code_of(&result) : 0,
				  .reason_is_code = ran >= 0 && result.exit_code > 0,
			  });
}

int command_exec(struct invocation *invocation)
{
	const struct planned step = {"exec", NULL};
	FCP_CLEANUP(free) const char **words = NULL;
	struct fcp_error err;

	if (need_text(invocation, OPT_ENVD, &err) != 0)
		return output_error(invocation, &err);
	words = command_words(invocation, &err);
	if (!words)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	return run(invocation, words);
}
