// SPDX-License-Identifier: Apache-2.0
/*
 * A sign that a memory file is claimed, for those who have not opened it yet: opening it would end
 * the claim (memory/claim.h). A listening Unix socket whose abstract name is the file's device and
 * inode. It says no more than "another fcpause is at it": nothing is kept apart by it, and it is
 * not seen from another network namespace.
 *
 * Why not /proc/locks, which lists leases: to read it the kernel keeps every lock of the host still
 * (percpu_down_write() in fs/locks.c, locks_start()), and waits for an RCU grace period: 6 to 20 ms
 * on an idle host, a multiple of what a scan takes.
 */
#ifndef FCP_MEMORY_CLAIM_SIGN_H
#define FCP_MEMORY_CLAIM_SIGN_H

#include <stdbool.h>
#include <sys/stat.h>

/* Puts the sign up for the file that status is of; -1 when it cannot be had. close(2) takes it
 * down. */
int fcp_claim_sign_show(const struct stat *status);

/*
 * Is there a sign of somebody who may put one up: root, ourselves or the file's owner? false when
 * in doubt.
 */
bool fcp_claim_sign_seen(const struct stat *status);

#endif
