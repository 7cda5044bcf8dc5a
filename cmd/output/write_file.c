// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/write_file.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/replace_file.h"

#include <sys/stat.h>

/* mkostemp(3) creates files for the owner only; this one gets the usual mode. */
static mode_t usual_mode(const char *path)
{
	struct stat status;
	mode_t mask;

	if (stat(path, &status) == 0)
		return status.st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

int write_file(const char *path, const char *bytes, size_t count, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *target = realpath(path, NULL);
	struct stat status;

	if (target && stat(target, &status) == 0 && !S_ISREG(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: not a regular file", path);
	path = target ? target : path;
	return fcp_file_replace(path, &(struct fcp_file_text){bytes, count}, usual_mode(path), err);
}
