// SPDX-License-Identifier: Apache-2.0
/* Firecracker's answers: the first byte says which is asked for, the rest is what comes
 * (http.h). */
#include "firecracker/balloon.h"
#include "firecracker/hinting.h"
#include "firecracker/vm.h"
#include "http.h"

#include "base/text.h"

#include <string.h>

static int get_instance(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	struct fcp_instance instance;

	if (fcp_vm_instance(firecracker, &instance, err) != 0)
		return -1;
	expect(instance.state != FCP_VM_UNKNOWN, "a state that is unknown");
	expect(fcp_text_is_printable(instance.vmm_version), "a version that drives a terminal");
	return 0;
}

static int get_machine(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	struct fcp_machine_config config;

	if (fcp_vm_machine_config(firecracker, &config, err) != 0)
		return -1;
	expect(fcp_machine_file_bytes(&config) / FCP_MIB ==
		       config.mem_size_mib + config.hotplug_mib,
	       "a memory that wraps");
	expect(config.plugged_mib <= config.hotplug_mib, "more plugged in than can be");
	return 0;
}

static int get_balloon(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	struct fcp_balloon balloon;
	bool present;

	return fcp_balloon_get(firecracker, &present, &balloon, err);
}

static int get_hinting(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	struct fcp_hinting_status status;

	return fcp_hinting_status(firecracker, &status, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const calls[])(struct fcp_firecracker *, struct fcp_error *) = {
		get_instance, get_machine, get_balloon, get_hinting, fcp_vm_pause,
	};
	struct fcp_firecracker firecracker = {.deadline = FCP_DEADLINE_NEVER, .cancel_fd = -1};
	struct bytes input = {data, size};
	struct fcp_error err = {0};
	unsigned call = take_byte(&input) % 5;

	http_serve(input, 0);
	if (calls[call](&firecracker, &err) != 0)
		expect_error(&err);
	return 0;
}
