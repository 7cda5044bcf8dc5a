// SPDX-License-Identifier: Apache-2.0
/* The root file system's freeze, by envd's call or by fsfreeze(8), and what undoes a freeze. */
#ifndef FCP_STEPS_QUIESCE_THAW_H
#define FCP_STEPS_QUIESCE_THAW_H

#include "envd/process.h"

/*
 * By POST /fsfreeze; where envd has no such call, by fsfreeze(8) in the guest (*by_exec_). Takes
 * the guest's timeout_ms and cancel_fd. FCP_ERR_UNSUPPORTED: there is neither, and nothing is
 * frozen.
 */
int fcp_fs_freeze(const struct fcp_guest_command *guest, bool *by_exec_, struct fcp_error *err);

struct fcp_thaw {
	bool by_exec;
	bool is_certain; /* that it is frozen: else fsfreeze(8) may fail for want of a freeze */
};

/* Both try for 10 s, and are not interrupted; the error says what to do by hand. */
int fcp_fs_thaw(const struct fcp_guest_command *guest, const struct fcp_thaw *thaw,
		struct fcp_error *err);
int fcp_unfreeze(const struct fcp_guest_command *guest, struct fcp_error *err);

#endif
