// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/utf8.h"
#include "envd/input.h"
#include "envd/process.h"
#include "envd/signal.h"
#include "envd/wait_status.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A run, as far as envd told of it. */
struct exec_run {
	const struct fcp_exec_settings *settings;
	const struct fcp_guest_command *command;
	struct fcp_guest_input *input; /* NULL: none passed */
	uint32_t pid;		       /* 0: no start event yet */
	/* The input's thread sends requests too, and exchanges are told of one at a time. */
	struct fcp_observer observer;
	pthread_mutex_t observer_lock;
};

static void on_exec_exchange(const struct fcp_exchange *exchange, void *arg)
{
	struct exec_run *run = arg;
	const struct fcp_observer *observer = run->settings->observer;

	pthread_mutex_lock(&run->observer_lock);
	if (FCP_OBSERVES(observer, on_exchange))
		observer->on_exchange(exchange, observer->arg);
	pthread_mutex_unlock(&run->observer_lock);
}

static const char *exec_traceparent(void *arg)
{
	const struct exec_run *run = arg;
	const struct fcp_observer *observer = run->settings->observer;

	return FCP_OBSERVES(observer, traceparent) ? observer->traceparent(observer->arg) : NULL;
}

static int on_exec_output(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
			  struct fcp_error *err)
{
	const struct fcp_exec_settings *settings = ((struct exec_run *)arg)->settings;

	return settings->on_output ? settings->on_output(stream, data, length, settings->arg, err)
				   : 0;
}

static int on_exec_start(uint32_t pid, void *arg, struct fcp_error *err)
{
	struct exec_run *run = arg;

	run->pid = pid;
	if (!run->settings->pass_input || run->input)
		return 0;
	return fcp_guest_input_start(run->command, pid, run->settings->input_fd, &run->input, err);
}

/* envd reads "USER:PASSWORD": what stands behind a colon would be lost in silence. */
static int check_exec_settings(const struct fcp_exec_settings *settings, struct fcp_error *err)
{
	if (!settings->argv || !settings->argv[0])
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no command given");
	if (settings->user && (strchr(settings->user, ':') || *settings->user == '\0' ||
			       strlen(settings->user) > FCP_GUEST_USER_MAX))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "'%.150s' is not the name of a user",
				     settings->user);
	/* envd's messages are UTF-8: another byte could not be sent as it is. */
	for (size_t i = 0; settings->argv[i]; i++)
		if (!fcp_utf8_is_valid(settings->argv[i]))
			return fcp_error_set(err, FCP_ERR_USAGE, 0,
					     "word %zu of the command is not UTF-8", i + 1);
	return 0;
}

/* Does the error leave open whether envd has started it? */
static bool may_have_started(const struct fcp_error *err)
{
	return err->error_class == FCP_ERR_TIMEOUT || err->error_class == FCP_ERR_PROTOCOL ||
	       err->error_class == FCP_ERR_INTERRUPTED;
}

/* What the run leaves in the guest must not go on unseen. Says how that went. */
static const char *end_command(const struct exec_run *run, const struct fcp_error *why,
			       struct fcp_exec_result *result)
{
	struct fcp_error err;

	if (run->pid == 0) {
		result->left_running = may_have_started(why);
		return result->left_running ? "; the command may have been started" : "";
	}
	result->left_running = fcp_guest_kill(run->command, run->pid, &err) != 0;
	return result->left_running ? "; the command may still run in the guest"
				    : "; the command was killed";
}

static int kill_command(const struct exec_run *run, struct fcp_exec_result *result,
			struct fcp_error *err)
{
	const char *fate = end_command(run, err, result);

	if (err->error_class == FCP_ERR_TIMEOUT) {
		fcp_outcome_set(&result->outcome, FCP_STATUS_TIMEOUT,
				"the deadline of %u ms was reached%s", run->command->timeout_ms,
				fate);
		return 0;
	}
	fcp_error_append(err, "%s", fate);
	return -1;
}

static void set_exec_outcome(const struct fcp_guest_exit *end, struct fcp_exec_result *result)
{
	if (!end->exited) {
		result->signal = fcp_guest_signal_number(end->status);
		fcp_outcome_set(&result->outcome, FCP_STATUS_FAILED, "ended by a %.60s",
				*end->status ? end->status : "signal");
		return;
	}
	result->exit_code = end->exit_code;
	if (end->exit_code != 0)
		fcp_outcome_set(&result->outcome, FCP_STATUS_FAILED, "exit code %d",
				end->exit_code);
}

static int run_command(struct exec_run *run, struct fcp_exec_result *result, struct fcp_error *err)
{
	struct fcp_guest_exit end = {0};
	struct fcp_error input_err;
	int ran = fcp_guest_run(run->command, &end, err);

	/* What did not reach the command makes its success doubtful. */
	if (fcp_guest_input_stop(run->input, &input_err) != 0 && ran == 0) {
		*err = input_err;
		ran = -1;
	}
	if (ran != 0)
		return kill_command(run, result, err);
	set_exec_outcome(&end, result);
	return 0;
}

static int exec_in_guest(const struct fcp_exec_settings *settings, struct fcp_exec_result *result,
			 struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "exec");
	struct exec_run run = {
		.settings = settings,
		.observer = {.size = sizeof(run.observer),
			     .on_exchange = on_exec_exchange,
			     .traceparent = exec_traceparent,
			     .arg = &run},
		.observer_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct fcp_envd_token token;
	const struct fcp_guest_command command = {
		.envd = settings->envd,
		.token = &token,
		.user = settings->user ? settings->user : "root",
		.argv = settings->argv,
		.with_stdin = settings->pass_input,
		.timeout_ms = settings->timeout_ms ? settings->timeout_ms : FCP_EXEC_TIMEOUT_MS,
		.answer_max_bytes = SIZE_MAX, /* it is passed on, not kept */
		.cancel_fd = settings->cancel_fd,
		.on_output = on_exec_output,
		.on_start = on_exec_start,
		.arg = &run,
		.observer = &run.observer,
	};
	int ran = check_exec_settings(settings, err);

	run.command = &command;
	*result = (struct fcp_exec_result){.exit_code = -1};
	if (ran != 0 ||
	    fcp_envd_token_read(settings->envd_token_file, settings->cancel_fd, &token, err) != 0)
		return fcp_step_finish(&step, &result->outcome, -1, err);
	ran = run_command(&run, result, err);
	fcp_envd_token_clear(&token);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_exec(const struct fcp_exec_settings *settings, struct fcp_exec_result *result,
	     struct fcp_error *err)
{
	struct fcp_exec_settings own_settings = FCP_EXEC_SETTINGS_INIT;
	struct fcp_exec_result own = FCP_EXEC_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = exec_in_guest(&own_settings, &own, err);
	return fcp_call_end(result, &own, sizeof(own), ran);
}
