// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "hinting.h"
#include "snapshot.h"

#define PRE_BOOT_ONLY "The requested operation is not supported after starting the microVM."
#define POST_BOOT_ONLY "The requested operation is not supported before starting the microVM."
#define UPDATE "Drive config error: Unable to patch the block device: "
#define VERIFY " Please verify the request arguments."
#define NO_DEVICE "Failed perform action on device: Device not found"

void reply_json(struct http_reply *reply, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	http_reply_text(reply, 200, "application/json", text);
	free(text);
	json_decref(json);
}

void reply_fault(struct http_reply *reply, const char *format, ...)
{
	char message[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	reply_json(reply, json_pack("{s:s}", "fault_message", message));
	reply->status = 400;
}

static bool flag(const json_t *body, const char *name, bool missing)
{
	const json_t *value = json_object_get(body, name);

	return value ? json_is_true(value) : missing;
}

static json_int_t number(const json_t *body, const char *name, json_int_t missing)
{
	const json_t *value = json_object_get(body, name);

	return json_is_integer(value) ? json_integer_value(value) : missing;
}

static const char *text(const json_t *body, const char *name)
{
	return json_string_value(json_object_get(body, name));
}

void act_nothing(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)vm;
	(void)body;
	(void)reply;
}

void act_instance_info(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	static const char *const names[] = {"Not started", "Running", "Paused"};

	(void)body;
	reply_json(reply,
		   json_pack("{s:s, s:s, s:s, s:s}", "id", "anonymous-instance", "state",
			     names[vm->state], "vmm_version", "1.16.1", "app_name", "Firecracker"));
}

void act_version(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)vm;
	(void)body;
	reply_json(reply, json_pack("{s:s}", "firecracker_version", "1.16.1"));
}

static json_t *machine_json(const struct vm_machine *m)
{
	return json_pack("{s:I, s:I, s:b, s:b, s:s}", "vcpu_count", (json_int_t)m->vcpu_count,
			 "mem_size_mib", (json_int_t)m->mem_size_mib, "smt", m->smt,
			 "track_dirty_pages", m->track_dirty_pages, "huge_pages", m->huge_pages);
}

static json_t *balloon_json(const struct vm_balloon *b)
{
	if (!b->present)
		return json_null();
	return json_pack("{s:I, s:b, s:I, s:b, s:b}", "amount_mib", (json_int_t)b->amount_mib,
			 "deflate_on_oom", b->deflate_on_oom, "stats_polling_interval_s",
			 (json_int_t)b->stats_polling_interval_s, "free_page_hinting",
			 b->free_page_hinting, "free_page_reporting", b->free_page_reporting);
}

void act_vm_config(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	json_t *boot = vm->boot_source ? json_incref(vm->boot_source)
				       : json_pack("{s:s, s:n, s:n}", "kernel_image_path", "",
						   "initrd_path", "boot_args");

	(void)body;
	reply_json(reply, json_pack("{s:o, s:O, s:o, s:n, s:n, s:o, s:n, s:n, s:O, s:n, s:n, "
				    "s:[], s:n}",
				    "balloon", balloon_json(&vm->balloon), "drives", vm->drives,
				    "boot-source", boot, "cpu-config", "logger", "machine-config",
				    machine_json(&vm->machine), "metrics", "mmds-config",
				    "network-interfaces", vm->interfaces, "vsock", "entropy",
				    "pmem", "memory-hotplug"));
}

void act_machine_get(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)body;
	reply_json(reply, machine_json(&vm->machine));
}

void act_machine_set(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	struct vm_machine m = vm->machine;
	const char *huge = text(body, "huge_pages");

	vm->boot_path = true;
	m.vcpu_count = (long)number(body, "vcpu_count", m.vcpu_count);
	m.mem_size_mib = (long)number(body, "mem_size_mib", m.mem_size_mib);
	m.smt = flag(body, "smt", m.smt);
	m.track_dirty_pages = flag(body, "track_dirty_pages", m.track_dirty_pages);
	if (huge)
		m.huge_pages = strcmp(huge, "2M") ? "None" : "2M";
	if (m.vcpu_count == 0 || m.vcpu_count > 32 ||
	    (m.smt && m.vcpu_count > 1 && m.vcpu_count % 2))
		reply_fault(reply, "Machine config error: The number of vCPUs must be greater "
				   "than 0, less than 32 and must be 1 or an even number if SMT is "
				   "enabled.");
	else if (m.mem_size_mib <= 0 || (!strcmp(m.huge_pages, "2M") && m.mem_size_mib % 2))
		reply_fault(reply, "Machine config error: The memory size (MiB) is either 0, or "
				   "not a multiple of the configured page size.");
	else if (vm->balloon.present && m.mem_size_mib < vm->balloon.amount_mib)
		reply_fault(reply, "Machine config error: The memory size (MiB) is smaller than "
				   "the previously set balloon device target size.");
	else
		vm->machine = m;
}

void act_balloon_get(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)body;
	if (vm->balloon.present)
		reply_json(reply, balloon_json(&vm->balloon));
	else if (vm->state == VM_NOT_STARTED)
		reply_fault(reply, "Balloon config error: No balloon device found.");
	else
		reply_fault(reply, "Internal VMM error: " NO_DEVICE);
}

int balloon_set(struct vm *vm, const json_t *body)
{
	if (number(body, "amount_mib", 0) > vm->machine.mem_size_mib)
		return -1;
	vm->balloon = (struct vm_balloon){
		.present = true,
		.amount_mib = (uint32_t)number(body, "amount_mib", 0),
		.deflate_on_oom = flag(body, "deflate_on_oom", false),
		.stats_polling_interval_s = (uint32_t)number(body, "stats_polling_interval_s", 0),
		.free_page_hinting = flag(body, "free_page_hinting", false),
		.free_page_reporting = flag(body, "free_page_reporting", false),
	};
	return 0;
}

void act_balloon_set(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	vm->boot_path = true;
	if (balloon_set(vm, body))
		reply_fault(reply, "Balloon config error: Amount of pages requested is too "
				   "large.");
}

/* Answers what Firecracker says when the balloon cannot take an order. */
static bool balloon_refuses(const struct vm *vm, const char *what, struct http_reply *reply)
{
	if (!vm->balloon.present) {
		reply_fault(reply, "%s: " NO_DEVICE, what);
		return true;
	}
	return false;
}

void act_balloon_update(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	json_int_t amount = number(body, "amount_mib", 0);

	if (balloon_refuses(vm, "Balloon update error", reply))
		return;
	if (!vm_driver_up(vm))
		reply_fault(reply, "Balloon update error: Balloon: Device not activated yet.");
	else if (amount > vm->machine.mem_size_mib)
		reply_fault(reply,
			    "Balloon update error: Balloon: Requested memory should be "
			    "less than %lldMiB",
			    (long long)amount);
	else
		vm->balloon.amount_mib = (uint32_t)amount;
}

void act_balloon_stats(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const struct sim_memory *m = &vm->memory;
	json_int_t target = vm->balloon.amount_mib;

	(void)body;
	if (balloon_refuses(vm, "Internal VMM error", reply))
		return;
	if (!vm->balloon.stats_polling_interval_s) {
		reply_fault(reply, "Internal VMM error: Balloon: Received stats query when "
				   "stats are disabled.");
		return;
	}
	reply_json(reply,
		   json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "target_pages", target * 256,
			     "actual_pages", target * 256, "target_mib", target, "actual_mib",
			     target, "free_memory", (json_int_t)memory_bytes_in(m, PAGE_FREE),
			     "total_memory", (json_int_t)m->bytes, "disk_caches",
			     (json_int_t)memory_bytes_in(m, PAGE_CACHE)));
}

void act_balloon_stats_update(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	uint32_t interval = (uint32_t)number(body, "stats_polling_interval_s", 0);

	if (balloon_refuses(vm, "Balloon update error", reply))
		return;
	if (interval != vm->balloon.stats_polling_interval_s &&
	    (!interval || !vm->balloon.stats_polling_interval_s))
		reply_fault(reply, "Balloon update error: Balloon: Statistics cannot be "
				   "enabled/disabled after activation.");
	else
		vm->balloon.stats_polling_interval_s = interval;
}

static bool hinting_refuses(const struct vm *vm, struct http_reply *reply)
{
	if (balloon_refuses(vm, "Balloon update error", reply))
		return true;
	if (vm->balloon.free_page_hinting)
		return false;
	reply_fault(reply, "Balloon update error: Balloon: Attempting to use hinting when not "
			   "enabled");
	return true;
}

void act_hinting_status(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	struct vm_hinting *h = &vm->hinting;

	(void)body;
	if (hinting_refuses(vm, reply))
		return;
	reply_json(reply, json_pack("{s:I, s:o}", "host_cmd", (json_int_t)h->host_cmd, "guest_cmd",
				    h->guest_cmd_known ? json_integer(h->guest_cmd) : json_null()));
	if (h->host_cmd == 1 && h->done_unseen) {
		h->done_unseen = false;
		log_clock(&vm->log, "hinting-seen-done");
	}
}

void act_hinting_start(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	bool acknowledge = flag(body, "acknowledge_on_stop", true);

	if (hinting_refuses(vm, reply))
		return;
	if (vm_driver_up(vm)) {
		hinting_start(vm, acknowledge);
		return;
	}
	hinting_refuse(vm, acknowledge);
	reply_fault(reply, "Balloon update error: Balloon: Device not activated yet.");
}

void act_hinting_stop(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)body;
	if (hinting_refuses(vm, reply))
		return;
	if (vm_driver_up(vm))
		hinting_stop(vm);
	else
		reply_fault(reply, "Balloon update error: Balloon: Device not activated yet.");
}

void act_boot_source(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)reply;
	vm->boot_path = true;
	json_decref(vm->boot_source);
	vm->boot_source = json_deep_copy(body);
}

static void insert_device(struct vm *vm, json_t *list, const char *id_name, const json_t *body)
{
	json_t *item;
	size_t i;

	vm->boot_path = true;
	json_array_foreach(list, i, item)
	{
		if (!strcmp(text(item, id_name), text(body, id_name))) {
			json_array_set_new(list, i, json_deep_copy(body));
			return;
		}
	}
	json_array_append_new(list, json_deep_copy(body));
}

void act_drive(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	if (vm->state != VM_NOT_STARTED)
		reply_fault(reply, "PCI is not enabled");
	else
		insert_device(vm, vm->drives, "drive_id", body);
}

void act_drive_update(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const char *path = text(body, "path_on_host");
	json_t *item;
	size_t i;

	json_array_foreach(vm->drives, i, item)
	{
		if (strcmp(text(item, "drive_id"), text(body, "drive_id")))
			continue;
		if (path && access(path, F_OK))
			reply_fault(reply,
				    UPDATE
				    "Block: Virtio backend error: Error manipulating the backing "
				    "file: %s (os error %d) %s" VERIFY,
				    strerror(errno), errno, path);
		else if (path)
			json_object_set_new(item, "path_on_host", json_string(path));
		return;
	}
	reply_fault(reply, UPDATE NO_DEVICE VERIFY);
}

void act_interface(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	if (vm->state != VM_NOT_STARTED)
		reply_fault(reply, "PCI is not enabled");
	else
		insert_device(vm, vm->interfaces, "iface_id", body);
}

void act_metrics(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	static const char bad[] = "Metrics error: Cannot initialize the metrics system due to "
				  "bad user input:";
	int fd = open(text(body, "metrics_path"), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0) {
		reply_fault(reply, "%s %s (os error %d)", bad, strerror(errno), errno);
		return;
	}
	close(fd);
	if (vm->metrics.path)
		reply_fault(reply, "%s Reinitialization of metrics not allowed.", bad);
	else
		vm->metrics.path = strdup(text(body, "metrics_path"));
}

void act_action(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	bool start = !strcmp(text(body, "action_type"), "InstanceStart");

	if (!start && vm->state == VM_NOT_STARTED)
		reply_fault(reply, POST_BOOT_ONLY);
	else if (start && vm->state != VM_NOT_STARTED)
		reply_fault(reply, PRE_BOOT_ONLY);
	else if (start && vm_boot(vm))
		reply_fault(reply, "Start microvm error: Cannot create guest memory: %s",
			    strerror(errno));
	else if (!strcmp(text(body, "action_type"), "FlushMetrics"))
		metrics_flush(vm);
}

static long us_since(int64_t start_ns)
{
	return (long)((now_ns() - start_ns) / 1000) + 1;
}

void act_vm_state(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	int64_t start = now_ns();

	(void)reply;
	if (!strcmp(text(body, "state"), "Paused")) {
		vm_pause(vm);
		vm->metrics.pause_us = us_since(start);
	} else {
		vm_resume(vm);
		vm->metrics.resume_us = us_since(start);
	}
}

void act_snapshot_create(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const char *type = text(body, "snapshot_type");
	struct snapshot_request r = {
		.diff = type && !strcmp(type, "Diff"),
		.snapshot_path = text(body, "snapshot_path"),
		.mem_file_path = text(body, "mem_file_path"),
	};
	char message[512];
	int64_t start = now_ns();
	int ret = snapshot_create(vm, &r, message, sizeof(message));

	if (vm->state == VM_PAUSED) {
		long left = vm->options.snapshot_ms - (long)((now_ns() - start) / 1000000);

		/* Others may look at the VM meanwhile, but the API stays busy. */
		pthread_mutex_unlock(&vm->lock);
		vm_wait_ms(vm, -1, left > 0 ? left : 0);
		pthread_mutex_lock(&vm->lock);
		log_clock(&vm->log, "snapshot-end");
	}
	if (ret)
		reply_fault(reply, "%s", message);
	else if (r.diff)
		vm->metrics.diff_create_us = us_since(start);
	else
		vm->metrics.full_create_us = us_since(start);
}

static bool load_is_malformed(const json_t *body, struct http_reply *reply)
{
	bool backend = json_is_object(json_object_get(body, "mem_backend"));
	bool file = text(body, "mem_file_path");

	if (backend != file)
		return false;
	reply_fault(reply, "An error occurred when deserializing the json body of a request: %s.",
		    backend ? "too many fields: either `mem_backend` or `mem_file_path` "
			      "exclusively is required"
			    : "missing field: either `mem_backend` or `mem_file_path` is required");
	return true;
}

void act_snapshot_load(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	const char *file = text(body, "mem_file_path");
	const char *backend = text(json_object_get(body, "mem_backend"), "backend_type");
	struct snapshot_request r = {
		.snapshot_path = text(body, "snapshot_path"),
		.mem_file_path =
			file ? file : text(json_object_get(body, "mem_backend"), "backend_path"),
		.by_handler = backend && !strcmp(backend, "Uffd"),
		.track_dirty_pages = flag(body, "track_dirty_pages", false) ||
				     flag(body, "enable_diff_snapshots", false),
		.network_overrides = json_object_get(body, "network_overrides"),
	};
	char message[512];
	int64_t start = now_ns();

	if (load_is_malformed(body, reply))
		return;
	if (vm->state != VM_NOT_STARTED) {
		reply_fault(reply, PRE_BOOT_ONLY);
	} else if (vm->boot_path) {
		reply_fault(reply, "Load snapshot error: Loading a microVM snapshot not allowed "
				   "after configuring boot-specific resources.");
	} else if (snapshot_load(vm, &r, message, sizeof(message))) {
		reply_fault(reply, "%s", message);
		vm->broken = true;
	} else {
		if (flag(body, "resume_vm", false))
			vm_resume(vm);
		vm->metrics.load_us = us_since(start);
		vm_changed(vm);
	}
}
