// SPDX-License-Identifier: Apache-2.0
/*
 * Free page hinting: the device's command ids, and a guest that answers them and hands its free
 * blocks out. Time moves on in hinting_advance(), which a thread calls when something is due and
 * every request calls before it looks. All want vm->lock held.
 */
#ifndef SIM_HINTING_H
#define SIM_HINTING_H

#include "vm.h"

void hinting_start(struct vm *vm, bool acknowledge_on_stop);
/* The id that a refused start uses up. */
void hinting_refuse(struct vm *vm, bool acknowledge_on_stop);
void hinting_stop(struct vm *vm);
/* What Firecracker does to its device when the VM is resumed. */
void hinting_kick(struct vm *vm);

/* Does what is due by now. Returns the time of the next thing, INT64_MAX: none. */
int64_t hinting_advance(struct vm *vm);

json_t *hinting_save(const struct vm *vm);
int hinting_load(struct vm *vm, const json_t *saved);

int hinting_thread_start(struct vm *vm);
void hinting_thread_stop(struct vm *vm);

#endif
