// SPDX-License-Identifier: Apache-2.0
/* Which file, and in which state, a list of ranges was made of. */
#ifndef FCP_MEMORY_IDENTITY_H
#define FCP_MEMORY_IDENTITY_H

#include "base/error.h"

#define FCP_IDENTITY_BYTES 96

/* From fstat(2). name is for the message. FCP_ERR_IO only. */
int fcp_identity_read(int fd, const char *name, struct fcp_file_identity *identity_,
		      struct fcp_error *err);

bool fcp_identity_is_known(const struct fcp_file_identity *identity);

bool fcp_identity_equal(const struct fcp_file_identity *a, const struct fcp_file_identity *b);

/*
 * "DEVICE:INODE SIZE SECONDS.NANOSECONDS", decimal: `stat -c '%d:%i %s %.9Y' FILE`. Returns text_.
 */
const char *fcp_identity_text(const struct fcp_file_identity *identity,
			      char text_[FCP_IDENTITY_BYTES]);

/* The reverse; false for any other text. */
bool fcp_identity_parse(const char *text, struct fcp_file_identity *identity_);

#endif
