// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/signals.h"

static int check_operands(const struct invocation *invocation, enum option_id id,
			  struct fcp_error *err)
{
	const char *name = options[id].name;

	if (invocation->values[id].origin == ORIGIN_CLI)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--%s and operands exclude each other",
				     name);
	for (char **operand = invocation->operands; *operand; operand++)
		if (**operand == '\0')
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "'' is no value of --%s", name);
	return 0;
}

int run_each(struct invocation *invocation, enum option_id id, int (*run)(struct invocation *))
{
	char **operands = invocation->operands;
	struct fcp_error err;
	int worst = EXIT_DONE;

	if (!operands)
		return run(invocation);
	if (check_operands(invocation, id, &err) != 0)
		return output_error(invocation, &err);
	/* Each reports as if its operand were the option's value. */
	invocation->operands = NULL;
	invocation->several = operands[1] != NULL;
	for (char **operand = operands; *operand; operand++) {
		int exit_code;

		invocation->values[id].text = *operand;
		invocation->values[id].origin = ORIGIN_CLI;
		signals_forget_vm(invocation->signals);
		exit_code = run(invocation);
		worst = exit_code > worst ? exit_code : worst;
		/* A bad command line is the same for all operands. */
		if (exit_code == EXIT_USAGE || fcp_cancelled(invocation->cancel_fd))
			break;
	}
	invocation->operands = operands;
	return worst;
}
