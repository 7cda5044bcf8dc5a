// SPDX-License-Identifier: Apache-2.0
/*
 * A sign that a memory file is claimed, for those who have not opened it yet: opening it would end
 * the claim (memory/claim.h). A read lock (fcntl(2), F_OFD_SETLK) on one byte of the directory that
 * the file is in: the byte whose offset is the file's inode number. Every process that reaches the
 * directory sees it, in whatever namespace or container, and the kernel takes it down with the
 * process. It says no more than "another fcpause is at it": nothing is kept apart by it.
 *
 * Whoever can read the directory can set such a lock, so a sign is compared with /proc/locks, which
 * lists leases. Only then: to read it the kernel keeps every lock of the host still
 * (percpu_down_write() in fs/locks.c, locks_start()), and waits for an RCU grace period: 6 to 20 ms
 * on an idle host, a multiple of what a scan takes.
 */
#ifndef FCP_MEMORY_CLAIM_SIGN_H
#define FCP_MEMORY_CLAIM_SIGN_H

#include <stdbool.h>
#include <sys/stat.h>

/* Puts the sign up for the open file fd, whose status it is; -1 when it cannot be had. */
int fcp_claim_sign_show(int fd, const struct stat *status);

/* Takes it down at once, though a forked process may hold a copy of the descriptor. *sign_fd is -1
 * then. */
void fcp_claim_sign_take_down(int *sign_fd);

/* Is there a sign for the file behind path_fd (O_PATH will do)? false when in doubt. */
bool fcp_claim_sign_seen(int path_fd, const struct stat *status);

#endif
