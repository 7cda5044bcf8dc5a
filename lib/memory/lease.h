// SPDX-License-Identifier: Apache-2.0
/*
 * Leases (fcntl(2), F_SETLEASE). A write lease: nobody else has the file open, or waits until we give way.
 * A read lease: nobody has it open for writing, or waits.
 */
#ifndef FCP_MEMORY_LEASE_H
#define FCP_MEMORY_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * true: nobody else on this host has the file open, in any namespace. Else errno says why: EAGAIN
 * when somebody has, another where no lease can be had (another user's file, a file system without).
 */
bool fcp_lease_take(int fd);

/* The same, tried for some milliseconds: another fcpause can have it open for an instant. */
bool fcp_lease_take_patiently(int fd);

/* A read lease: nobody can write the file. fd is open for reading only. */
bool fcp_lease_take_reading(int fd);

void fcp_lease_drop(int fd);

/* Is it still ours, and does nobody wait for it? Once lost, it is not had again without asking. */
bool fcp_lease_is_held(int fd);
bool fcp_lease_is_held_reading(int fd);

/*
 * Does a lease on this file also mean that nobody maps it? On overlayfs a mapping belongs to the
 * layer below, of which the lease knows nothing.
 */
bool fcp_lease_counts_mappings(int fd);

/* How long the kernel lets an opener wait before it ends the lease by force: lease-break-time. */
uint64_t fcp_lease_break_ns(void);

#endif
