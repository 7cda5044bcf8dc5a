// SPDX-License-Identifier: Apache-2.0
#include "steps/input_file.h"

#include "memory/attributes.h"
#include "memory/identity.h"
#include "memory/in_use.h"
#include "steps/memory_file.h"

#include <unistd.h>

/* A VM that runs from it only reads; a process with a descriptor for writing may be writing. */
static int check_unwritten(const struct fcp_input_file *input, struct fcp_error *err)
{
	struct fcp_in_use use;

	if (fcp_in_use_find(input->file.fd, &use, err) != 0)
		return -1;
	return use.how == FCP_IN_USE_WRITER ? fcp_in_use_error(&use, input->file.name, err) : 0;
}

int fcp_input_file_open(const char *path, int cancel_fd, struct fcp_input_file *input_,
			struct fcp_error *err)
{
	int taken;

	*input_ = (struct fcp_input_file)FCP_INPUT_FILE_NONE;
	input_->file.name = path;
	input_->file.cancel_fd = cancel_fd;
	if (fcp_memory_file_open(&input_->file, false, &input_->bytes, err) != 0)
		return -1;
	taken = fcp_claim_take(input_->file.fd, path, FCP_CLAIM_READ, &input_->claim, err);
	input_->file.claim = &input_->claim;
	if (taken != 0 || check_unwritten(input_, err) != 0 ||
	    fcp_identity_read(input_->file.fd, path, &input_->identity, err) != 0)
		return -1;
	fcp_attributes_read(input_->file.fd, &input_->attributes);
	return 0;
}

int fcp_input_file_check(const struct fcp_input_file *input, struct fcp_error *err)
{
	struct fcp_file_identity now;

	if (fcp_identity_read(input->file.fd, input->file.name, &now, err) != 0)
		return -1;
	if (!fcp_identity_equal(&now, &input->identity))
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: it was changed in the meantime",
				     input->file.name);
	return 0;
}

void fcp_input_file_close(struct fcp_input_file *input)
{
	if (input->file.claim)
		fcp_claim_release(&input->claim);
	if (input->file.fd >= 0)
		close(input->file.fd);
	input->file.fd = -1;
	input->file.claim = NULL;
}

int fcp_input_file_check_whole(const struct fcp_input_file *base, struct fcp_error *err)
{
	if (base->attributes.holes != FCP_HOLES_BASE)
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: the base is a layer itself",
			     base->file.name);
}
