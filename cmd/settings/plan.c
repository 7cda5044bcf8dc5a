// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/plan.h"

#include "base/cleanup.h"
#include "cmd/output/output.h"
#include "cmd/settings/settings.h"

#include <string.h>

void plan_write(const struct invocation *invocation, const struct planned *steps, size_t count,
		FILE *out)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%zu. %-16s %s%s\n", i + 1, steps[i].step,
			steps[i].off_reason ? "skipped: " : "yes",
			steps[i].off_reason ? steps[i].off_reason : "");
	fputs("settings (and their source):\n", out);
	settings_print(invocation, out);
}

static void fill_object(struct output *output, const struct planned *steps, size_t count)
{
	struct fcp_json *list = fcp_json_array();

	output->bad |= fcp_json_set_bool(output->object, "dry_run", true);
	output->bad |= fcp_json_set_string(output->object, "status", "ok");
	for (size_t i = 0; i < count; i++) {
		struct fcp_json *step = fcp_json_object();

		output->bad |= fcp_json_set_string(step, "name", steps[i].step);
		output->bad |= fcp_json_set_string(step, "step", steps[i].step);
		output->bad |= fcp_json_set_bool(step, "planned", !steps[i].off_reason);
		if (steps[i].off_reason)
			output->bad |= fcp_json_set_string(step, "reason", steps[i].off_reason);
		output->bad |= fcp_json_append(list, step);
	}
	output->bad |= fcp_json_set(output->object, "steps", list);
}

int plan_print(const struct invocation *invocation, const struct planned *steps, size_t count)
{
	const struct fcp_outcome planned = {.status = FCP_STATUS_OK};
	struct output output;

	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	plan_write(invocation, steps, count, output.text);
	fill_object(&output, steps, count);
	return output_end(&output, &(struct ending){.outcome = &planned, .exit_code = EXIT_DONE});
}

void plan_tell(const struct invocation *invocation, const struct planned *steps, size_t count)
{
	const struct log log = invocation_log(invocation);
	FCP_CLEANUP(free) char *text = NULL;
	char *rest, *line;
	size_t bytes = 0;
	FILE *out;

	if (!invocation->values[OPT_VERBOSE].on)
		return;
	out = open_memstream(&text, &bytes);
	if (!out)
		return;
	plan_write(invocation, steps, count, out);
	if (fclose(out) != 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL && rest;)
		log_plain(&log, LEVEL_INFO, line);
}
