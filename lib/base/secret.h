// SPDX-License-Identifier: Apache-2.0
/* Secrets in files: envd's token, a flag service's key. */
#ifndef FCP_BASE_SECRET_H
#define FCP_BASE_SECRET_H

#include "base/error.h"

/*
 * Reads the first line of the file at path into text, which has room for `bytes` characters and a
 * NUL (a line that fills it is too long); what names the file in messages ("token file"). A regular
 * file must belong to root or to us and be readable by its owner only. Others, such as a FIFO or a
 * shell's <(...), may belong to anyone; they are waited for, at most 10 s. FCP_ERR_INPUT: the file
 * is open to others, or the line is empty, too long, or not valid in an HTTP header; FCP_ERR_IO;
 * FCP_ERR_INTERRUPTED. The message never contains the secret; after a failure, nor does text.
 */
int fcp_secret_read(const char *path, const char *what, int cancel_fd, char *text, size_t bytes,
		    struct fcp_error *err);

#endif
