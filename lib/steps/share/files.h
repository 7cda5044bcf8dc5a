// SPDX-License-Identifier: Apache-2.0
/* The files that somebody names to share storage with. */
#ifndef FCP_STEPS_SHARE_FILES_H
#define FCP_STEPS_SHARE_FILES_H

#include "memory/share/share.h"

/* Zero-initialise it; for fcp_share_files_close(). */
struct fcp_share_files {
	int fds[FCP_SHARES_MAX];
	const char *const *names; /* borrowed */
	size_t count;
};

/*
 * Opens them for reading. FCP_ERR_INPUT: not a regular file, two that are one; FCP_ERR_USAGE: too many;
 * FCP_ERR_LOCKED, FCP_ERR_IO. *files_ is to be closed in any case.
 */
int fcp_share_files_open(const char *const *names, size_t count, struct fcp_share_files *files_,
			 struct fcp_error *err);

/* Is the file behind fd one of them? */
bool fcp_share_files_have(const struct fcp_share_files *files, int fd);

/* fcp_share_add() for each of them, which must stay open until they are frozen; directory: of the file that
 * is to share with them. */
int fcp_share_files_add(const struct fcp_share_files *files, int directory, int cancel_fd,
			struct fcp_share_set *set, struct fcp_error *err);

/* Writes into text_ what cannot, or could not, be shared with, and why; "" where all could be. */
void fcp_share_files_doubt(const struct fcp_share_set *set, char *text_, size_t bytes);

/* As the set has them, into reports_ of FCP_SHARE_SOURCES_MAX. Returns how many. */
size_t fcp_share_files_report(const struct fcp_share_set *set, struct fcp_share_report *reports_);

void fcp_share_files_close(struct fcp_share_files *files);

#endif
