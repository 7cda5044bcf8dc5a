// SPDX-License-Identifier: Apache-2.0
#include "steps/merge_inputs.h"

#include "memory/attributes.h"
#include "memory/identity.h"
#include "memory/in_use.h"
#include "steps/memory_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A VM that runs from it only reads; who has it open for writing may be at it. */
static int check_unwritten(const struct fcp_merge_input *input, struct fcp_error *err)
{
	struct fcp_in_use use;

	if (fcp_in_use_find(input->file.fd, &use, err) != 0)
		return -1;
	return use.how == FCP_IN_USE_WRITER ? fcp_in_use_error(&use, input->file.name, err) : 0;
}

static int open_input(struct fcp_merge_input *input, struct fcp_error *err)
{
	int taken;

	if (fcp_memory_file_open(&input->file, false, &input->bytes, err) != 0)
		return -1;
	taken = fcp_claim_take(input->file.fd, input->file.name, FCP_CLAIM_READ, &input->claim, err);
	if (taken != 0 || check_unwritten(input, err) != 0 ||
	    fcp_identity_read(input->file.fd, input->file.name, &input->identity, err) != 0)
		return -1;
	fcp_attributes_read(input->file.fd, &input->attributes);
	return 0;
}

/* ---- do they belong together? ---- */

static int check_different(const struct fcp_merge_inputs *inputs, size_t at, struct fcp_error *err)
{
	const struct fcp_file_identity *own = &inputs->items[at].identity;

	for (size_t i = 0; i < at; i++)
		if (inputs->items[i].identity.inode == own->inode &&
		    inputs->items[i].identity.device == own->device)
			return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s and %.200s are one file",
					     inputs->items[i].file.name, inputs->items[at].file.name);
	return 0;
}

static int check_base(const struct fcp_merge_input *base, struct fcp_error *err)
{
	if (base->attributes.holes != FCP_HOLES_BASE)
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: the base is a layer itself", base->file.name);
}

/* By the ids; below is the base, or the layer before. */
static int check_link(const struct fcp_merge_input *below, const struct fcp_merge_input *layer,
		      bool any_base, struct fcp_error *err)
{
	const char *is = below->attributes.id, *wanted = layer->attributes.base;

	if (wanted[0] && is[0] && strcmp(wanted, is) == 0)
		return 0;
	if (wanted[0] && is[0])
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s is a layer of memory %s, and %.200s is memory %s: another base, "
				     "or a layer between them is missing",
				     layer->file.name, wanted, below->file.name, is);
	if (any_base)
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0,
			     "whether %.200s is a layer of %.200s is not recorded with %s", layer->file.name,
			     below->file.name, wanted[0] ? "the second" : "the first");
}

static int check_layer(const struct fcp_merge_inputs *inputs, size_t at, bool any_base,
		       struct fcp_error *err)
{
	const struct fcp_merge_input *layer = &inputs->items[at], *base = &inputs->items[0];

	if (layer->bytes != base->bytes)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s has %llu bytes, and the base %llu: it is no layer of it",
				     layer->file.name, (unsigned long long)layer->bytes,
				     (unsigned long long)base->bytes);
	if (layer->attributes.holes == FCP_HOLES_ZERO)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s is a whole memory file, no layer", layer->file.name);
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
		inputs_->items[i].file = (struct fcp_file){
			.fd = -1,
			.name = i == 0 ? settings->base : settings->layers[i - 1],
			.cancel_fd = settings->cancel_fd,
		};
	for (size_t i = 0; i < count; i++) {
		if (open_input(&inputs_->items[i], err) != 0 || check_different(inputs_, i, err) != 0)
			return -1;
		if ((i == 0 ? check_base(inputs_->items, err)
			    : check_layer(inputs_, i, settings->any_base, err)) != 0)
			return -1;
	}
	return 0;
}

int fcp_merge_inputs_check(const struct fcp_merge_inputs *inputs, struct fcp_error *err)
{
	for (size_t i = 0; i < inputs->count; i++) {
		const struct fcp_merge_input *input = &inputs->items[i];
		struct fcp_file_identity now;

		if (fcp_identity_read(input->file.fd, input->file.name, &now, err) != 0)
			return -1;
		if (!fcp_identity_equal(&now, &input->identity))
			return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: it has been changed meanwhile",
					     input->file.name);
	}
	return 0;
}

void fcp_merge_inputs_close(struct fcp_merge_inputs *inputs)
{
	for (size_t i = 0; inputs->items && i < inputs->count; i++) {
		struct fcp_merge_input *input = &inputs->items[i];

		if (input->file.fd < 0)
			continue;
		fcp_claim_release(&input->claim);
		close(input->file.fd);
	}
	free(inputs->items);
	*inputs = (struct fcp_merge_inputs){0};
}
