// SPDX-License-Identifier: Apache-2.0
/* What the API's requests do, once they were read. All want vm->lock held. */
#ifndef SIM_ACTIONS_H
#define SIM_ACTIONS_H

#include "http.h"

typedef void (*action_fn)(struct vm *vm, const json_t *body, struct http_reply *reply);

/* Answers {"fault_message": …} with status 400. */
void reply_fault(struct http_reply *reply, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Answers with the JSON, which it takes over. */
void reply_json(struct http_reply *reply, json_t *json);

/* Sets the balloon from a checked body. Returns 0, or -1: too large. */
int balloon_set(struct vm *vm, const json_t *body);

void act_instance_info(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_version(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_vm_config(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_machine_get(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_machine_set(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_balloon_get(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_balloon_set(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_balloon_update(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_balloon_stats(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_balloon_stats_update(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_hinting_status(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_hinting_start(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_hinting_stop(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_boot_source(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_drive(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_drive_update(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_interface(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_metrics(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_nothing(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_action(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_vm_state(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_snapshot_create(struct vm *vm, const json_t *body, struct http_reply *reply);
void act_snapshot_load(struct vm *vm, const json_t *body, struct http_reply *reply);

#endif
