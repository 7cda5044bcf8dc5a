// SPDX-License-Identifier: Apache-2.0
/*
 * What a command in the guest finds: a root directory of its own (jail.h) with programs and files,
 * and a control socket over which some of these programs act on the simulated guest.
 */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "jail.h"
#include "vm.h"

#define GUEST_SOCKET_ENV "FCPAUSE_SIM_GUEST"
#define GUEST_USER_ENV "USER"
/* In the guest. */
#define GUEST_BIN "/guest/bin"
#define GUEST_SOCKET "/guest/control"
#define GUEST_PATH_MAX 96

struct guest {
	struct vm *vm;
	char dir[GUEST_PATH_MAX]; /* out here; it is the guest's root */
	char bin[GUEST_PATH_MAX];
	char socket[GUEST_PATH_MAX];
	struct jail jail;
	int listen_fd;
	pthread_t thread;
};

int guest_start(struct guest *guest, struct vm *vm);
void guest_stop(struct guest *guest);

/* The text with redirections into files below /proc/sys/vm turned into calls of guest-vm. The
 * caller frees it. */
char *guest_map(const char *text);
/* Writes /proc/meminfo anew. */
void guest_refresh(struct guest *guest);

/* The program's other face: a tool in the guest, called by its link's name. */
bool guest_tool_is_called(const char *name);
int guest_tool_main(int argc, char **argv);

/* Answers a tool's call: the exit code, and its output in *ret (the caller frees it). */
int guest_tool_answer(struct vm *vm, int client_fd, char *words, char **ret);
char *guest_meminfo(struct vm *vm);

#endif
