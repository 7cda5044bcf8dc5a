// SPDX-License-Identifier: Apache-2.0
/* The files to load a VM from. */
#ifndef FCP_STEPS_RESUME_FILES_H
#define FCP_STEPS_RESUME_FILES_H

#include "base/error.h"

/* Their paths for Firecracker; owned. */
struct fcp_resume_files {
	char *snapshot_seen;
	char *memory_seen;
};

/* Do the settings name both files or neither? FCP_ERR_USAGE. */
int fcp_resume_files_check_names(const struct fcp_resume_settings *settings, struct fcp_error *err);

/*
 * Finds both as Firecracker (process pid) sees them, and checks that they are a state file and a
 * whole memory file. FCP_ERR_INPUT says what is wrong with which; FCP_ERR_IO. Call
 * fcp_resume_files_clear() on *files_ in any case.
 */
int fcp_resume_files_find(const struct fcp_resume_settings *settings, pid_t pid,
			  struct fcp_resume_files *files_, struct fcp_error *err);

/* Safe on a zeroed struct. */
void fcp_resume_files_clear(struct fcp_resume_files *files);

#endif
