// SPDX-License-Identifier: Apache-2.0
/* Memory that is plugged in (virtio-mem): its requests, and what they are to the guest's memory. */
#ifndef SIM_HOTPLUG_H
#define SIM_HOTPLUG_H

#include "http.h"

/* The region as it is at boot: nothing is plugged in. */
struct sim_hotplug hotplug_memory(const struct vm *vm);
/* Takes the device over from the memory of a snapshot. */
void hotplug_loaded(struct vm *vm);

void act_hotplug_get(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_hotplug_set(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_hotplug_update(struct vm *vm, const json_t *body, struct http_reply *reply);

#endif
