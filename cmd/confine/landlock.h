// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock: of the files only those that were named can be reached from then on, and of TCP ports only
 * these. It holds for the calling thread and what it starts, and cannot be taken back; see landlock(7).
 * Processes outside cannot be looked into, their memory included, and from ABI 6 on not be signalled.
 */
#ifndef FCP_CMD_CONFINE_LANDLOCK_H
#define FCP_CMD_CONFINE_LANDLOCK_H

#include <stdint.h>

/* From this version of the kernel's interface on it knows TCP. */
#define LANDLOCK_ABI_TCP 4

struct landlock {
	int fd; /* of the rules */
	int abi;
};

/* What may be done below a directory, or with a file. */
enum landlock_access {
	LANDLOCK_LIST,	 /* directories are read */
	LANDLOCK_READ,	 /* and files */
	LANDLOCK_CHANGE, /* and make, change and remove ordinary files */
};

/* 0, or an errno where the kernel has no Landlock, or was started without it. */
int landlock_open(struct landlock *landlock_);

/* A path that is not there is left out. */
void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access);

/* TCP connections to this port. */
void landlock_allow_port(const struct landlock *landlock, uint16_t port);

/* Puts the rules in force, and closes them. no_new_privs is set. 0, or an errno. */
int landlock_enforce(struct landlock *landlock);

#endif
