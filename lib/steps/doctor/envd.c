// SPDX-License-Identifier: Apache-2.0
/* envd, and those of the guest's tools that reclaiming needs. */
#include "envd/process.h"
#include "steps/doctor/checks.h"

#include <stdio.h>
#include <string.h>

static const struct fcp_check_about about_envd = {
	"envd",
	"reclaiming asks the guest through it",
	"look whether the guest runs, and the address and token",
};
static const struct fcp_check_about about_tools = {
	"guest-tools",
	"each step of a reclaim needs its own",
	"install what is missing in the guest (coreutils, util-linux)",
};

/* Prints a line for each missing tool, and one with envd's version. */
static const char script[] =
	"for tool in timeout sync fstrim; do command -v $tool >/dev/null || echo \"missing "
	"$tool\"; done\n"
	"for file in drop_caches compact_memory; do [ -w /proc/sys/vm/$file ] || echo \"missing "
	"$file\"; done\n"
	"echo \"version $(envd -version 2>/dev/null || /usr/bin/envd -version 2>/dev/null)\"\n";

#define ASK_MS 5000
#define ANSWER_MAX_BYTES 65536

struct script_output {
	char text[1024];
	size_t bytes;
};

static int take_output(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		       struct fcp_error *err)
{
	struct script_output *said = arg;
	size_t room = sizeof(said->text) - 1 - said->bytes;

	(void)err;
	if (stream != FCP_GUEST_STDOUT)
		return 0;
	length = length < room ? length : room;
	memcpy(said->text + said->bytes, data, length);
	said->bytes += length;
	return 0;
}

static void judge_script_output(char *said, struct fcp_check *envd, struct fcp_check *tools)
{
	char missing[256] = "", *rest = said;

	fcp_check_set(envd, FCP_VERDICT_OK, "it answers and runs commands");
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (strncmp(line, "missing ", 8) == 0) {
			size_t used = strlen(missing);

			snprintf(missing + used, sizeof(missing) - used, "%s%.32s",
				 used ? ", " : "", line + 8);
		}
		if (strncmp(line, "version ", 8) == 0 && line[8])
			fcp_check_set(envd, FCP_VERDICT_OK, "envd %.64s", line + 8);
	}
	if (missing[0])
		fcp_check_set(tools, FCP_VERDICT_NO, "missing: %s", missing);
	else
		fcp_check_set(tools, FCP_VERDICT_OK,
			      "timeout, sync, fstrim, drop_caches, compact_memory");
}

static int run_script(const struct fcp_doctor_settings *settings, struct script_output *said,
		      struct fcp_error *err)
{
	struct fcp_envd_token token;
	const struct fcp_guest_command command = {
		.envd = settings->envd,
		.token = &token,
		.user = "root",
		.argv = (const char *const[]){"/bin/sh", "-c", script, NULL},
		.timeout_ms = ASK_MS,
		.answer_max_bytes = ANSWER_MAX_BYTES,
		.cancel_fd = settings->cancel_fd,
		.on_output = take_output,
		.arg = said,
		.observer = settings->observer,
	};
	struct fcp_guest_exit end = {0};
	int ran;

	if (fcp_envd_token_read(settings->envd_token_file, settings->cancel_fd, &token, err) != 0)
		return -1;
	ran = fcp_guest_run(&command, &end, err);
	fcp_envd_token_clear(&token);
	if (ran == 0 && end.exit_code != 0)
		return fcp_error_set(err, FCP_ERR_SERVER, 0, "/bin/sh in the guest: %s",
				     end.status);
	return ran;
}

int fcp_doctor_envd(struct fcp_doctor *doctor, struct fcp_error *err)
{
	struct fcp_check *envd = fcp_doctor_add(doctor, &about_envd);
	struct fcp_check *tools = fcp_doctor_add(doctor, &about_tools);
	struct script_output said = {.bytes = 0};
	struct fcp_error why;

	if (!doctor->settings->envd)
		return 0;
	if (run_script(doctor->settings, &said, &why) == 0) {
		judge_script_output(said.text, envd, tools);
		return 0;
	}
	if (why.error_class == FCP_ERR_INTERRUPTED || why.error_class == FCP_ERR_USAGE) {
		*err = why;
		return -1;
	}
	fcp_check_set(envd, FCP_VERDICT_NO, "%s", why.message);
	return 0;
}
