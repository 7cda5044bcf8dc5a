// SPDX-License-Identifier: Apache-2.0
/* The process behind the API socket, as /proc shows it (proc(5)). */
#ifndef FCP_FIRECRACKER_PROCESS_H
#define FCP_FIRECRACKER_PROCESS_H

#include "base/error.h"

/* Resident memory of the process in bytes; false when /proc does not tell. */
bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_);

#endif
