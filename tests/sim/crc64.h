// SPDX-License-Identifier: Apache-2.0
/* CRC-64 as Firecracker puts it behind its state file (crate crc64: Jones, reflected, from 0). */
#ifndef SIM_CRC64_H
#define SIM_CRC64_H

#include <stddef.h>
#include <stdint.h>

uint64_t crc64(uint64_t crc, const void *data, size_t len);

#endif
