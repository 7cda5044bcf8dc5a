// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_MEMINFO_H
#define FCP_BASE_MEMINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Memory available without swapping (MemAvailable in /proc/meminfo), in bytes; false if unknown. */
bool fcp_memory_available(uint64_t *bytes_);

#endif
