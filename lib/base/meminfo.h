// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_MEMINFO_H
#define FCP_BASE_MEMINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Memory that can be had without swapping (MemAvailable of /proc/meminfo), in bytes; false when it is
 * not told. */
bool fcp_memory_available(uint64_t *bytes_);

#endif
