// SPDX-License-Identifier: Apache-2.0
/*
 * Scope-bound cleanup: `FCP_CLEANUP(fd) int fd = -1;` closes fd when the scope ends. Every cleaner
 * is NULL- and -1-safe and preserves errno. Ownership leaves a scope only through a steal.
 * Restoring the VM's state (resuming it, stopping hinting) is never done here: it can fail, and
 * needs an error of its own.
 */
#ifndef FCP_BASE_CLEANUP_H
#define FCP_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FCP_CLEANUP(kind) __attribute__((cleanup(fcp_cleanup_##kind)))

static inline void fcp_cleanup_free(void *pointer)
{
	int saved = errno;

	free(*(void **)pointer);
	errno = saved;
}

static inline void fcp_cleanup_fd(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void fcp_cleanup_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

static inline void fcp_cleanup_dir(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

/* Takes the descriptor out of its scope: the caller owns it now. */
static inline int fcp_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Takes the pointer out of its scope: the caller owns it now. */
static inline void *fcp_steal_pointer(void *pointer)
{
	void **from = pointer;
	void *stolen = *from;

	*from = NULL;
	return stolen;
}

#endif
