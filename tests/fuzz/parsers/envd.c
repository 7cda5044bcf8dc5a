// SPDX-License-Identifier: Apache-2.0
/*
 * envd's stream: how the bytes come (the first byte: in pieces of so many), the status, then
 * frames as of process.Process/Start. However it is cut, the outcome is the same. A body of JSON is
 * what envd says of a freeze.
 */
#include "base/enums.h"
#include "envd/process.h"
#include "envd/quiesce.h"
#include "envd/wait_status.h"
#include "http.h"
#include "steps/reclaim/script.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX_BYTES (1 << 20)

struct outcome {
	int result;
	struct fcp_guest_exit exit;
	struct fcp_error err;
	uint32_t pid;
	uint64_t sum; /* of all output */
	size_t bytes;
};

/* A line of reclaim's script, too: the guest may write anything. */
static void read_lines(const char *data, size_t length)
{
	char *text = text_of_bytes((struct bytes){(const uint8_t *)data, length});
	struct fcp_reclaim_line line;
	bool whole_seconds;

	fcp_reclaim_timeout_read(text, &whole_seconds);
	if (fcp_reclaim_line_read(text, &line)) {
		expect(line.kind < FCP_RECLAIM_KINDS, "a step that there is not");
		expect(line.exit_code >= -1 && line.exit_code <= 255, "an exit code of no process");
	}
	free(text);
}

static int on_output(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		     struct fcp_error *err)
{
	struct outcome *outcome = arg;

	(void)err;
	expect(length > 0, "output of nothing");
	for (size_t i = 0; i < length; i++)
		outcome->sum = outcome->sum * 31 + (unsigned char)data[i] + stream;
	outcome->bytes += length;
	read_lines(data, length);
	return 0;
}

static int on_start(uint32_t pid, void *arg, struct fcp_error *err)
{
	(void)err;
	((struct outcome *)arg)->pid = pid;
	return 0;
}

static struct outcome run(struct bytes answer, size_t piece)
{
	static const char *const argv[] = {"true", NULL};
	static const struct fcp_envd_token no_token;
	struct outcome outcome = {0};
	const struct fcp_guest_command command = {
		.envd = "http://10.0.0.2:49983",
		.token = &no_token,
		.user = "root",
		.argv = argv,
		.timeout_ms = 1000,
		.answer_max_bytes = ANSWER_MAX_BYTES,
		.cancel_fd = -1,
		.on_output = on_output,
		.on_start = on_start,
		.arg = &outcome,
	};

	http_serve(answer, piece);
	outcome.result = fcp_guest_run(&command, &outcome.exit, &outcome.err);
	return outcome;
}

/* The same bytes as what envd says of a freeze, and of a collapse. */
static void run_quiesce(struct bytes answer)
{
	static const struct fcp_envd_token no_token;
	const struct fcp_guest_command guest = {.envd = "http://10.0.0.2:49983",
						.token = &no_token};
	const struct fcp_envd_freeze freeze = {.max_cgroups = 512,
					       .timeout_ms = 1000,
					       .cancel_fd = -1};
	struct fcp_freeze_report frozen = {0};
	struct fcp_collapse_report collapsed = {0};
	struct fcp_error err = {0};

	http_serve(answer, 0);
	if (fcp_envd_freeze(&guest, &freeze, &frozen, &err) != 0)
		expect_error(&err);
	expect(fcp_text_is_printable(frozen.mode), "a mode that drives a terminal");
	http_serve(answer, 0);
	if (fcp_envd_collapse(&guest, 1000, -1, &collapsed, &err) != 0)
		expect_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	size_t piece = take_byte(&input) + 1U;
	struct outcome whole = run(input, 0), cut = run(input, piece);

	run_quiesce(input);
	expect(whole.result == cut.result, "a result that depends on the pieces");
	expect(whole.sum == cut.sum && whole.bytes == cut.bytes && whole.pid == cut.pid,
	       "output that depends on the pieces");
	expect(whole.bytes <= size, "more output than came");
	if (whole.result != 0) {
		expect_error(&whole.err);
		expect(strcmp(whole.err.message, cut.err.message) == 0,
		       "a message that depends on the pieces");
		return 0;
	}
	expect(whole.exit.exited == cut.exit.exited && whole.exit.exit_code == cut.exit.exit_code &&
		       strcmp(whole.exit.status, cut.exit.status) == 0,
	       "an exit that depends on the pieces");
	expect(fcp_guest_signal_number(whole.exit.status) < 128, "a signal that there is not");
	return 0;
}
