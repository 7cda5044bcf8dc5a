// SPDX-License-Identifier: Apache-2.0
/* Between guest/arch/arm64*.c only. */
#ifndef FCP_GUEST_ARCH_ARM64_H
#define FCP_GUEST_ARCH_ARM64_H

#include "guest/kernel/kernel.h"

/* Firecracker puts the device tree this far before the end of the first region (layout.rs,
 * FDT_MAX_SIZE; mod.rs, get_fdt_addr()). */
#define FCP_ARM64_FDT_BYTES_MAX (UINT64_C(2) << 20)
#define FCP_ARM64_FDT_MAGIC "\xd0\x0d\xfe\xed"

/* arm64_running.c */
int fcp_arm64_find_running(const struct fcp_guest_memory *view, struct fcp_guest_running *running_,
			   struct fcp_error *err);
int fcp_arm64_prove_running(const struct fcp_guest_running *running,
			    struct fcp_guest_kernel *kernel, struct fcp_error *err);

/* arm64_boot.c */
struct fcp_range fcp_arm64_boot_data(const struct fcp_guest_memory *memory);
bool fcp_arm64_command_line(const struct fcp_guest_memory *memory,
			    char line_[FCP_GUEST_COMMAND_LINE_MAX + 1]);

#endif
