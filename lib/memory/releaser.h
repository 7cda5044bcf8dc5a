// SPDX-License-Identifier: Apache-2.0
/*
 * Releases ranges while more of them are being found: a thread that punches what it is given.
 * It pays: most of a punch is the kernel's work on page cache and blocks (and, on some disks, the
 * wait for a discard), and reading the file does not wait for it. One thread is all that helps: a
 * file takes one punch at a time.
 */
#ifndef FCP_MEMORY_RELEASER_H
#define FCP_MEMORY_RELEASER_H

#include "memory/file.h"

struct fcp_releaser;

/* file is borrowed until the end. *releaser_: fcp_releaser_finish() it. FCP_ERR_MEMORY. Where no
 * thread can be had, _put() does the work itself. */
int fcp_releaser_start(const struct fcp_file *file, struct fcp_releaser **releaser_,
		       struct fcp_error *err);

/* Hands over one range; waits while too many are waiting. Fails with the error of an earlier range
 * as fcp_release_range() gives it: nothing more is done then. A struct fcp_releaser * as arg makes
 * it a fcp_zero_sink. */
int fcp_releaser_put(uint64_t start, uint64_t end, void *arg, struct fcp_error *err);

/*
 * Ends it, frees it, and says how much was punched. With drop, what still waits is left alone: the
 * caller has failed, and *err stays his. Fails as _put() does, *done_bytes_ is set then too.
 */
int fcp_releaser_finish(struct fcp_releaser *releaser, bool drop, uint64_t *done_bytes_,
			struct fcp_error *err);

#endif
