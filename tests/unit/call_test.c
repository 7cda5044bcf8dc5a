// SPDX-License-Identifier: Apache-2.0
/* A program that was built against another version of fcpause.h: shorter and longer structs. */
#include "tap.h"

#include "base/call.h"
#include "base/observer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the next version might have. */
struct later_settings {
	struct fcp_merge_settings merge;
	uint64_t news;
};

struct later_result {
	struct fcp_merge_result merge;
	uint64_t news[4];
};

/* Where no file of the merge is there: FCP_ERR_IO and no more, if the settings were understood. */
static int merge(const struct fcp_merge_settings *settings, struct fcp_merge_result *result,
		 struct fcp_error *err)
{
	int ran;

	*err = (struct fcp_error){0};
	ran = fcp_merge(settings, result, err);
	fcp_merge_result_clear(result);
	return ran;
}

static void not_set(void)
{
	const size_t strange[] = {0, 1, 7, FCP_STRUCT_BYTES_MAX + 1, SIZE_MAX};
	struct fcp_merge_settings settings = FCP_MERGE_SETTINGS_INIT;
	struct fcp_merge_result result = FCP_MERGE_RESULT_INIT;
	struct fcp_error err;

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		settings.size = strange[i];
		ok(merge(&settings, &result, &err) == -1 && err.error_class == FCP_ERR_USAGE &&
			   strstr(err.message, "size"),
		   "settings of %zu bytes: %s", strange[i], err.message);
		settings.size = sizeof(settings);
		result.size = strange[i];
		ok(merge(&settings, &result, &err) == -1 && err.error_class == FCP_ERR_USAGE &&
			   strstr(err.message, "size"),
		   "a result of %zu bytes: %s", strange[i], err.message);
		result = (struct fcp_merge_result)FCP_MERGE_RESULT_INIT;
	}
	ok(fcp_merge(NULL, &result, &err) == -1 && err.error_class == FCP_ERR_USAGE, "no settings");
	ok(fcp_merge(&settings, NULL, &err) == -1 && err.error_class == FCP_ERR_USAGE, "no result");
}

static void longer_settings(void)
{
	struct later_settings later = {.merge = FCP_MERGE_SETTINGS_INIT};
	struct fcp_merge_result result = FCP_MERGE_RESULT_INIT;
	struct fcp_error err;

	later.merge.size = sizeof(later);
	later.merge.base = "/nowhere/base";
	later.merge.layers = (const char *const[]){"/nowhere/layer"};
	later.merge.layer_count = 1;
	later.merge.out = "/nowhere/out";
	ok(merge(&later.merge, &result, &err) == -1 && err.error_class != FCP_ERR_USAGE,
	   "a member that is not known here, and zero: %s", err.message);
	later.news = 1;
	ok(merge(&later.merge, &result, &err) == -1 && err.error_class == FCP_ERR_USAGE &&
		   strstr(err.message, FCP_VERSION),
	   "one that is set: %s", err.message);
}

/* What is behind the caller's end is what FCP_..._INIT says, not zero: cancel_fd. */
static void shorter_settings(void)
{
	struct fcp_status_settings status = FCP_STATUS_SETTINGS_INIT;
	struct fcp_status_settings taken = FCP_STATUS_SETTINGS_INIT;
	struct fcp_error err;

	status.api_sock = "/nowhere.sock";
	status.timeout_ms = 7;
	status.cancel_fd = 0;
	status.size = offsetof(struct fcp_status_settings, timeout_ms);
	ok(fcp_settings_take(&taken, &status, &err) == 0 && taken.timeout_ms == 0 &&
		   taken.cancel_fd == -1 && taken.size == sizeof(taken),
	   "shorter settings: defaults behind their end");
	is_str(taken.api_sock, "/nowhere.sock", "... and before it, what was given");
}

static void results(void)
{
	struct fcp_status_settings settings = FCP_STATUS_SETTINGS_INIT;
	struct later_result later;
	struct fcp_merge_settings nothing = FCP_MERGE_SETTINGS_INIT;
	struct fcp_status_result result;
	const size_t shorter = offsetof(struct fcp_status_result, vm_state);
	struct fcp_error err;

	memset(&result, 0x5a, sizeof(result));
	result.size = shorter;
	settings.api_sock = "/nowhere.sock";
	ok(fcp_status(&settings, &result, &err) == -1 && err.error_class == FCP_ERR_CONNECT,
	   "a shorter result: %s", err.message);
	ok(result.outcome.status == FCP_STATUS_FAILED && result.size == shorter,
	   "... what it has is written");
	ok(((unsigned char *)&result)[shorter] == 0x5a &&
		   ((unsigned char *)&result)[sizeof(result) - 1] == 0x5a,
	   "... and not a byte behind it");
	memset(&later, 0x5a, sizeof(later));
	later.merge.size = sizeof(later);
	ok(fcp_merge(&nothing, &later.merge, &err) == -1 && later.news[0] == 0 &&
		   later.news[3] == 0,
	   "a longer result: what is not known here becomes zero");
	fcp_merge_result_clear(&later.merge);
}

/* An array that the caller's version does not know is freed by the library (under ASan, a leak). */
static void owned(void)
{
	struct fcp_merge_settings settings = FCP_MERGE_SETTINGS_INIT;
	struct fcp_merge_result result = FCP_MERGE_RESULT_INIT;
	struct fcp_error err;

	settings.base = "/nowhere";
	settings.layer_count = 1;
	result.size = offsetof(struct fcp_merge_result, layers);
	ok(fcp_merge(&settings, &result, &err) == -1 && !result.layers, "owned, but not known");
	fcp_merge_result_clear(&result);
	result.size = sizeof(result);
	ok(fcp_merge(&settings, &result, &err) == -1 && result.layers, "owned, and known");
	fcp_merge_result_clear(&result);
	ok(!result.layers && result.size == sizeof(result), "cleared");
	fcp_merge_result_clear(&result);
}

static void count_phase(const struct fcp_phase *phase, void *arg)
{
	(void)phase;
	++*(unsigned *)arg;
}

static void observers(void)
{
	unsigned count = 0;
	struct fcp_observer observer = FCP_OBSERVER_INIT;
	struct fcp_status_settings settings = FCP_STATUS_SETTINGS_INIT;
	struct fcp_status_result result = FCP_STATUS_RESULT_INIT;
	struct fcp_error err;

	observer.arg = &count;
	observer.on_phase = count_phase;
	settings.api_sock = "/nowhere.sock";
	settings.observer = &observer;
	fcp_status(&settings, &result, &err);
	is_u64(count, 2, "an observer is told of the step's begin and end");
	observer.size = offsetof(struct fcp_observer, on_progress);
	fcp_status(&settings, &result, &err);
	is_u64(count, 4, "a shorter one as well");
	observer.size = offsetof(struct fcp_observer, on_phase);
	fcp_status(&settings, &result, &err);
	is_u64(count, 4, "of what it does not have it is not told");
}

static void keep_line(const struct fcp_log_line *line, void *arg)
{
	char(*lines)[256] = arg;

	if (line->level == FCP_LOG_WARNING)
		snprintf(lines[0], sizeof(lines[0]), "%s: %s", line->step, line->text);
	else if (line->level == FCP_LOG_DEBUG)
		snprintf(lines[1], sizeof(lines[1]), "%s: %s", line->step, line->text);
}

static void log_lines(void)
{
	char lines[2][256] = {"", ""};
	struct fcp_observer observer = FCP_OBSERVER_INIT;
	struct fcp_step step;

	observer.arg = lines;
	observer.on_log = keep_line;
	step = fcp_step_begin(&observer, "merge");
	fcp_step_warn(&step, "");
	is_str(lines[0], "", "no warning is no line");
	fcp_step_warn(&step, "it may be lost");
	is_str(lines[0], "merge: it may be lost", "a warning, with its step");
	fcp_log_debug(&observer, "share", "%s of %d", "a\033[2J\n", 2);
	is_str(lines[1], "share: a\\x1b[2J\\n of 2", "a line drives no terminal");
	observer.size = offsetof(struct fcp_observer, on_log);
	lines[0][0] = lines[1][0] = '\0';
	fcp_step_warn(&step, "it may be lost");
	fcp_log_debug(&observer, "share", "so");
	fcp_log_debug(NULL, "share", "so");
	ok(!lines[0][0] && !lines[1][0], "an older program has no such callback");
}

int main(void)
{
	not_set();
	longer_settings();
	shorter_settings();
	results();
	owned();
	observers();
	log_lines();
	return done();
}
