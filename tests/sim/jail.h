// SPDX-License-Identifier: Apache-2.0
/*
 * Where the guest's commands run: namespaces of their own (user, mount, process ids) whose root is
 * the guest's directory, with the host's programs and libraries mounted read-only. They see no
 * other file and no other process of the host. Where that is not permitted, none is run.
 */
#ifndef SIM_JAIL_H
#define SIM_JAIL_H

#include <stddef.h>
#include <sys/types.h>

#define JAIL_INIT_NAME "guest-init"

struct jail {
	pid_t init;  /* the first process in there; 0: there is none */
	int user_fd; /* -1: in the host's user namespace, which only root can do */
	int mnt_fd;
	int pid_fd;
	int root_fd;   /* its root, which in a chroot is not that of its mount namespace */
	char why[256]; /* without an init */
};

/* Makes it around a directory. share: a directory of the host that is writable in it, under the
 * same name; NULL: none. Commands are refused afterwards where it fails, with the reason. */
void jail_start(struct jail *jail, const char *dir, const char *share);
/* Ends all that runs in it. */
void jail_stop(struct jail *jail);

/* A fork whose child is in the jail: its pid out here, 0 in the child, -1 (errno). In the child
 * only what a signal handler may do. */
pid_t jail_fork(const struct jail *jail);

/* The pid that a process of the jail has in there. */
pid_t jail_pid_inside(pid_t pid);

/* A path of the jail as the simulator reaches it. */
void jail_path(const struct jail *jail, const char *inside, char *ret, size_t size);

#endif
