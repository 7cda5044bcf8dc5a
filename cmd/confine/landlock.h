// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock: after it is enforced, only the allowed files and TCP ports can be reached. It applies
 * to the calling thread and its children and cannot be undone; see landlock(7). Other processes and
 * their memory cannot be examined, nor, from ABI 6 on, signalled.
 */
#ifndef FCP_CMD_CONFINE_LANDLOCK_H
#define FCP_CMD_CONFINE_LANDLOCK_H

#include <stdint.h>

/* The first version of the kernel interface that has TCP. */
#define LANDLOCK_ABI_TCP 4

struct landlock {
	int fd; /* the ruleset */
	int abi;
};

/* Access below a directory or to a file. */
enum landlock_access {
	LANDLOCK_LIST,	 /* read directories */
	LANDLOCK_READ,	 /* and read files */
	LANDLOCK_CHANGE, /* and create, change and remove regular files */
};

/* Returns 0, or an errno if the kernel has no Landlock or has it disabled. */
int landlock_open(struct landlock *landlock_);

/* A path that does not exist is ignored. */
void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access);

/* Allows TCP connections to this port. */
void landlock_allow_port(const struct landlock *landlock, uint16_t port);

/* Enforces the rules, which sets no_new_privs, and closes them. Returns 0 or an errno. */
int landlock_enforce(struct landlock *landlock);

#endif
