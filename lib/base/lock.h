// SPDX-License-Identifier: Apache-2.0
/*
 * Locks between runs of fcpause on one host: an abstract Unix socket (unix(7)) by the lock's name.
 * It leaves nothing in a file system, and goes with the process that holds it, however that ends.
 * (Runs in different network namespaces do not see each other's.)
 */
#ifndef FCP_BASE_LOCK_H
#define FCP_BASE_LOCK_H

#include "base/error.h"

#include <sys/stat.h>

/*
 * Takes the lock of the thing behind status (its device and inode) and name (any text, "" for
 * none). *fd_ holds it until it is closed. FCP_ERR_BUSY when another run has it: the message is
 * "WHAT: another fcpause works on it".
 */
int fcp_lock_take(const struct stat *status, const char *name, const char *what, int *fd_,
		  struct fcp_error *err);

#endif
