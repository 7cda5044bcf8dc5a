// SPDX-License-Identifier: Apache-2.0
/*
 * The last good answer of a flag service, in a file: {"schema": "fcpause/flags-cache/1", "source",
 * "context", "time", "answer"}, 0600.
 */
#ifndef FCP_FLAGS_CACHE_H
#define FCP_FLAGS_CACHE_H

#include "base/error.h"

struct fcp_flags_cache {
	const char *path;
	const char
		*source; /* the service's URL, and what it was asked with: an answer to another */
	const char *context; /* question is not used */
};

#define FCP_FLAGS_TIME_BYTES 32

/*
 * The answer's text, owned; NULL with *err: FCP_ERR_INPUT for a file that another user can write,
 * or that holds no answer to this question; FCP_ERR_IO. time: when it was given,
 * "2026-11-25T10:30:18Z".
 */
char *fcp_flags_cache_read(const struct fcp_flags_cache *cache, char time[FCP_FLAGS_TIME_BYTES],
			   struct fcp_error *err);

/* Replaces the file whole or not at all. */
int fcp_flags_cache_write(const struct fcp_flags_cache *cache, const char *answer,
			  struct fcp_error *err);

#endif
