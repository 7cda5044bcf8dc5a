// SPDX-License-Identifier: Apache-2.0
/* The state of a VM, from Firecracker's answers and its process. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd_link.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "firecracker/balloon.h"
#include "firecracker/hinting.h"
#include "steps/vm_memory.h"

#include <fcntl.h>
#include <string.h>

static const char *name_of(enum fcp_guest_backing backing)
{
	switch (backing) {
	case FCP_GUEST_BACKING_ANONYMOUS:
		return "anonymous";
	case FCP_GUEST_BACKING_FILE:
		return "file";
	case FCP_GUEST_BACKING_USERFAULT:
		return "userfaultfd";
	case FCP_GUEST_BACKING_HUGETLB:
		return "hugetlb";
	case FCP_GUEST_BACKING_SHARED:
		return "shared";
	}
	return NULL;
}

/* The mapped file, through the mapping: its name may lead elsewhere by now. */
static void find_status_base(const struct fcp_guest_ram *ram, struct fcp_status_result *result)
{
	struct fcp_error ignored;
	int fd = -1;

	for (size_t i = 0; i < ram->piece_count && fd < 0; i++)
		if (ram->pieces[i].of_file)
			fd = fcp_guest_piece_open(ram->pid, &ram->pieces[i], O_PATH, &ignored);
	if (fd < 0)
		return;
	fcp_fd_path(fd, result->base, sizeof(result->base));
	close(fd);
}

static void find_backing(const struct fcp_firecracker *firecracker,
			 const struct fcp_machine_config *machine, struct fcp_status_result *result)
{
	FCP_CLEANUP(guest_ram) struct fcp_guest_ram ram = {0};
	struct fcp_error why;

	if (result->vm_state == FCP_VM_NOT_STARTED) {
		snprintf(result->backing_reason, sizeof(result->backing_reason),
			 "the VM is not started");
		return;
	}
	if (fcp_vm_memory_find(firecracker, machine, &ram, &why) != 0) {
		snprintf(result->backing_reason, sizeof(result->backing_reason), "%.255s",
			 why.message);
		return;
	}
	result->backing = name_of(ram.backing);
	if (ram.backing == FCP_GUEST_BACKING_FILE)
		find_status_base(&ram, result);
}

/* A Firecracker without hinting refuses the request. */
static int ask_balloon(struct fcp_firecracker *firecracker, struct fcp_status_result *result,
		       struct fcp_error *err)
{
	struct fcp_hinting_status hinting;

	if (fcp_balloon_get(firecracker, &result->has_balloon, &result->balloon, err) != 0)
		return -1;
	if (!result->has_balloon || !result->balloon.free_page_hinting)
		return 0;
	if (fcp_hinting_status(firecracker, &hinting, err) != 0)
		return err->error_class == FCP_ERR_SERVER ? 0 : -1;
	result->hinting_open = hinting.host_cmd > FCP_HINTING_DONE;
	return 0;
}

static int ask_vm(struct fcp_firecracker *firecracker, struct fcp_status_result *result,
		  struct fcp_error *err)
{
	struct fcp_machine_config machine;
	struct fcp_instance instance;

	if (fcp_vm_instance(firecracker, &instance, err) != 0)
		return -1;
	result->vm_state = instance.state;
	memcpy(result->vmm_version, instance.vmm_version, sizeof(result->vmm_version));
	result->pid = fcp_firecracker_pid(firecracker);
	if (fcp_vm_machine_config(firecracker, &machine, err) != 0 ||
	    ask_balloon(firecracker, result, err) != 0)
		return -1;
	result->memory_bytes = fcp_machine_memory_bytes(&machine);
	result->hotplug_bytes = machine.hotplug_mib * FCP_MIB;
	result->plugged_bytes = machine.plugged_mib * FCP_MIB;
	result->track_dirty_pages = machine.track_dirty_pages;
	find_backing(firecracker, &machine, result);
	return 0;
}

static int status_of_vm(const struct fcp_status_settings *settings,
			struct fcp_status_result *result, struct fcp_error *err)
{
	FCP_CLEANUP(firecracker) struct fcp_firecracker firecracker = {0};
	const struct fcp_step step = fcp_step_begin(settings->observer, "status");
	int ran;

	*result = (struct fcp_status_result){.vm_state = FCP_VM_UNKNOWN};
	ran = fcp_firecracker_open(settings->api_sock, settings->timeout_ms, settings->cancel_fd,
				   &firecracker, err);
	if (ran == 0) {
		fcp_firecracker_observe(&firecracker, settings->observer);
		ran = ask_vm(&firecracker, result, err);
	}
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_status(const struct fcp_status_settings *settings, struct fcp_status_result *result,
	       struct fcp_error *err)
{
	struct fcp_status_settings own_settings = FCP_STATUS_SETTINGS_INIT;
	struct fcp_status_result own = FCP_STATUS_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = status_of_vm(&own_settings, &own, err);
	return fcp_call_end(result, &own, sizeof(own), ran);
}
