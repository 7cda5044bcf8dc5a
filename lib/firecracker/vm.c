// SPDX-License-Identifier: Apache-2.0
#include "firecracker/vm.h"

#include "base/cleanup.h"
#include "base/observer.h"
#include "base/text.h"

#include <string.h>

static const char *const state_names[] = {
	[FCP_VM_UNKNOWN] = "unknown",
	[FCP_VM_NOT_STARTED] = "Not started",
	[FCP_VM_RUNNING] = "Running",
	[FCP_VM_PAUSED] = "Paused",
};

#define STATES (sizeof(state_names) / sizeof(state_names[0]))

const char *fcp_vm_state_name(enum fcp_vm_state state)
{
	return state_names[(size_t)state < STATES ? state : FCP_VM_UNKNOWN];
}

static enum fcp_vm_state state_named(const char *name)
{
	for (size_t i = FCP_VM_NOT_STARTED; name && i < STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum fcp_vm_state)i;
	return FCP_VM_UNKNOWN;
}

static void tell_identity(const struct fcp_firecracker *firecracker, const struct fcp_json *reply,
			  const struct fcp_instance *instance)
{
	const struct fcp_observer *observer = firecracker->observer;
	const char *id = fcp_json_string(fcp_json_get(reply, "id"));
	char text[128];

	if (!FCP_OBSERVES(observer, on_vm))
		return;
	fcp_text_filter(id ? id : "", text, sizeof(text));
	observer->on_vm(&(struct fcp_vm_identity){text, instance->vmm_version}, observer->arg);
}

int fcp_vm_instance(struct fcp_firecracker *firecracker, struct fcp_instance *instance_,
		    struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	struct fcp_instance instance = {0};
	const char *version;

	if (fcp_firecracker_call(firecracker, "GET", "/", NULL, &reply, err) != 0)
		return -1;
	instance.state = state_named(fcp_json_string(fcp_json_get(reply, "state")));
	if (instance.state == FCP_VM_UNKNOWN)
		return fcp_error_set(
			err, FCP_ERR_PROTOCOL, 0,
			"GET /: the answer names no state of a VM: is this Firecracker?");
	version = fcp_json_string(fcp_json_get(reply, "vmm_version"));
	fcp_text_filter(version ? version : "", instance.vmm_version, sizeof(instance.vmm_version));
	tell_identity(firecracker, reply, &instance);
	*instance_ = instance;
	return 0;
}

/* Larger sizes are not possible, and would overflow in bytes. */
#define MEMORY_MAX_MIB (UINT64_C(1) << 30)

static int get_hotplug(struct fcp_firecracker *firecracker, struct fcp_machine_config *config,
		       struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;

	if (fcp_firecracker_call(firecracker, "GET", "/hotplug/memory", NULL, &reply, err) != 0)
		/* No such device, or a version without it (before 1.14). */
		return err->http_status == 400 || err->http_status == 404 ? 0 : -1;
	if (!fcp_json_u64(fcp_json_get(reply, "total_size_mib"), &config->hotplug_mib) ||
	    !fcp_json_u64(fcp_json_get(reply, "plugged_size_mib"), &config->plugged_mib) ||
	    config->hotplug_mib > MEMORY_MAX_MIB || config->plugged_mib > config->hotplug_mib)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "GET /hotplug/memory: no sizes of memory in the answer");
	return 0;
}

int fcp_vm_machine_config(struct fcp_firecracker *firecracker, struct fcp_machine_config *config_,
			  struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	struct fcp_machine_config config = {0};

	if (fcp_firecracker_call(firecracker, "GET", "/machine-config", NULL, &reply, err) != 0)
		return -1;
	if (!fcp_json_u64(fcp_json_get(reply, "mem_size_mib"), &config.mem_size_mib) ||
	    config.mem_size_mib > MEMORY_MAX_MIB)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "GET /machine-config: no mem_size_mib in the answer");
	fcp_json_bool(fcp_json_get(reply, "track_dirty_pages"), &config.track_dirty_pages);
	if (get_hotplug(firecracker, &config, err) != 0)
		return -1;
	*config_ = config;
	return 0;
}

int fcp_vm_pause(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	return fcp_firecracker_call(firecracker, "PATCH", "/vm", "{\"state\":\"Paused\"}", NULL,
				    err);
}

int fcp_vm_resume(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	return fcp_firecracker_call(firecracker, "PATCH", "/vm", "{\"state\":\"Resumed\"}", NULL,
				    err);
}
