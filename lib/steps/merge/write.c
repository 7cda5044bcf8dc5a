// SPDX-License-Identifier: Apache-2.0
#include "steps/merge/write.h"

#include "base/cleanup.h"
#include "base/meter.h"
#include "base/observer.h"
#include "memory/clone.h"
#include "memory/overlay.h"
#include "memory/range.h"
#include "memory/sparse.h"

#include <stdlib.h>

struct merge_write_run {
	const struct fcp_merge_settings *settings;
	const struct fcp_merge_inputs *inputs;
	const struct fcp_snapshot_file *out;
	struct fcp_merge_result *result;
	bool reflinked;		 /* out began as a clone of the base */
	struct fcp_ranges *data; /* of each input, the parts that are not holes */
	struct fcp_ranges over;	 /* the data of all layers */
	struct fcp_ranges base;	 /* the base's data to copy: what no layer covers */
	struct fcp_meter meter;
};

/* ---- what to do ---- */

static int add_data(struct fcp_ranges *all, const struct fcp_ranges *data, struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges both = {0};

	if (fcp_ranges_union(all, data, &both, err) != 0)
		return -1;
	fcp_ranges_clear(all);
	*all = both;
	both = (struct fcp_ranges){0};
	return 0;
}

static int find_work(struct merge_write_run *run, struct fcp_error *err)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < run->inputs->count; i++) {
		const struct fcp_input_file *input = &run->inputs->items[i];

		if (fcp_sparse_data(input->file.fd, input->file.name, input->bytes, &run->data[i],
				    err) != 0)
			return -1;
		if (i == 0)
			continue;
		if (add_data(&run->over, &run->data[i], err) != 0)
			return -1;
		bytes += fcp_ranges_bytes(&run->data[i]);
	}
	if (!run->reflinked && fcp_ranges_subtract(&run->data[0], &run->over, &run->base, err) != 0)
		return -1;
	run->meter = (struct fcp_meter){run->settings->observer,
					{.step = "merge",
					 .total_bytes = bytes + fcp_ranges_bytes(&run->base)}};
	return 0;
}

/* For the layer with that index among the inputs. */
static struct fcp_overlay_apply apply_of(struct merge_write_run *run, size_t number)
{
	const struct fcp_input_file *layer = &run->inputs->items[number];

	return (struct fcp_overlay_apply){.layer_fd = layer->file.fd,
					  .layer = layer->file.name,
					  .data = &run->data[number],
					  .out_fd = run->out->fd,
					  .out = run->out->host,
					  .meter = &run->meter,
					  .cancel_fd = run->settings->cancel_fd};
}

/* For what cannot share storage. */
static int check_merge_room(struct merge_write_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges copied = {0};

	if (add_data(&copied, &run->base, err) != 0)
		return -1;
	for (size_t i = 1; i < run->inputs->count; i++) {
		const struct fcp_overlay_apply apply = apply_of(run, i);

		if (!fcp_overlay_can_share(&apply) && add_data(&copied, apply.data, err) != 0)
			return -1;
	}
	return fcp_snapshot_file_room(run->out, fcp_ranges_bytes(&copied), err);
}

/* ---- the contents ---- */

static int put_base(struct merge_write_run *run, struct fcp_error *err)
{
	const struct fcp_input_file *base = &run->inputs->items[0];
	const struct fcp_clone_settings settings = {.from = base->file.fd,
						    .to = run->out->fd,
						    .name = run->out->host,
						    .bytes = base->bytes,
						    .cancel_fd = run->settings->cancel_fd,
						    .meter = &run->meter};

	if (run->reflinked) {
		run->result->base_cloned_bytes = fcp_ranges_bytes(&run->data[0]);
		return 0;
	}
	if (fcp_clone_copy(&settings, &run->base, err) != 0)
		return -1;
	run->result->base_copied_bytes = fcp_ranges_bytes(&run->base);
	return 0;
}

static int put_layer(struct merge_write_run *run, size_t number, struct fcp_merge_layer *became_,
		     struct fcp_error *err)
{
	const struct fcp_overlay_apply apply = apply_of(run, number);
	struct fcp_overlay_applied applied;

	if (fcp_overlay_apply(&apply, &applied, err) != 0)
		return -1;
	fcp_log_debug(run->settings->observer, "merge", "%s: %llu bytes of data, %llu cloned",
		      run->settings->layers[number - 1], (unsigned long long)applied.data_bytes,
		      (unsigned long long)applied.cloned_bytes);
	*became_ = (struct fcp_merge_layer){applied.data_bytes, applied.cloned_bytes,
					    applied.copied_bytes, applied.zero_bytes};
	return 0;
}

static int put_all(struct merge_write_run *run, struct fcp_error *err)
{
	if (find_work(run, err) != 0 || check_merge_room(run, err) != 0 || put_base(run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->settings->layer_count; i++)
		if (put_layer(run, i + 1, run->result->layers[i], err) != 0)
			return -1;
	return 0;
}

int fcp_merge_write(const struct fcp_merge_settings *settings,
		    const struct fcp_merge_inputs *inputs, const struct fcp_snapshot_file *out,
		    struct fcp_merge_result *result, struct fcp_error *err)
{
	struct merge_write_run run = {.settings = settings,
				      .inputs = inputs,
				      .out = out,
				      .result = result,
				      .data = calloc(inputs->count, sizeof(*run.data)),
				      .reflinked =
					      fcp_clone_reflink(inputs->items[0].file.fd, out->fd)};
	int put = run.data ? put_all(&run, err) : fcp_error_nomem(err);

	for (size_t i = 0; run.data && i < inputs->count; i++)
		fcp_ranges_clear(&run.data[i]);
	free(run.data);
	fcp_ranges_clear(&run.over);
	fcp_ranges_clear(&run.base);
	return put;
}
