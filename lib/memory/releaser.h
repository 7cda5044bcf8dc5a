// SPDX-License-Identifier: Apache-2.0
/*
 * Releases ranges while others are still being found, in a thread of its own. That pays: most of a
 * punch is the kernel's work on page cache and blocks (and, on some disks, waiting for a discard),
 * and reading the file does not wait for it. More threads do not help: a file takes one punch at a
 * time.
 */
#ifndef FCP_MEMORY_RELEASER_H
#define FCP_MEMORY_RELEASER_H

#include "memory/file.h"

struct fcp_releaser;

/*
 * file is borrowed until fcp_releaser_finish(), which must be called for *releaser_.
 * FCP_ERR_MEMORY. If no thread can be started, _put() does the work itself.
 */
int fcp_releaser_start(const struct fcp_file *file, struct fcp_releaser **releaser_,
		       struct fcp_error *err);

/*
 * Hands over one range; blocks while too many are waiting. Fails with the error of an earlier
 * range, as from fcp_release_range(); nothing more is done then. With a struct fcp_releaser * as
 * arg it is a fcp_zero_sink.
 */
int fcp_releaser_put(uint64_t start, uint64_t end, void *arg, struct fcp_error *err);

/*
 * Ends and frees it, and tells how much was punched. With drop, waiting ranges are left alone: the
 * caller has failed, and *err stays as it is. Fails as _put() does; *done_bytes_ is set even then.
 */
int fcp_releaser_finish(struct fcp_releaser *releaser, bool drop, uint64_t *done_bytes_,
			struct fcp_error *err);

#endif
