// SPDX-License-Identifier: Apache-2.0
#include "firecracker/by_hand.h"

#include "base/shell.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* A longer one would push the reason out of the message. */
#define PLACE_BYTES 512

/* "curl --unix-socket SOCKET"; an address has no room for a long path, but for its name in its
 * directory. False when it does not fit. */
static bool begin(const char *api_sock, char text_[PLACE_BYTES])
{
	const char *slash = strrchr(api_sock, '/');
	bool cd = slash && strlen(api_sock) >= sizeof(((struct sockaddr_un *)NULL)->sun_path);
	char directory[PLACE_BYTES] = "", name[PLACE_BYTES], cut[PLACE_BYTES];

	if (cd && (size_t)snprintf(cut, sizeof(cut), "%.*s", (int)(slash - api_sock), api_sock) >=
			  sizeof(cut))
		return false;
	return (!cd || fcp_shell_quote(cut, directory, sizeof(directory)) == 0) &&
	       fcp_shell_quote(cd ? slash + 1 : api_sock, name, sizeof(name)) == 0 &&
	       snprintf(text_, PLACE_BYTES, "%s%s%scurl --unix-socket %s", cd ? "cd " : "",
			directory, cd ? " && " : "", name) < PLACE_BYTES;
}

static void request(const char *api_sock, const char *what, char command_[FCP_BY_HAND_BYTES])
{
	char text[PLACE_BYTES];

	if (!begin(api_sock, text))
		strcpy(text, "curl --unix-socket API_SOCK");
	snprintf(command_, FCP_BY_HAND_BYTES, "%s -X PATCH %s", text, what);
}

void fcp_by_hand_resume(const char *api_sock, char command_[FCP_BY_HAND_BYTES])
{
	request(api_sock, "-d '{\"state\":\"Resumed\"}' http://localhost/vm", command_);
}

void fcp_by_hand_stop_hinting(const char *api_sock, char command_[FCP_BY_HAND_BYTES])
{
	request(api_sock, "http://localhost/balloon/hinting/stop", command_);
}
