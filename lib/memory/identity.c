// SPDX-License-Identifier: Apache-2.0
#include "memory/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int fcp_identity_read(int fd, const char *name, struct fcp_file_identity *identity_,
		      struct fcp_error *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
	*identity_ = (struct fcp_file_identity){
		.device = status.st_dev,
		.inode = status.st_ino,
		.size_bytes = (uint64_t)status.st_size,
		.mtime_s = status.st_mtim.tv_sec,
		.mtime_ns = (uint32_t)status.st_mtim.tv_nsec,
	};
	return 0;
}

bool fcp_identity_is_known(const struct fcp_file_identity *identity)
{
	return identity->inode != 0;
}

bool fcp_identity_equal(const struct fcp_file_identity *a, const struct fcp_file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
	       a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns;
}

const char *fcp_identity_text(const struct fcp_file_identity *identity,
			      char text_[FCP_IDENTITY_BYTES])
{
	snprintf(text_, FCP_IDENTITY_BYTES,
		 "%" PRIu64 ":%" PRIu64 " %" PRIu64 " %" PRId64 ".%09" PRIu32, identity->device,
		 identity->inode, identity->size_bytes, identity->mtime_s, identity->mtime_ns);
	return text_;
}

/* sscanf() also accepts blanks, signs and numbers that wrap: then the text written back differs. */
bool fcp_identity_parse(const char *text, struct fcp_file_identity *identity_)
{
	struct fcp_file_identity identity = {0};
	char again[FCP_IDENTITY_BYTES];

	if (sscanf(text, "%" SCNu64 ":%" SCNu64 " %" SCNu64 " %" SCNd64 ".%" SCNu32,
		   &identity.device, &identity.inode, &identity.size_bytes, &identity.mtime_s,
		   &identity.mtime_ns) != 5 ||
	    !fcp_identity_is_known(&identity) ||
	    strcmp(fcp_identity_text(&identity, again), text) != 0)
		return false;
	*identity_ = identity;
	return true;
}
