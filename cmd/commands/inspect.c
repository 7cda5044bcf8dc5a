// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/map/map.h"
#include "cmd/map/map_svg.h"
#include "cmd/output/inspect_text.h"
#include "cmd/output/output.h"
#include "cmd/output/write_file.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "cmd/signals.h"
#include "report.h"

#include <malloc.h>
#include <string.h>
#include <sys/stat.h>

/* One run, on one file or two. */
struct inspection {
	const char *paths[2];
	const char *svg; /* NULL: none */
	size_t count;
	struct fcp_inspect_settings settings; /* except the path */
	struct fcp_inspect_result results[2];
	struct fcp_outcome outcome; /* with two files, the worse one */
};

static int take_paths(const struct invocation *invocation, struct inspection *inspection,
		      struct fcp_error *err)
{
	const char *before = text_of(invocation, OPT_BEFORE),
		   *after = text_of(invocation, OPT_AFTER);

	if (!before && !after) {
		inspection->count = 1;
		inspection->paths[0] = text_of(invocation, OPT_MEM_FILE_PATH);
		return need_text(invocation, OPT_MEM_FILE_PATH, err);
	}
	if (!before || !after)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--before and --after need each other");
	/* A variable in the environment may be meant for other commands of the script. */
	if (invocation->values[OPT_MEM_FILE_PATH].origin == ORIGIN_CLI)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "--mem-file-path excludes --before and --after");
	inspection->count = 2;
	inspection->paths[0] = before;
	inspection->paths[1] = after;
	return 0;
}

/* The picture must not overwrite an input file. */
static int check_svg(const struct invocation *invocation, const struct inspection *inspection,
		     struct fcp_error *err)
{
	struct stat svg, memory;

	if (!inspection->svg)
		return 0;
	if (invocation->several)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--svg is of one file");
	if (strcmp(inspection->svg, "-") == 0) {
		if (invocation->values[OPT_JSON].on)
			return fcp_error_set(err, FCP_ERR_USAGE, 0,
					     "--svg - and --json exclude each other");
		return 0;
	}
	for (size_t i = 0; stat(inspection->svg, &svg) == 0 && i < inspection->count; i++)
		if (stat(inspection->paths[i], &memory) == 0 && svg.st_dev == memory.st_dev &&
		    svg.st_ino == memory.st_ino)
			return fcp_error_set(err, FCP_ERR_USAGE, 0,
					     "--svg %.200s: that is the memory file",
					     inspection->svg);
	return 0;
}

static int look(struct inspection *inspection, struct fcp_error *err)
{
	struct fcp_outcome *outcome = &inspection->outcome;

	inspection->settings.cells_max = MAP_CELLS_MAX;

	for (size_t i = 0; i < inspection->count; i++) {
		const struct fcp_outcome *one = &inspection->results[i].outcome;
		double ms;
		int ran;

		inspection->settings.mem_file_path = inspection->paths[i];
		ran = fcp_inspect(&inspection->settings, &inspection->results[i], err);
		ms = outcome->ms + one->ms;
		if (one->status != FCP_STATUS_OK)
			*outcome = *one;
		outcome->ms = ms;
		if (ran < 0)
			return -1;
		/* Nothing to draw. */
		if (one->status == FCP_STATUS_UNSUPPORTED)
			return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s", one->reason);
	}
	return 0;
}

/* ---- JSON ---- */

static int set_change(struct fcp_json *object, const char *key, uint64_t before, uint64_t after)
{
	return fcp_json_set_i64(object, key, (int64_t)(after - before));
}

static int add_difference(struct fcp_json *object, const struct inspection *inspection)
{
	const struct fcp_inspect_result *before = &inspection->results[0],
					*after = &inspection->results[1];
	struct fcp_json *difference = fcp_json_object(), *file = fcp_json_object();
	struct fcp_json *classes = fcp_json_object();
	int bad = 0;

	bad |= set_change(file, "logical_bytes", before->logical_bytes, after->logical_bytes);
	bad |= set_change(file, "allocated_bytes", before->allocated_bytes, after->allocated_bytes);
	bad |= set_change(file, "data_bytes", before->data_bytes, after->data_bytes);
	bad |= set_change(file, "hole_bytes", before->logical_bytes - before->data_bytes,
			  after->logical_bytes - after->data_bytes);
	for (size_t i = 0; i < before->class_count; i++) {
		const struct fcp_inspect_class *from = before->classes[i], *to = after->classes[i];
		struct fcp_json *member = fcp_json_object();

		bad |= set_change(member, "bytes", from->all.bytes, to->all.bytes);
		bad |= set_change(member, "allocated_bytes", from->all.allocated_bytes,
				  to->all.allocated_bytes);
		bad |= fcp_json_set(classes, fcp_page_class_name(from->page_class), member);
	}
	if (before->compared && after->compared)
		bad |= set_change(difference, "layer_bytes", before->layer_bytes,
				  after->layer_bytes);
	if (before->share_count > 0 && after->share_count > 0)
		bad |= set_change(difference, "share_bytes", before->share_bytes,
				  after->share_bytes);
	bad |= fcp_json_set(difference, "mem_file", file);
	bad |= fcp_json_set(difference, "classes", classes);
	return bad | fcp_json_set(object, "difference", difference);
}

static int fill_object(struct fcp_json *object, const struct inspection *inspection, int ran)
{
	struct fcp_json *members[2];
	int bad;

	if (inspection->count == 1)
		return fcp_report_inspect(object, &inspection->results[0]);
	bad = fcp_report_outcome(object, &inspection->outcome);
	if (ran < 0)
		return bad;
	for (size_t i = 0; i < 2; i++) {
		members[i] = fcp_json_object();
		bad |= fcp_report_inspect(members[i], &inspection->results[i]);
		bad |= fcp_json_set(object, i ? "after" : "before", members[i]);
	}
	return bad | add_difference(object, inspection);
}

/* ---- the picture, and the command ---- */

static int write_svg(const struct map_files *files, const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *picture = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&picture, &bytes);

	if (!out)
		return fcp_error_nomem(err);
	map_svg(out, files);
	if (fclose(out) != 0 || bytes == 0)
		return fcp_error_nomem(err);
	if (write_file(path, picture, bytes, err) < 0)
		return fcp_error_wrap(err, "--svg");
	return 0;
}

static bool svg_is_stdout(const struct inspection *inspection)
{
	return inspection->svg && strcmp(inspection->svg, "-") == 0;
}

static int draw(const struct invocation *invocation, struct inspection *inspection, FILE *text,
		struct fcp_error *err)
{
	/* The choices are in the order of the enum. */
	const struct terminal terminal =
		terminal_look((enum color_when)invocation->values[OPT_COLOR].number);
	const struct map_files files = {{&inspection->results[0], &inspection->results[1]},
					{inspection->paths[0], inspection->paths[1]},
					inspection->count};

	if (svg_is_stdout(inspection))
		map_svg(text, &files);
	else
		inspect_text(text, &files, &terminal);
	if (!inspection->svg || svg_is_stdout(inspection))
		return 0;
	return write_svg(&files, inspection->svg, err);
}

static int finish(const struct invocation *invocation, struct inspection *inspection, int ran,
		  struct fcp_error *err)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output.text_is_asked = svg_is_stdout(inspection);
	if (ran >= 0 && draw(invocation, inspection, output.text, err) != 0) {
		ran = -1;
		inspection->outcome.status = FCP_STATUS_FAILED;
		snprintf(inspection->outcome.reason, sizeof(inspection->outcome.reason), "%.380s",
			 err->message);
		inspection->results[0].outcome = inspection->outcome;
	}
	output.bad |= fill_object(output.object, inspection, ran);
	return output_end_step(&output, &inspection->outcome, ran, err);
}

/* Otherwise malloc keeps the memory freed after the first file, and the second file adds to it. */
#define GIVE_BACK_BYTES (128 << 10)

static int inspect_it(struct invocation *invocation)
{
	const struct planned step = {"inspect", NULL};
	struct inspection inspection = {
		.svg = text_of(invocation, OPT_SVG),
		.results = {FCP_INSPECT_RESULT_INIT, FCP_INSPECT_RESULT_INIT},
	};
	struct fcp_error err;
	int exit_code;

	if (take_paths(invocation, &inspection, &err) != 0 ||
	    inspect_settings(invocation, &inspection.settings, &err) != 0 ||
	    check_svg(invocation, &inspection, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	exit_code = finish(invocation, &inspection, look(&inspection, &err), &err);
	for (size_t i = 0; i < inspection.count; i++)
		fcp_inspect_result_clear(&inspection.results[i]);
	return exit_code;
}

int command_inspect(struct invocation *invocation)
{
	mallopt(M_MMAP_THRESHOLD, GIVE_BACK_BYTES);
	return run_each(invocation, OPT_MEM_FILE_PATH, inspect_it);
}
