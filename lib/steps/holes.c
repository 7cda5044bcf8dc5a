// SPDX-License-Identifier: Apache-2.0
#include "steps/holes.h"

#include "memory/attributes.h"

#include <unistd.h>

int fcp_holes_decide(const struct fcp_file *file, enum fcp_holes specified,
		     struct fcp_file_attributes *attributes_, bool *contradicts_,
		     struct fcp_error *err)
{
	struct fcp_file_attributes attributes;

	fcp_attributes_read(file->fd, &attributes);
	*contradicts_ = specified != FCP_HOLES_UNSPECIFIED &&
			attributes.holes != FCP_HOLES_UNSPECIFIED && specified != attributes.holes;
	if (*contradicts_ && attributes.holes == FCP_HOLES_BASE)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"%.200s is recorded as a Diff layer (user.fcpause.holes is base): "
			"a hole in it is the base's bytes, not zeros",
			file->name);
	if (specified != FCP_HOLES_UNSPECIFIED)
		attributes.holes = specified;
	*attributes_ = attributes;
	return 0;
}

bool fcp_holes_exist(const struct fcp_file *file, uint64_t size_bytes)
{
	off_t hole = lseek(file->fd, 0, SEEK_HOLE);

	return hole >= 0 && (uint64_t)hole < size_bytes;
}
