// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine/confine.h"

#include "cmd/confine/parts.h"
#include "cmd/telemetry/telemetry.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* <linux/capability.h> of Linux 5.9. */
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

/* The files of other users, as root has them: sockets, snapshots, memory files. */
#define FILES (CAPABILITY(DAC_OVERRIDE) | CAPABILITY(DAC_READ_SEARCH))
/* ... and to make files that are theirs. */
#define OWNERS (CAPABILITY(CHOWN) | CAPABILITY(FOWNER) | CAPABILITY(FSETID))
/* Firecracker's process: its mappings and memory; and who has a file open. */
#define PROCESSES CAPABILITY(SYS_PTRACE)

/* For the file behind a mapping (/proc/PID/map_files): before Linux 5.9 there is only the large
 * one. */
static uint64_t mapped_files(void)
{
	return prctl(PR_CAPBSET_READ, CAP_CHECKPOINT_RESTORE, 0, 0, 0) >= 0
		       ? CAPABILITY(CHECKPOINT_RESTORE)
		       : CAPABILITY(SYS_ADMIN);
}

static uint64_t needed_capabilities(enum command_id id)
{
	switch (id) {
	case COMMAND_RECLAIM:
	case COMMAND_EXEC:
	case COMMAND_BALLOON_INSTALL:
		return FILES;
	case COMMAND_BALLOON_DRAIN:
	case COMMAND_STATUS:
	case COMMAND_DOCTOR:
	case COMMAND_RESUME:
		return FILES | PROCESSES | mapped_files();
	default:
		return FILES | OWNERS | PROCESSES | mapped_files() | CAPABILITY(LEASE);
	}
}

static bool is_url(const char *text)
{
	return text &&
	       (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0);
}

/* Only for what an option or the environment names. */
static bool needs_network(const struct invocation *invocation)
{
	for (size_t id = 0; id < OPTIONS; id++)
		if (invocation->values[id].text &&
		    (options[id].kind == KIND_URL || is_url(invocation->values[id].text)))
			return true;
	return telemetry_needs_network(invocation->telemetry);
}

static void report(const struct invocation *invocation, const char *part, int errnum)
{
	const struct log log = invocation_log(invocation);
	char text[160];

	if (errnum == 0 || !invocation->values[OPT_VERBOSE].on)
		return;
	snprintf(text, sizeof(text), "sandbox: without %s: %s", part, strerror(errnum));
	log_line(&log, LEVEL_INFO, "", text);
}

void confine(const struct invocation *invocation)
{
	if (!invocation->values[OPT_SANDBOX].on)
		return;
	/* No core file, and no look into the process by others of the same user: there may be a
	 * token. */
	report(invocation, "PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno);
	report(invocation, "fewer capabilities",
	       confine_capabilities(needed_capabilities(invocation->id)));
	report(invocation, "seccomp", confine_calls(needs_network(invocation)));
}
