// SPDX-License-Identifier: Apache-2.0
/*
 * Which kernel runs. What a kernel that is gone left in memory (kexec, a crash) can be as whole as
 * on the day it ended: its note, tables, memmap and lists all agree. What it cannot keep is the
 * real-mode trampoline below 640 KiB, which every x86_64 kernel fills in as it boots
 * (arch/x86/realmode/init.c, setup_real_mode(), an early initcall): a page table whose last entry,
 * that of the kernel's image, is the one of the kernel's own page table. So a kernel is alive when
 * the only trampoline is its own.
 *
 * Between the jump into a new kernel and that initcall, memory shows nothing of the new one but its
 * bytes: a guest that is paused in this instant is taken for the old. A crashed kernel says so in
 * its note; see FCP_GUEST_PROOF_NOTE.
 */
#ifndef FCP_GUEST_LIVE_H
#define FCP_GUEST_LIVE_H

#include "guest/kernel.h"

struct fcp_guest_live {
	uint64_t trampoline;   /* GPA of its page table */
	unsigned levels;       /* of it */
	uint64_t kernel_entry; /* GPA of the table that maps the kernel's image */
};

/*
 * *live_ = the running kernel's trampoline. FCP_ERR_UNSUPPORTED: none, those of two kernels, or so
 * many pages that look like one that it could be any. FCP_ERR_IO from the source. What of a layer
 * lies in its base, and the base is not at hand, is passed over: the layer's own is what was written
 * last.
 */
int fcp_guest_live_find(const struct fcp_guest_memory *view, struct fcp_guest_live *live_,
			struct fcp_error *err);

/* Is that kernel the running one? FCP_ERR_UNSUPPORTED when it is not, FCP_ERR_IO. */
int fcp_guest_live_prove(const struct fcp_guest_live *live, struct fcp_guest_kernel *kernel,
			 struct fcp_error *err);

#endif
