// SPDX-License-Identifier: Apache-2.0
/* The state file of a snapshot: devices and vCPUs, in Firecracker's own format. */
#ifndef FCP_FIRECRACKER_STATE_FILE_H
#define FCP_FIRECRACKER_STATE_FILE_H

#include "base/error.h"

/* CRC-64/Jones of data, continued from crc (at first 0). */
uint64_t fcp_crc64(uint64_t crc, const void *data, size_t bytes);

/*
 * Is the file behind fd a complete state file? It begins with Firecracker's magic number (at offset
 * 0, or after one byte since 1.16), and its last 8 bytes are the CRC-64 of everything before them.
 * fd's offset is not used; name is for messages. FCP_ERR_PROTOCOL says what is wrong; FCP_ERR_IO.
 * Source: src/vmm/src/snapshot/mod.rs of Firecracker 1.10 to 1.16.
 */
int fcp_state_file_check(int fd, const char *name, struct fcp_error *err);

#endif
