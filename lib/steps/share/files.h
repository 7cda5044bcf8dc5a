// SPDX-License-Identifier: Apache-2.0
/* The files named to share storage with. */
#ifndef FCP_STEPS_SHARE_FILES_H
#define FCP_STEPS_SHARE_FILES_H

#include "memory/share/share.h"

/* Zero-initialise it; close with fcp_share_files_close(). */
struct fcp_share_files {
	int fds[FCP_SHARES_MAX];
	const char *const *names; /* borrowed */
	size_t count;
};

/*
 * Opens them for reading. FCP_ERR_INPUT: not a regular file, or one is named twice; FCP_ERR_USAGE:
 * too many; FCP_ERR_LOCKED, FCP_ERR_IO. Close *files_ in any case.
 */
int fcp_share_files_open(const char *const *names, size_t count, struct fcp_share_files *files_,
			 struct fcp_error *err);

/* Does fd refer to one of them? */
bool fcp_share_files_have(const struct fcp_share_files *files, int fd);

/*
 * Calls fcp_share_add() for each. They must stay open until they are frozen. directory: that of the
 * file that is to share with them.
 */
int fcp_share_files_add(const struct fcp_share_files *files, int directory, int cancel_fd,
			struct fcp_share_set *set, struct fcp_error *err);

/*
 * Writes which files cannot, or could not, be shared with, and why, into text_; "" if there are
 * none.
 */
void fcp_share_files_doubt(const struct fcp_share_set *set, char *text_, size_t bytes);

/* A report for each of set->count files, to be freed with free(3). NULL: out of memory. */
struct fcp_share_report **fcp_share_files_report(const struct fcp_share_set *set);

void fcp_share_files_close(struct fcp_share_files *files);

#endif
