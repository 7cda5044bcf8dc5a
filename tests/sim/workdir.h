// SPDX-License-Identifier: Apache-2.0
/* Where a command runs (envd: permissions/path.go). */
#ifndef SIM_WORKDIR_H
#define SIM_WORKDIR_H

#include "guest.h"

/* The user's home, in the guest. */
void workdir_home(const char *user, char *ret, size_t size);
/* The directory that the request asks for, in the guest: 0, or -1 with envd's words. */
int workdir_resolve(const struct guest *guest, const json_t *process, const char *user, char *ret,
		    size_t size, char *ret_message, size_t message_size);

#endif
