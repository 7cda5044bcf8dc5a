// SPDX-License-Identifier: Apache-2.0
/* Makes a whole memory file from a base and layers. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/list.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "memory/attributes.h"
#include "memory/sparse.h"
#include "steps/leftover.h"
#include "steps/merge/write.h"
#include "steps/snapshot/names.h"
#include "steps/snapshot/publish.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct merge_run {
	const struct fcp_merge_settings *settings;
	struct fcp_merge_result *result;
	struct fcp_merge_inputs inputs;
	struct fcp_snapshot_file out;
};

static int check_merge_settings(const struct fcp_merge_settings *settings, struct fcp_error *err)
{
	if (!settings->base || !settings->base[0])
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no path of the base given");
	if (settings->layer_count == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no layer given");
	return fcp_snapshot_file_check_name("memory file", settings->out, err);
}

/* ---- the file to write ---- */

/* The output must not replace one of its inputs. */
static int check_no_input(const struct merge_run *run, struct fcp_error *err)
{
	struct stat out;

	if (fstatat(run->out.place.directory, run->out.name, &out, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	for (size_t i = 0; i < run->inputs.count; i++) {
		const struct fcp_file_identity *input = &run->inputs.items[i].identity;

		if (input->device == out.st_dev && input->inode == out.st_ino)
			return fcp_error_set(err, FCP_ERR_USAGE, 0,
					     "%s is one of the files to merge", run->out.host);
	}
	return 0;
}

static int open_out(struct merge_run *run, struct fcp_error *err)
{
	const struct fcp_merge_settings *settings = run->settings;
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "merge");

	if (fcp_snapshot_file_find(settings->out, NULL, 0, &run->out, err) != 0 ||
	    check_no_input(run, err) != 0 ||
	    fcp_snapshot_file_lock(&run->out, settings->force, &wait, err) != 0)
		return -1;
	if (fcp_snapshot_file_check_target(&run->out, settings->force, err) != 0 ||
	    fcp_snapshot_file_check_no_old(&run->out, err) != 0 ||
	    fcp_leftover_drop(&run->out, err) != 0 ||
	    fcp_snapshot_file_begin(&run->out, 0, err) != 0)
		return -1;
	fcp_leftover_mark(&run->out);
	snprintf(run->result->warning, sizeof(run->result->warning), "%s",
		 fcp_snapshot_file_doubt(&run->out));
	return 0;
}

/* ---- the step ---- */

/* The result has the memory, and so the id, of the last layer. */
static void record_merged(struct merge_run *run)
{
	struct fcp_file_attributes attributes = {.holes = FCP_HOLES_ZERO};
	struct fcp_error without_id;

	memcpy(attributes.id, run->inputs.items[run->inputs.count - 1].attributes.id,
	       sizeof(attributes.id));
	if (!attributes.id[0])
		fcp_attributes_new_id(&attributes, &without_id);
	if (!fcp_attributes_write(run->out.fd, &attributes))
		attributes.id[0] = '\0';
	run->result->attributes = attributes;
}

static int publish_merged(struct merge_run *run, struct fcp_error *err)
{
	struct fcp_file_size size;

	if (fcp_merge_inputs_check(&run->inputs, err) != 0)
		return -1;
	record_merged(run);
	if (fcp_cancelled(run->settings->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%s: interrupted", run->out.host);
	if (fcp_snapshot_publish_one(&run->out, run->settings->force, err) != 0)
		return -1;
	fcp_leftover_unmark(&run->out);
	if (fcp_file_size(run->out.fd, run->out.host, &size, err) != 0)
		return -1;
	run->result->created = true;
	run->result->logical_bytes = size.logical_bytes;
	run->result->allocated_bytes = size.allocated_bytes;
	return 0;
}

static int write_merged(struct merge_run *run, struct fcp_error *err)
{
	const struct fcp_observer *observer = run->settings->observer;
	int ran;

	fcp_phase_begin(observer, "merge", "write");
	ran = fcp_merge_write(run->settings, &run->inputs, &run->out, run->result, err);
	fcp_phase_end(observer, "merge", "write");
	if (ran != 0)
		return -1;
	fcp_phase_begin(observer, "merge", "publish");
	ran = publish_merged(run, err);
	fcp_phase_end(observer, "merge", "publish");
	return ran;
}

static int merge_files(const struct fcp_merge_settings *settings, struct fcp_merge_result *result,
		       struct fcp_error *err)
{
	struct merge_run run = {.settings = settings,
				.result = result,
				.out = FCP_SNAPSHOT_FILE_NONE};
	const struct fcp_step step = fcp_step_begin(settings->observer, "merge");
	int ran = -1;

	*result = (struct fcp_merge_result){
		.layers = fcp_list_new(settings->layer_count, sizeof(**result->layers))};
	result->layer_count = result->layers ? settings->layer_count : 0;
	if (!result->layers)
		fcp_error_nomem(err);
	else if (check_merge_settings(settings, err) == 0 &&
		 fcp_merge_inputs_open(settings, &run.inputs, err) == 0 && open_out(&run, err) == 0)
		ran = write_merged(&run, err);
	fcp_snapshot_file_clear(&run.out);
	fcp_merge_inputs_close(&run.inputs);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_merge(const struct fcp_merge_settings *settings, struct fcp_merge_result *result,
	      struct fcp_error *err)
{
	struct fcp_merge_settings own_settings = FCP_MERGE_SETTINGS_INIT;
	struct fcp_merge_result own = FCP_MERGE_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0 ||
	    fcp_reserved_check(own_settings.reserved, err) != 0)
		return -1;
	ran = merge_files(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_merge_result_clear(&own);
	return ran;
}

void fcp_merge_result_clear(struct fcp_merge_result *result)
{
	struct fcp_merge_result own = FCP_MERGE_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	free(own.layers);
}
