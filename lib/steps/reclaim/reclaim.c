// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/enums.h"
#include "base/list.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "envd/process.h"
#include "steps/reclaim/reclaim.h"
#include "steps/reclaim/script.h"
#include "steps/reclaim/sum.h"

#include <string.h>

#define SLACK_MS 500
#define ANSWER_MAX_BYTES (1 << 20)
#define LINE_MAX_BYTES 128
#define EXIT_NOT_FOUND 127

/* Parses the script's output as it arrives. */
struct reclaim_progress {
	const struct fcp_reclaim_settings *settings;
	struct fcp_reclaim_result *result;
	bool started;	   /* by envd */
	bool begun;	   /* the script's first line has arrived */
	size_t done;	   /* steps of the result that have an outcome */
	uint64_t since_ns; /* start of the current step, by our clock */
	char line[LINE_MAX_BYTES];
	size_t line_bytes; /* LINE_MAX_BYTES: too long, skipped up to its end */
};

static uint32_t cap_of(const struct fcp_reclaim_settings *settings, enum fcp_reclaim_kind kind)
{
	for (size_t i = 0; i < settings->step_count; i++)
		if (settings->steps[i].kind == kind)
			return settings->steps[i].cap_ms;
	return 0;
}

/* The exit codes of timeout(1) and the shell for a kill at the cap. */
static bool is_kill(int exit_code)
{
	return exit_code == 124 || /* uutils; GNU without -s KILL */
	       exit_code == 137 || /* GNU, BusyBox, toybox */
	       exit_code == 143;   /* SIGTERM, if it supports no other */
}

static void set_killed(uint32_t cap_ms, uint32_t asked_ms, struct fcp_outcome *outcome)
{
	if (cap_ms == asked_ms)
		fcp_outcome_set(outcome, FCP_STATUS_TIMEOUT, "killed at its cap of %u ms", cap_ms);
	else
		fcp_outcome_set(
			outcome, FCP_STATUS_TIMEOUT,
			"killed at %u ms: the guest's timeout takes whole seconds, and the cap "
			"is %u ms",
			cap_ms, asked_ms);
}

static void judge_exit(const struct reclaim_progress *progress, int exit_code)
{
	struct fcp_reclaim_result *result = progress->result;
	struct fcp_reclaim_step_result *step = result->steps[progress->done];
	struct fcp_outcome *outcome = &step->outcome;
	uint32_t cap_ms = step->cap_ms;

	if (exit_code == 0)
		fcp_outcome_set(outcome, FCP_STATUS_OK, NULL);
	else if (exit_code == EXIT_NOT_FOUND)
		fcp_outcome_set(outcome, FCP_STATUS_UNSUPPORTED, "the guest cannot run it");
	/* Our clock starts when the previous line arrived, which can be late. */
	else if (is_kill(exit_code) && outcome->ms >= cap_ms / 2.0)
		set_killed(cap_ms, cap_of(progress->settings, step->kind), outcome);
	else
		fcp_outcome_set(outcome, FCP_STATUS_FAILED, "exit code %d", exit_code);
}

/* The first line. A timeout(1) that takes only whole seconds gets them rounded up. */
static void begin_steps(struct reclaim_progress *progress, const char *text)
{
	struct fcp_reclaim_result *result = progress->result;
	bool whole_seconds;

	if (!fcp_reclaim_timeout_read(text, &whole_seconds))
		return;
	progress->begun = true;
	progress->since_ns = fcp_now_ns();
	for (size_t i = 0; whole_seconds && i < result->step_count; i++)
		result->steps[i]->cap_ms = (result->steps[i]->cap_ms + 999) / 1000 * 1000;
}

static void on_line(struct reclaim_progress *progress, const char *text)
{
	struct fcp_reclaim_result *result = progress->result;
	struct fcp_reclaim_line line;
	struct fcp_outcome *outcome;

	if (!progress->begun) {
		begin_steps(progress, text);
		return;
	}
	/* In order, each once: other lines are ignored. */
	if (!fcp_reclaim_line_read(text, &line) || progress->done >= result->step_count ||
	    result->steps[progress->done]->kind != line.kind)
		return;
	outcome = &result->steps[progress->done]->outcome;
	outcome->ms = fcp_ms_since(progress->since_ns);
	result->steps[progress->done]->exit_code = line.exit_code;
	switch (line.verdict) {
	case FCP_RECLAIM_EXITED:
		judge_exit(progress, line.exit_code);
		break;
	case FCP_RECLAIM_NO_TIMEOUT:
		fcp_outcome_set(outcome, FCP_STATUS_UNSUPPORTED,
				"the guest has no working timeout(1)");
		break;
	case FCP_RECLAIM_MISSING:
		fcp_outcome_set(outcome, FCP_STATUS_UNSUPPORTED, "the guest does not have it");
		break;
	case FCP_RECLAIM_NO_DISCARD:
		fcp_outcome_set(outcome, FCP_STATUS_UNSUPPORTED, "the guest's disk has no discard");
		break;
	}
	fcp_log_debug(progress->settings->observer, "reclaim", "%s: %s after %.1f ms%s%s",
		      fcp_reclaim_kind_name(line.kind), fcp_status_name(outcome->status),
		      outcome->ms, outcome->reason[0] ? ": " : "", outcome->reason);
	progress->since_ns = fcp_now_ns();
	progress->done++;
}

static int on_reclaim_output(enum fcp_guest_stream stream, const char *data, size_t length,
			     void *arg, struct fcp_error *err)
{
	struct reclaim_progress *progress = arg;

	(void)err;
	if (stream != FCP_GUEST_STDOUT)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (data[i] != '\n') {
			if (progress->line_bytes < LINE_MAX_BYTES)
				progress->line[progress->line_bytes++] = data[i];
			continue;
		}
		if (progress->line_bytes < LINE_MAX_BYTES) {
			progress->line[progress->line_bytes] = '\0';
			on_line(progress, progress->line);
		}
		progress->line_bytes = 0;
	}
	return 0;
}

static int on_reclaim_start(uint32_t pid, void *arg, struct fcp_error *err)
{
	struct reclaim_progress *progress = arg;

	(void)pid;
	(void)err;
	progress->started = true;
	progress->since_ns = fcp_now_ns();
	return 0;
}

static int check_reclaim_steps(const struct fcp_reclaim_settings *settings, struct fcp_error *err)
{
	unsigned seen = 0;

	if (settings->step_count > FCP_RECLAIM_KINDS)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%zu steps, and there are %d",
				     settings->step_count, FCP_RECLAIM_KINDS);
	if (settings->step_count > 0 && !settings->steps)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%zu steps, and none is given",
				     settings->step_count);
	for (size_t i = 0; i < settings->step_count; i++) {
		enum fcp_reclaim_kind kind = settings->steps[i].kind;

		if ((unsigned)kind >= FCP_RECLAIM_KINDS)
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "%u is no step",
					     (unsigned)kind);
		if (seen & (1U << kind))
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "step %s is there twice",
					     fcp_reclaim_kind_name(kind));
		seen |= 1U << kind;
	}
	return 0;
}

/* The enabled steps, each "not reached" until the guest reports more. */
static int plan_reclaim(const struct fcp_reclaim_settings *settings,
			struct fcp_reclaim_result *result, uint32_t *timeout_ms_,
			struct fcp_error *err)
{
	uint64_t timeout_ms = settings->timeout_ms;

	if (check_reclaim_steps(settings, err) != 0)
		return -1;
	result->steps = fcp_list_new(settings->step_count, sizeof(**result->steps));
	if (!result->steps)
		return fcp_error_nomem(err);
	for (size_t i = 0; i < settings->step_count; i++) {
		struct fcp_reclaim_step_result *step;

		if (settings->steps[i].cap_ms == 0)
			continue;
		if (settings->timeout_ms == 0)
			timeout_ms += settings->steps[i].cap_ms;
		step = result->steps[result->step_count++];
		step->kind = settings->steps[i].kind;
		step->cap_ms = settings->steps[i].cap_ms;
		step->exit_code = -1;
		fcp_outcome_set(&step->outcome, FCP_STATUS_SKIPPED, "not reached");
	}
	if (settings->timeout_ms == 0)
		timeout_ms += SLACK_MS;
	*timeout_ms_ = timeout_ms > INT32_MAX ? INT32_MAX : (uint32_t)timeout_ms;
	return 0;
}

/*
 * The steps without a report: if envd began at all, the first was running at the end; the others
 * never began.
 */
static void close_steps(struct reclaim_progress *progress, enum fcp_status status,
			const char *reason)
{
	struct fcp_reclaim_result *result = progress->result;

	for (size_t i = progress->done; i < result->step_count; i++) {
		if (i == progress->done && progress->started) {
			fcp_outcome_set(&result->steps[i]->outcome, status, "%s", reason);
			result->steps[i]->outcome.ms = fcp_ms_since(progress->since_ns);
		} else {
			fcp_outcome_set(&result->steps[i]->outcome, FCP_STATUS_SKIPPED, "%s",
					reason);
		}
	}
}

static void out_of_time(struct reclaim_progress *progress, uint32_t timeout_ms)
{
	struct fcp_reclaim_result *result = progress->result;
	char reason[160], all[1024] = "";

	if (progress->started)
		snprintf(reason, sizeof(reason), "the deadline of %u ms was reached", timeout_ms);
	else
		snprintf(reason, sizeof(reason),
			 "envd did not begin within %u ms (is the guest up?)", timeout_ms);
	close_steps(progress, FCP_STATUS_TIMEOUT, reason);
	if (progress->started)
		fcp_reclaim_name_short_steps(result, all, sizeof(all));
	fcp_outcome_set(&result->outcome, FCP_STATUS_TIMEOUT, "%s", all[0] ? all : reason);
}

static int finish_reclaim(struct reclaim_progress *progress, int ran,
			  const struct fcp_guest_exit *guest, uint32_t timeout_ms,
			  struct fcp_error *err)
{
	struct fcp_reclaim_result *result = progress->result;

	if (ran != 0 && err->error_class == FCP_ERR_TIMEOUT) {
		out_of_time(progress, timeout_ms);
		return 0;
	}
	if (ran != 0) {
		close_steps(progress, FCP_STATUS_FAILED, err->message);
		return -1;
	}
	if (progress->done < result->step_count) {
		fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
			      "the guest's shell ended (%s %d) before its work did",
			      guest->exited ? "exit code" : "signal, code", guest->exit_code);
		close_steps(progress, FCP_STATUS_FAILED, err->message);
		return -1;
	}
	fcp_reclaim_sum_up(progress->settings, result);
	return 0;
}

int fcp_reclaim_run(const struct fcp_reclaim_settings *settings, const struct fcp_envd_token *token,
		    struct fcp_reclaim_result *result, struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "reclaim");
	struct reclaim_progress progress = {settings, result, .since_ns = step.start_ns};
	FCP_CLEANUP(free) char *script = NULL;
	struct fcp_envd_token own_token = {0};
	struct fcp_guest_command command = {
		.envd = settings->envd,
		.token = token ? token : &own_token,
		.user = "root",
		.beside_workload = true,
		.cancel_fd = settings->cancel_fd,
		.answer_max_bytes = ANSWER_MAX_BYTES,
		.on_output = on_reclaim_output,
		.on_start = on_reclaim_start,
		.arg = &progress,
		.observer = settings->observer,
	};
	struct fcp_guest_exit guest = {0};
	int ran;

	*result = (struct fcp_reclaim_result){0};
	if (plan_reclaim(settings, result, &command.timeout_ms, err) != 0)
		return fcp_step_finish(&step, &result->outcome, -1, err);
	if (result->step_count == 0) {
		fcp_outcome_set(&result->outcome, FCP_STATUS_SKIPPED, "every step is off");
		return fcp_step_finish(&step, &result->outcome, 0, err);
	}
	script = fcp_reclaim_script(settings);
	command.argv = (const char *const[]){"/bin/sh", "-c", script, NULL};
	ran = script ? 0 : fcp_error_nomem(err);
	if (ran == 0 && !token)
		ran = fcp_envd_token_read(settings->envd_token_file, settings->cancel_fd,
					  &own_token, err);
	if (ran == 0)
		ran = fcp_guest_run(&command, &guest, err);
	fcp_envd_token_clear(&own_token);
	ran = finish_reclaim(&progress, ran, &guest, command.timeout_ms, err);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_reclaim(const struct fcp_reclaim_settings *settings, struct fcp_reclaim_result *result,
		struct fcp_error *err)
{
	struct fcp_reclaim_settings own_settings = FCP_RECLAIM_SETTINGS_INIT;
	struct fcp_reclaim_result own = FCP_RECLAIM_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = fcp_reclaim_run(&own_settings, NULL, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_reclaim_result_clear(&own);
	return ran;
}

void fcp_reclaim_result_clear(struct fcp_reclaim_result *result)
{
	struct fcp_reclaim_result own = FCP_RECLAIM_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	free(own.steps);
}
