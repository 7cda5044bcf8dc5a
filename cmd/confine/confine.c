// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine/confine.h"

#include "cmd/confine/landlock.h"
#include "cmd/confine/parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* From <linux/capability.h> of Linux 5.9. */
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

/* Access to files of other users, as root has: sockets, snapshots, memory files. */
#define FILES (CAPABILITY(DAC_OVERRIDE) | CAPABILITY(DAC_READ_SEARCH))
/* Creating files that belong to other users. */
#define OWNERS (CAPABILITY(CHOWN) | CAPABILITY(FOWNER) | CAPABILITY(FSETID))
/* Firecracker's mappings and memory, and which processes have a file open. */
#define PROCESSES CAPABILITY(SYS_PTRACE)

/* For the file behind a mapping (/proc/PID/map_files). Before Linux 5.9, only CAP_SYS_ADMIN allows
 * that. */
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

/* The API socket, or that of a name service. */
static bool needs_local_sockets(const struct invocation *invocation, const struct servers *servers)
{
	bool guest_only = invocation->id == COMMAND_EXEC || invocation->id == COMMAND_RECLAIM;

	return !guest_only || text_of(invocation, OPT_API_SOCK) || servers->names;
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

static void limit_files(const struct invocation *invocation, const struct servers *servers)
{
	int abi = 0, errnum;

	if (!confines_files(invocation->id))
		return;
	errnum = confine_files(invocation, servers, &abi);
	report(invocation, "Landlock", errnum);
	if (errnum == 0 && abi < LANDLOCK_ABI_TCP)
		report(invocation, "Landlock's rules for TCP", ENOSYS);
}

void confine(const struct invocation *invocation)
{
	struct servers servers;

	if (!invocation->values[OPT_SANDBOX].on)
		return;
	servers_find(invocation, &servers);
	/* The process may hold a token: no core file, and no access for other processes of the same
	 * user. */
	report(invocation, "PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno);
	limit_files(invocation, &servers);
	report(invocation, "fewer capabilities",
	       confine_capabilities(needed_capabilities(invocation->id)));
	report(invocation, "seccomp",
	       confine_calls(needs_local_sockets(invocation, &servers), servers.internet));
}
