// SPDX-License-Identifier: Apache-2.0
#include "actions.h"
#include "hotplug.h"

#define SMALLEST_BLOCK_MIB 2
#define SMALLEST_SLOT_MIB 128
#define CONFIG "Memory hotplug config error: "
#define UPDATE "Memory hotplug update error: "
#define NO_DEVICE "Failed perform action on device: Device not found"

struct sim_hotplug hotplug_memory(const struct vm *vm)
{
	return (struct sim_hotplug){(size_t)vm->hotplug.total_mib * SIM_MIB,
				    (size_t)vm->hotplug.slot_mib * SIM_MIB, 0};
}

void hotplug_loaded(struct vm *vm)
{
	const struct sim_hotplug *hotplug = &vm->memory.hotplug;

	vm->hotplug = (struct vm_hotplug){(long)(hotplug->bytes / SIM_MIB), SMALLEST_BLOCK_MIB,
					  (long)(hotplug->slot_bytes / SIM_MIB),
					  (long)(hotplug->plugged_bytes / SIM_MIB)};
}

void act_hotplug_get(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	(void)body;
	if (!vm->hotplug.total_mib) {
		reply_fault(reply, "Internal VMM error: " NO_DEVICE);
		return;
	}
	reply_json(reply, json_pack("{s:I, s:I, s:I, s:I, s:I}", "block_size_mib",
				    (json_int_t)vm->hotplug.block_mib, "total_size_mib",
				    (json_int_t)vm->hotplug.total_mib, "slot_size_mib",
				    (json_int_t)vm->hotplug.slot_mib, "plugged_size_mib",
				    (json_int_t)(vm->memory.hotplug.plugged_bytes / SIM_MIB),
				    "requested_size_mib", (json_int_t)vm->hotplug.requested_mib));
}

static long number(const json_t *body, const char *name, long missing)
{
	const json_t *value = json_object_get(body, name);

	return json_is_integer(value) ? (long)json_integer_value(value) : missing;
}

void act_hotplug_set(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	struct vm_hotplug h = {number(body, "total_size_mib", 0),
			       number(body, "block_size_mib", SMALLEST_BLOCK_MIB),
			       number(body, "slot_size_mib", SMALLEST_SLOT_MIB), 0};

	vm->boot_path = true;
	if (h.block_mib < SMALLEST_BLOCK_MIB)
		reply_fault(reply, CONFIG "Block size must not be lower than %d MiB",
			    SMALLEST_BLOCK_MIB);
	else if (h.block_mib & (h.block_mib - 1))
		reply_fault(reply, CONFIG "Block size must be a power of 2");
	else if (h.slot_mib < SMALLEST_SLOT_MIB)
		reply_fault(reply, CONFIG "Slot size must not be lower than %d MiB",
			    SMALLEST_SLOT_MIB);
	else if (h.slot_mib % h.block_mib)
		reply_fault(reply, CONFIG "Slot size must be a multiple of block size (%ld MiB)",
			    h.block_mib);
	else if (h.total_mib < h.slot_mib)
		reply_fault(reply, CONFIG "Total size must not be lower than slot size (%ld MiB)",
			    h.slot_mib);
	else if (h.total_mib % h.slot_mib)
		reply_fault(reply, CONFIG "Total size must be a multiple of slot size (%ld MiB)",
			    h.slot_mib);
	else
		vm->hotplug = h;
}

void act_hotplug_update(struct vm *vm, const json_t *body, struct http_reply *reply)
{
	long requested = number(body, "requested_size_mib", 0);

	if (!vm->hotplug.total_mib) {
		reply_fault(reply, UPDATE NO_DEVICE);
	} else if (!vm_driver_up(vm)) {
		reply_fault(reply, UPDATE "Failed to create memory hotplug device: "
					  "Device is not active");
	} else if (requested < 0 || requested > vm->hotplug.total_mib ||
		   requested % vm->hotplug.block_mib) {
		reply_fault(
			reply,
			UPDATE
			"Failed to create memory hotplug device: "
			"Size %ld is invalid: it must be a multiple of block size and less than "
			"the total size",
			requested * (long)SIM_MIB);
	} else {
		vm->hotplug.requested_mib = requested;
		memory_plug(&vm->memory, (size_t)requested * SIM_MIB);
	}
}
