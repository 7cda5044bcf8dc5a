// SPDX-License-Identifier: Apache-2.0
/* The files that a VM is to be loaded from. */
#ifndef FCP_STEPS_RESUME_FILES_H
#define FCP_STEPS_RESUME_FILES_H

#include "base/error.h"

/* Their paths for Firecracker; owned. */
struct fcp_resume_files {
	char *snapshot_seen;
	char *memory_seen;
};

/* Do the settings name both files, or none? FCP_ERR_USAGE. */
int fcp_resume_files_check_names(const struct fcp_resume_settings *settings, struct fcp_error *err);

/*
 * Finds both as Firecracker (process pid) sees them, and looks whether they are a state file and a whole memory
 * file. FCP_ERR_INPUT says what is wrong with which; FCP_ERR_IO. *files_ is for
 * fcp_resume_files_clear() in any case.
 */
int fcp_resume_files_find(const struct fcp_resume_settings *settings, pid_t pid,
			  struct fcp_resume_files *files_, struct fcp_error *err);

/* Safe on zeros. */
void fcp_resume_files_clear(struct fcp_resume_files *files);

#endif
