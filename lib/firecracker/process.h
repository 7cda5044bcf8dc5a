// SPDX-License-Identifier: Apache-2.0
/* The process behind the API socket, as /proc shows it (proc(5)). */
#ifndef FCP_FIRECRACKER_PROCESS_H
#define FCP_FIRECRACKER_PROCESS_H

#include "base/error.h"

/* Resident memory of the process in bytes; false when /proc does not tell. */
bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_);

/* Bytes of its anonymous memory that are swapped out (VmSwap); false when /proc does not tell. */
bool fcp_process_swap(pid_t pid, uint64_t *swap_bytes_);

/* Bytes of its anonymous memory, resident or swapped out; false when /proc does not tell. */
bool fcp_process_anonymous(pid_t pid, uint64_t *bytes_);

/* Real user and group; false when /proc does not tell. */
bool fcp_process_owner(pid_t pid, uid_t *uid_, gid_t *gid_);

#define FCP_PROCESS_PATH_BYTES 96

/*
 * The file of the largest private, writable mapping that is of no program or library: where the VM was
 * restored from a file, its memory file. path_ is the link in /proc/PID/map_files, which leads to the
 * file after its name has changed, too; false when there is no such mapping, or /proc does not tell.
 */
bool fcp_process_restored_from(pid_t pid, char path_[FCP_PROCESS_PATH_BYTES]);

#endif
