// SPDX-License-Identifier: Apache-2.0
/*
 * Leases (fcntl(2), F_SETLEASE). With a write lease nobody else has the file open; with a read
 * lease nobody has it open for writing. Those who try wait until we give way.
 */
#ifndef FCP_MEMORY_LEASE_H
#define FCP_MEMORY_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * true: nobody else on this host has the file open, in any namespace. Else errno: EAGAIN if
 * somebody has; another if no lease can be taken (another user's file, a file system without
 * leases).
 */
bool fcp_lease_take(int fd);

/* The same, retried for some milliseconds: another fcpause may have it open for a moment. */
bool fcp_lease_take_patiently(int fd);

/* A read lease: nobody can write the file. fd must be open for reading only. */
bool fcp_lease_take_reading(int fd);

void fcp_lease_drop(int fd);

/* Is it still ours, and nobody waiting? Once lost, it must be taken again. */
bool fcp_lease_is_held(int fd);
bool fcp_lease_is_held_reading(int fd);

/*
 * Does a lease on this file also exclude mappings? On overlayfs a mapping belongs to the lower
 * layer, which the lease does not cover.
 */
bool fcp_lease_counts_mappings(int fd);

/* How long an opener waits until the kernel breaks the lease: lease-break-time. */
uint64_t fcp_lease_break_ns(void);

#endif
