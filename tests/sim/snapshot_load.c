// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hinting.h"
#include "hotplug.h"
#include "message.h"
#include "snapshot.h"
#include "state_file.h"

#define LOAD "Load snapshot error: Failed to restore from snapshot: "
#define NOT_READ LOAD "Failed to get snapshot state from file: "

static int balloon_load(struct vm_balloon *b, const json_t *saved)
{
	json_int_t amount, interval;
	int present, deflate, hinting, reporting;

	if (json_unpack((json_t *)saved, "{s:b, s:I, s:b, s:I, s:b, s:b}", "present", &present,
			"amount_mib", &amount, "deflate_on_oom", &deflate,
			"stats_polling_interval_s", &interval, "free_page_hinting", &hinting,
			"free_page_reporting", &reporting))
		return -1;
	*b = (struct vm_balloon){present, (uint32_t)amount, deflate, (uint32_t)interval,
				 hinting, reporting};
	return 0;
}

/* A snapshot's devices: what it says there, with the overrides of the request. */
static void take_devices(struct vm *vm, const struct snapshot_request *r, const json_t *all)
{
	json_t *interface, *override;
	size_t i, j;

	json_array_extend(vm->drives, json_object_get(all, "drives"));
	json_array_extend(vm->interfaces, json_object_get(all, "interfaces"));
	json_array_foreach(r->network_overrides, j, override)
	{
		json_array_foreach(vm->interfaces, i, interface)
		{
			if (json_equal(json_object_get(interface, "iface_id"),
				       json_object_get(override, "iface_id")))
				json_object_update(interface, override);
		}
	}
}

/* Firecracker's words of what went wrong with a memory file. */
static void describe_file(int ret, char *text, size_t size)
{
	if (ret == -1)
		snprintf(text, size, "Failed to load guest memory: %s (os error %d)",
			 strerror(errno), errno);
	else
		snprintf(text, size,
			 "Failed to restore guest memory: Cannot create mmap region: "
			 "The specified file offset and length is greater then file length");
}

static int take_memory(struct vm *vm, const struct snapshot_request *r, const json_t *saved,
		       struct message *msg)
{
	char why[256];
	int ret;

	if (r->by_handler) {
		ret = memory_load_by_handler(&vm->memory, saved, r->mem_file_path, why,
					     sizeof(why));
	} else {
		ret = memory_load(&vm->memory, saved, r->mem_file_path);
		if (ret)
			describe_file(ret, why, sizeof(why));
	}
	if (!ret)
		return 0;
	return fail(msg,
		    LOAD "Failed to load guest memory: Error creating guest memory from %s: %s",
		    r->by_handler ? "uffd" : "file", why);
}

static int take_state(struct vm *vm, const struct snapshot_request *r, json_t *all,
		      struct message *msg)
{
	json_t *balloon, *hinting, *memory;
	json_int_t vcpus;
	const char *format;
	int driver_up;

	if (json_unpack(all, "{s:s, s:I, s:b, s:o, s:o, s:o}", "format", &format, "vcpu_count",
			&vcpus, "driver_up", &driver_up, "balloon", &balloon, "hinting", &hinting,
			"memory", &memory) ||
	    balloon_load(&vm->balloon, balloon) || hinting_load(vm, hinting))
		return fail(msg, NOT_READ
			    "Failed to load snapshot state from file: "
			    "An error occurred during bitcode serialization: not this version's");
	if (take_memory(vm, r, memory, msg))
		return -1;
	take_devices(vm, r, all);
	vm->machine.vcpu_count = (long)vcpus;
	vm->machine.mem_size_mib = (long)(vm->memory.boot_bytes / SIM_MIB);
	hotplug_loaded(vm);
	vm->machine.track_dirty_pages = r->track_dirty_pages;
	vm->driver_up_ns = driver_up ? now_ns() : INT64_MAX;
	return 0;
}

int snapshot_load(struct vm *vm, const struct snapshot_request *r, char *ret_message,
		  size_t message_size)
{
	struct message msg = {ret_message, message_size};
	char why[256];
	char *text = state_file_read(r->snapshot_path, why, sizeof(why));
	json_t *all;
	int ret;

	if (!text)
		return fail(&msg, NOT_READ "%s", why);
	all = json_loads(text, 0, NULL);
	free(text);
	ret = take_state(vm, r, all, &msg);
	json_decref(all);
	if (ret)
		return ret;
	vm->loaded = true;
	vm->state = VM_PAUSED;
	return 0;
}
