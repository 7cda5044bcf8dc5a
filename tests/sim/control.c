// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "actions.h"
#include "control.h"
#include "hinting.h"

static void get_state(struct vm *vm, struct http_reply *reply)
{
	static const char *const names[] = {"Not started", "Running", "Paused"};
	const struct sim_memory *m = &vm->memory;
	const struct vm_hinting *h = &vm->hinting;

	reply_json(
		reply,
		json_pack("{s:s, s:I, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:b, s:b}",
			  "state", names[vm->state], "host_cmd", (json_int_t)h->host_cmd,
			  "guest_cmd",
			  h->guest_cmd_known ? json_integer(h->guest_cmd) : json_null(),
			  "hinting_running", h->running, "pages_out_bytes",
			  (json_int_t)memory_bytes_in(m, PAGE_TAKEN), "used_bytes",
			  (json_int_t)memory_bytes_in(m, PAGE_USED), "cache_bytes",
			  (json_int_t)memory_bytes_in(m, PAGE_CACHE), "free_bytes",
			  (json_int_t)memory_bytes_in(m, PAGE_FREE), "rss_bytes",
			  (json_int_t)memory_rss(m), "checksum_ok", memory_verify(m), "requests",
			  (json_int_t)vm->requests, "paused_writes", (json_int_t)vm->paused_writes,
			  "frozen", vm->frozen, "fs_frozen", vm->fs_frozen));
}

static void put_fault(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const char *spec = json_string_value(json_object_get(body, "fault"));

	if (!spec || fault_add(&vm->faults, spec))
		reply_fault(reply, "/sim/fault: not a fault");
}

static void put_workload(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	json_int_t fill = json_integer_value(json_object_get(body, "fill_mib"));
	json_int_t some = json_integer_value(json_object_get(body, "free_mib"));
	json_int_t cache = json_integer_value(json_object_get(body, "cache_mib"));

	if (vm->state != VM_RUNNING)
		reply_fault(reply, "/sim/workload: the VM is not running");
	else if (fill < 0 || some < 0 || cache < 0 ||
		 memory_workload(&vm->memory, (size_t)fill, (size_t)some, (size_t)cache))
		reply_fault(reply, "/sim/workload: the guest has not that much memory");
}

static void put_driver(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const json_t *up = json_object_get(body, "up");

	if (!json_is_boolean(up)) {
		reply_fault(reply, "/sim/driver: {\"up\": true} is wanted");
		return;
	}
	vm->driver_up_ns = json_is_true(up) ? now_ns() : INT64_MAX;
	vm_changed(vm);
}

static void put_option(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)body, name, value)
	{
		if (options_set(&vm->options, name, value)) {
			reply_fault(reply, "/sim/option: %s: no such option or value", name);
			return;
		}
	}
	vm_changed(vm);
}

static void put_boot(struct vm *vm, struct http_reply *reply)
{
	if (vm->state != VM_NOT_STARTED || vm_boot(vm))
		reply_fault(reply, "/sim/boot: cannot boot: %s", strerror(errno));
}

static void put_call(struct http_call *call, const char *what, struct http_reply *reply)
{
	struct vm *vm = call->vm;
	json_t *body = json_loadb(call->body, call->len, 0, NULL);

	if (!strcmp(what, "boot"))
		put_boot(vm, reply);
	else if (!json_is_object(body))
		reply_fault(reply, "/sim/%s: a JSON object is wanted", what);
	else if (!strcmp(what, "fault"))
		put_fault(vm, body, reply);
	else if (!strcmp(what, "workload"))
		put_workload(vm, body, reply);
	else if (!strcmp(what, "driver"))
		put_driver(vm, body, reply);
	else if (!strcmp(what, "option"))
		put_option(vm, body, reply);
	else
		reply_fault(reply, "/sim/%s: not known", what);
	json_decref(body);
}

void control_call(struct http_call *call, struct http_reply *reply)
{
	struct vm *vm = call->vm;
	const char *what = call->path + strlen("/sim/");

	reply->status = 204;
	pthread_mutex_lock(&vm->lock);
	hinting_advance(vm);
	if (!strcmp(call->method, "GET") && !strcmp(what, "state"))
		get_state(vm, reply);
	else if (!strcmp(call->method, "PUT"))
		put_call(call, what, reply);
	else if (!strcmp(call->method, "DELETE") && !strcmp(what, "fault"))
		fault_clear(&vm->faults);
	else
		reply_fault(reply, "/sim/%s: not known", what);
	hinting_advance(vm);
	pthread_mutex_unlock(&vm->lock);
}
