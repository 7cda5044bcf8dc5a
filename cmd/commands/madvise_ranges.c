// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "memory/identity.h"
#include "report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const struct planned step = {"madvise-ranges", NULL};

/* The ranges given with --ranges. */
struct given {
	struct fcp_ranges ranges;
	struct fcp_file_identity made_of;
	char warning[128];
};

static bool is_empty(const struct given *given)
{
	return given->ranges.count == 0 && given->made_of.inode == 0;
}

static int read_ranges(const struct invocation *invocation, struct given *given,
		       struct fcp_error *err)
{
	const char *path = text_of(invocation, OPT_RANGES);
	struct fcp_ranges_text text = {
		.size = sizeof(text),
		.name = "stdin",
		.made_of_ = &given->made_of,
		.limit_bytes = UINT64_MAX,
		.fd = STDIN_FILENO,
		.cancel_fd = invocation->cancel_fd,
	};
	FCP_CLEANUP(fd) int file = -1;
	struct stat memory_file;

	/* Needed to report the line of a range past the end. All other errors of the file are
	 * reported by the step. */
	if (stat(text_of(invocation, OPT_MEM_FILE_PATH), &memory_file) == 0)
		text.limit_bytes = (uint64_t)memory_file.st_size;
	if (strcmp(path, "-") != 0) {
		text.name = path;
		text.fd = file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return fcp_error_set(err, FCP_ERR_INPUT, errno, "--ranges %s", path);
	}
	if (fcp_ranges_read(&text, &given->ranges, err) != 0)
		return -1;
	/* If the previous command in the pipeline failed, it wrote nothing. */
	if (is_empty(given))
		snprintf(given->warning, sizeof(given->warning), "no ranges %s%.80s",
			 text.fd == STDIN_FILENO ? "on " : "in ",
			 text.fd == STDIN_FILENO ? "standard input" : path);
	return 0;
}

/* The memory of a paused VM instead of a file: the default is free pages only. */
static int read_process(const struct invocation *invocation,
			struct fcp_madvise_ranges_settings *settings, struct fcp_error *err)
{
	const struct value *values = invocation->values;

	if (values[OPT_MEM_FILE_PATH].text || values[OPT_RANGES].text || values[OPT_HOLES].text)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "--pid excludes --mem-file-path, --ranges and --holes");
	if (values[OPT_FIND].origin == ORIGIN_DEFAULT)
		settings->find = FCP_FIND_FREE;
	if (settings->find != FCP_FIND_FREE && !values[OPT_LIST].on)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"--pid: of a running process only free pages can be released (--find "
			"free); others can be listed (--list)");
	if (need_text(invocation, OPT_API_SOCK, err) != 0)
		return -1;
	settings->pid = (pid_t)values[OPT_PID].number;
	settings->api_sock = text_of(invocation, OPT_API_SOCK);
	settings->base = text_of(invocation, OPT_BASE);
	return 0;
}

/* The base of a file. A variable in the environment may be meant for other commands. */
static int read_base(const struct invocation *invocation,
		     struct fcp_madvise_ranges_settings *settings, struct fcp_error *err)
{
	const char *path = text_of(invocation, OPT_BASE);

	if (settings->find & (FCP_FIND_BASE | FCP_FIND_CHANGED)) {
		settings->base = path;
		return need_text(invocation, OPT_BASE, err);
	}
	if (path && invocation->values[OPT_BASE].origin == ORIGIN_CLI)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"--base: with a file it is for --list --find base and changed");
	return 0;
}

/* Either --find or --ranges, and either a memory file or a process. */
static int read_settings(const struct invocation *invocation, struct given *given,
			 struct fcp_madvise_ranges_settings *settings, struct fcp_error *err)
{
	const struct value *values = invocation->values;

	if (madvise_ranges_settings(invocation, settings, err) != 0)
		return -1;
	settings->keep = values[OPT_LIST].on || values[OPT_DRY_RUN].on;
	if (values[OPT_PID].origin != ORIGIN_DEFAULT)
		return read_process(invocation, settings, err);
	if (need_text(invocation, OPT_MEM_FILE_PATH, err) != 0)
		return -1;
	/* Only free pages of a layer can be released; zero is refused only if it was asked for. */
	if (settings->holes == FCP_HOLES_BASE && values[OPT_FIND].origin == ORIGIN_DEFAULT)
		settings->find = FCP_FIND_FREE;
	if (!values[OPT_RANGES].text || values[OPT_FIND].origin > values[OPT_RANGES].origin)
		return read_base(invocation, settings, err);
	if (values[OPT_FIND].origin == values[OPT_RANGES].origin)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "--find and --ranges exclude each other");
	settings->find = 0;
	settings->ranges = &given->ranges;
	if (read_ranges(invocation, given, err) != 0)
		return -1;
	settings->ranges_of = given->made_of;
	return 0;
}

/* [START, LENGTH, "free"]; without the kind if the range was given. */
static int append_range(struct fcp_json *list, const struct fcp_found_range *range)
{
	struct fcp_json *member = fcp_json_array();
	int bad = fcp_json_append_u64(member, range->start);

	bad |= fcp_json_append_u64(member, range->end - range->start);
	if (range->found)
		bad |= fcp_json_append_string(member, fcp_find_name(range->found));
	return bad | fcp_json_append(list, member);
}

/* "regions": where the process has its guest's memory. */
static int report_regions(struct fcp_json *object, const struct fcp_madvise_ranges_result *result)
{
	struct fcp_json *list = fcp_json_array();
	int bad = 0;

	for (size_t i = 0; i < result->region_count; i++) {
		const struct fcp_process_region *region = &result->regions[i];
		struct fcp_json *member = fcp_json_array();

		bad |= fcp_json_append_u64(member, region->offset);
		bad |= fcp_json_append_u64(member, region->bytes);
		bad |= fcp_json_append_u64(member, region->address);
		bad |= fcp_json_append(list, member);
	}
	return bad | fcp_json_set(object, "regions", list);
}

/* "list", the ranges, and "file", which identifies their file, as in the text output. */
static int report_list(struct fcp_json *object, const struct fcp_madvise_ranges_result *result)
{
	const struct fcp_found_ranges *found = &result->found;
	struct fcp_json *list = fcp_json_array();
	char file[FCP_IDENTITY_BYTES];
	int bad = 0;

	bad |= result->file.inode == 0
		       ? fcp_json_set_null(object, "file")
		       : fcp_json_set_string(object, "file",
					     fcp_identity_text(&result->file, file));
	for (size_t i = 0; i < found->count; i++)
		bad |= append_range(list, &found->items[i]);
	return bad | fcp_json_set(object, "list", list);
}

static void fill(struct output *output, const struct fcp_madvise_ranges_result *result,
		 const struct given *given)
{
	const struct value *values = output->invocation->values;

	output->bad |= fcp_report_madvise_ranges(output->object, result);
	output_warn(output, given->warning);
	output_warn(output, result->warning);
	if (values[OPT_DRY_RUN].on) {
		output->bad |= fcp_json_set_bool(output->object, "dry_run", true);
		if (!values[OPT_LIST].on)
			plan_write(output->invocation, &step, 1, output->text);
	}
	if (!values[OPT_LIST].on) {
		text_madvise_ranges(output->text, result);
		return;
	}
	output->bad |= report_list(output->object, result);
	if (values[OPT_PID].number)
		output->bad |= report_regions(output->object, result);
	text_ranges(output->text, result);
	output->text_is_asked = true;
}

static int finish(const struct invocation *invocation, int ran, struct fcp_error *err,
		  const struct fcp_madvise_ranges_result *result, const struct given *given)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	fill(&output, result, given);
	return output_end_step(&output, &result->outcome, ran, err);
}

int command_madvise_ranges(struct invocation *invocation)
{
	struct fcp_madvise_ranges_settings settings;
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct given given = {0};
	struct fcp_error err;
	int ran, exit_code;

	if (read_settings(invocation, &given, &settings, &err) != 0) {
		exit_code = output_error(invocation, &err);
	} else {
		plan_tell(invocation, &step, 1);
		ran = fcp_madvise_ranges(&settings, &result, &err);
		exit_code = finish(invocation, ran, &err, &result, &given);
	}
	fcp_madvise_ranges_result_clear(&result);
	fcp_ranges_clear(&given.ranges);
	return exit_code;
}
