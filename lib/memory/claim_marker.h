// SPDX-License-Identifier: Apache-2.0
/*
 * Marks a memory file as claimed, for processes that have not opened it yet: opening it would end
 * the claim (memory/claim.h). The marker is a read lock (fcntl(2), F_OFD_SETLK) on one byte of the
 * directory that holds the file, at the offset of the file's inode number. Every process that can
 * reach the directory sees it, in any namespace or container, and the kernel removes it with the
 * process. It only says "another fcpause is using it"; it excludes nobody.
 *
 * Anyone who can read the directory can set such a lock, so a marker is checked against
 * /proc/locks, which lists leases. /proc/locks is read only then: while it is read, the kernel
 * blocks all lock changes on the host (percpu_down_write() in fs/locks.c, locks_start()) and waits
 * for an RCU grace period: 6 to 20 ms on an idle host, several times as long as a scan.
 */
#ifndef FCP_MEMORY_CLAIM_MARKER_H
#define FCP_MEMORY_CLAIM_MARKER_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Marks the open file fd, whose status is given. Returns the marker, a descriptor; -1: not
 * possible.
 */
int fcp_claim_marker_set(int fd, const struct stat *status);

/*
 * Removes the marker at once, even if a forked process holds a copy of the descriptor; *marker_fd
 * is then -1.
 */
void fcp_claim_marker_clear(int *marker_fd);

/* Is the file behind path_fd (O_PATH will do) marked? false when in doubt. */
bool fcp_claim_marker_is_set(int path_fd, const struct stat *status);

#endif
