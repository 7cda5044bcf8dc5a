// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's log: the records that printk() left in its ring (kernel/printk/printk_ringbuffer.c,
 * since 5.10). A ring of descriptors says where in a ring of text each record lies, and each text
 * begins with its descriptor's number: a log of which parts were overwritten by others shows it.
 */
#ifndef FCP_GUEST_KERNEL_KERNEL_LOG_H
#define FCP_GUEST_KERNEL_KERNEL_LOG_H

#include "guest/kernel/kernel.h"

/* Called with each record's text, which is not NUL-terminated, the newest first. */
typedef void fcp_guest_log_seen(void *context, const char *text, size_t bytes);

/*
 * Shows the records, those of the newest 1 MiB of text at most. FCP_ERR_UNSUPPORTED: the note does
 * not say where the log is, it cannot be read, or a record is damaged. FCP_ERR_IO, FCP_ERR_MEMORY.
 */
int fcp_guest_log_read(struct fcp_guest_kernel *kernel, fcp_guest_log_seen *seen, void *context,
		       struct fcp_error *err);

#endif
