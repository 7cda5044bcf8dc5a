// SPDX-License-Identifier: Apache-2.0
/*
 * The process behind the API socket, from /proc (proc(5)). All return false if /proc does not tell.
 */
#ifndef FCP_FIRECRACKER_PROCESS_H
#define FCP_FIRECRACKER_PROCESS_H

#include "base/error.h"

/* Resident memory of the process, in bytes. */
bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_);

/* Bytes of its anonymous memory that are swapped out (VmSwap). */
bool fcp_process_swap(pid_t pid, uint64_t *swap_bytes_);

/* Bytes of its anonymous memory, resident or swapped out. */
bool fcp_process_anonymous(pid_t pid, uint64_t *bytes_);

/* Real user and group. */
bool fcp_process_owner(pid_t pid, uid_t *uid_, gid_t *gid_);

#define FCP_PROCESS_PATH_BYTES 96

/*
 * The file of the largest private writable mapping that is not a program's or library's: of a VM
 * restored from a file, its memory file. path_ is the link in /proc/PID/map_files, which leads to
 * the file even after it was renamed. false if there is no such mapping.
 */
bool fcp_process_restored_from(pid_t pid, char path_[FCP_PROCESS_PATH_BYTES]);

#endif
