// SPDX-License-Identifier: Apache-2.0
#include "firecracker/by_hand.h"

#include "base/shell.h"

#include <stdio.h>

/* A longer path would leave no room for the reason in the message. */
#define SOCKET_BYTES 512

static void write_command(const char *command, const char *api_sock,
			  char command_[FCP_BY_HAND_BYTES])
{
	char quoted[SOCKET_BYTES];
	int fits = fcp_shell_quote(api_sock, quoted, sizeof(quoted)) == 0;

	snprintf(command_, FCP_BY_HAND_BYTES, "fcpause %s --api-sock %s", command,
		 fits ? quoted : "API_SOCK");
}

void fcp_by_hand_resume(const char *api_sock, char command_[FCP_BY_HAND_BYTES])
{
	write_command("resume", api_sock, command_);
}

void fcp_by_hand_stop_hinting(const char *api_sock, char command_[FCP_BY_HAND_BYTES])
{
	write_command("balloon-drain --stop", api_sock, command_);
}
