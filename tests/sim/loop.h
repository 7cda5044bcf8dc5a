// SPDX-License-Identifier: Apache-2.0
/*
 * The main thread: it carries out what the API asks for, one after the other, and is the event loop
 * of the devices, as in Firecracker. What stops it stops all that writes guest memory.
 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include "vm.h"

/* The caller is the main thread from now on. */
void loop_begin(struct vm *vm);
/* Runs until loop_stop. */
void loop_run(struct vm *vm);
void loop_stop(struct vm *vm);

/* Has fn(arg) run by the main thread and waits for it; before loop_begin, the caller runs it.
 * The caller holds vm->lock, and fn finds it held. */
void loop_call(struct vm *vm, void (*fn)(void *arg), void *arg);

/* open(2) of a path that may be a FIFO; loop_leave_open ends it with EINTR. */
int loop_open(struct vm *vm, const char *path, int flags);
void loop_leave_open(struct vm *vm);

#endif
