// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/metrics_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is wrong with the path, or NULL. Firecracker opens an existing file or pipe. */
static const char *fault_of(const char *path)
{
	struct stat file;

	if (stat(path, &file) != 0 || access(path, R_OK) != 0)
		return strerror(errno);
	return S_ISREG(file.st_mode) || S_ISFIFO(file.st_mode) ? NULL : "neither a file nor a pipe";
}

void metrics_path_check(struct invocation *invocation)
{
	struct unknown_variables *unknown = &invocation->unknown;
	const char *path = text_of(invocation, OPT_METRICS_PATH),
		   *fault = path ? fault_of(path) : NULL;
	char name[64];

	if (!fault || unknown->count == UNKNOWN_VARIABLES_MAX)
		return;
	snprintf(unknown->warnings[unknown->count++], sizeof(unknown->warnings[0]),
		 "%s: %.100s: %s; no figures are read from it",
		 said_by(invocation, OPT_METRICS_PATH, name), path, fault);
}
