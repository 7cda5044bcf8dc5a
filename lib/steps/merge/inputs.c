// SPDX-License-Identifier: Apache-2.0
#include "steps/merge/inputs.h"

#include "memory/attributes.h"

#include <stdlib.h>

/* ---- do they belong together? ---- */

static int check_different(const struct fcp_merge_inputs *inputs, size_t at, struct fcp_error *err)
{
	const struct fcp_file_identity *own = &inputs->items[at].identity;

	for (size_t i = 0; i < at; i++)
		if (inputs->items[i].identity.inode == own->inode &&
		    inputs->items[i].identity.device == own->device)
			return fcp_error_set(err, FCP_ERR_INPUT, 0,
					     "%.200s and %.200s are the same file",
					     inputs->items[i].file.name,
					     inputs->items[at].file.name);
	return 0;
}

/* Compares ids; below is the base or the previous layer. */
static int check_link(const struct fcp_input_file *below, const struct fcp_input_file *layer,
		      bool any_base, struct fcp_error *err)
{
	const char *is = below->attributes.id, *wanted = layer->attributes.base;
	enum fcp_lineage lineage = fcp_attributes_lineage(&below->attributes, &layer->attributes);

	if (lineage == FCP_LINEAGE_FITS)
		return 0;
	if (lineage == FCP_LINEAGE_OTHER)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%.200s is a layer of memory %s, and %.200s is memory %s: another base, "
			"or a layer between them is missing",
			layer->file.name, wanted, below->file.name, is);
	if (any_base)
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0,
			     "whether %.200s is a layer of %.200s is not recorded with %s",
			     layer->file.name, below->file.name,
			     wanted[0] ? "the second" : "the first");
}

static int check_layer(const struct fcp_merge_inputs *inputs, size_t at, bool any_base,
		       struct fcp_error *err)
{
	const struct fcp_input_file *layer = &inputs->items[at], *base = &inputs->items[0];

	if (layer->bytes != base->bytes)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%.200s has %llu bytes, and the base %llu: it is not a layer of it",
			layer->file.name, (unsigned long long)layer->bytes,
			(unsigned long long)base->bytes);
	if (layer->attributes.holes == FCP_HOLES_ZERO)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s is a whole memory file, not a "
				     "layer",
				     layer->file.name);
	return check_link(layer - 1, layer, any_base, err);
}

int fcp_merge_inputs_open(const struct fcp_merge_settings *settings,
			  struct fcp_merge_inputs *inputs_, struct fcp_error *err)
{
	size_t count = settings->layer_count + 1;

	*inputs_ = (struct fcp_merge_inputs){calloc(count, sizeof(*inputs_->items)), count};
	if (!inputs_->items)
		return fcp_error_nomem(err);
	for (size_t i = 0; i < count; i++)
		inputs_->items[i] = (struct fcp_input_file)FCP_INPUT_FILE_NONE;
	for (size_t i = 0; i < count; i++) {
		const char *path = i == 0 ? settings->base : settings->layers[i - 1];

		if (fcp_input_file_open(path, settings->cancel_fd, &inputs_->items[i], err) != 0 ||
		    check_different(inputs_, i, err) != 0)
			return -1;
		if ((i == 0 ? fcp_input_file_check_whole(inputs_->items, err)
			    : check_layer(inputs_, i, settings->any_base, err)) != 0)
			return -1;
	}
	return 0;
}

int fcp_merge_inputs_check(const struct fcp_merge_inputs *inputs, struct fcp_error *err)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (fcp_input_file_check(&inputs->items[i], err) != 0)
			return -1;
	return 0;
}

void fcp_merge_inputs_close(struct fcp_merge_inputs *inputs)
{
	for (size_t i = 0; inputs->items && i < inputs->count; i++)
		fcp_input_file_close(&inputs->items[i]);
	free(inputs->items);
	*inputs = (struct fcp_merge_inputs){0};
}
