// SPDX-License-Identifier: Apache-2.0
/* Firecracker and its process: what is behind the socket, and what fcpause can do with it. */
#include "base/cleanup.h"
#include "base/deadline.h"
#include "firecracker/balloon.h"
#include "steps/doctor/checks.h"
#include "steps/free_ranges.h"
#include "steps/snapshot/base.h"
#include "steps/vm_memory.h"

static const struct fcp_check_about about_socket = {
	"socket",
	"everything goes through Firecracker's API",
	"start Firecracker, or give the path of its API socket",
};
static const struct fcp_check_about about_state = {
	"vm",
	"only a VM that was started can be paused",
	"boot it, or load a snapshot (fcpause resume)",
};
static const struct fcp_check_about about_memory = {
	"guest-memory",
	"fcpause writes memory only if it has found it for certain; else Firecracker writes, and "
	"the pause is longer",
	"run as root, or with CAP_SYS_PTRACE, on the host of the VM, and without a proxy before "
	"the socket",
};
static const struct fcp_check_about about_base = {
	"base",
	"of a restored VM only what differs from its file is written",
	"keep the file that the VM was restored from; if a page-fault handler fills memory in, "
	"give its file as the base",
};
static const struct fcp_check_about about_kernel = {
	"guest-kernel",
	"what the guest's kernel has free is not written",
	"a Linux on x86_64 with VMCOREINFO is needed (CONFIG_CRASH_CORE or CONFIG_VMCORE_INFO)",
};
static const struct fcp_check_about about_balloon = {
	"balloon",
	"a drain was asked for, and goes through it",
	"install it before boot (fcpause balloon-install), or turn the drain off",
};

static int interrupted_error(const struct fcp_doctor *doctor, struct fcp_error *err)
{
	if (!fcp_cancelled(doctor->settings->cancel_fd))
		return 0;
	return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
}

static void check_socket(struct fcp_doctor *doctor, struct fcp_instance *instance_)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_socket);
	struct fcp_error why;
	pid_t pid;

	if (fcp_vm_instance(&doctor->firecracker, instance_, &why) != 0 ||
	    fcp_vm_machine_config(&doctor->firecracker, &doctor->machine, &why) != 0) {
		fcp_check_set(check, FCP_VERDICT_NO, "%s", why.message);
		return;
	}
	pid = fcp_firecracker_pid(&doctor->firecracker);
	doctor->answers = true;
	if (pid > 0)
		fcp_check_set(check, FCP_VERDICT_OK, "Firecracker %s, process %d",
			      instance_->vmm_version, (int)pid);
	else
		fcp_check_set(check, FCP_VERDICT_OK, "Firecracker %s, whose process is unknown",
			      instance_->vmm_version);
}

static void check_vm_state(struct fcp_doctor *doctor, const struct fcp_instance *instance)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_state);

	if (doctor->answers)
		fcp_check_set(check,
			      instance->state == FCP_VM_NOT_STARTED ? FCP_VERDICT_NO
								    : FCP_VERDICT_OK,
			      "%s, %llu MiB, dirty pages %s", fcp_vm_state_name(instance->state),
			      (unsigned long long)(fcp_machine_memory_bytes(&doctor->machine) /
						   FCP_MIB),
			      doctor->machine.track_dirty_pages ? "tracked" : "not tracked");
}

/* false: unknown where guest memory is. */
static bool check_vm_memory(struct fcp_doctor *doctor, struct fcp_guest_ram *ram_)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_memory);
	struct fcp_error why;

	if (!doctor->answers)
		return false;
	if (fcp_vm_memory_find(&doctor->firecracker, &doctor->machine, ram_, &why) != 0) {
		fcp_check_set(check, FCP_VERDICT_NO, "%s", why.message);
		return false;
	}
	fcp_check_set(check, FCP_VERDICT_OK, "%s", fcp_guest_backing_name(ram_->backing));
	return true;
}

static void check_base(struct fcp_doctor *doctor, const struct fcp_guest_ram *ram,
		       struct fcp_snapshot_base *base_)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_base);
	uint64_t bytes = fcp_machine_file_bytes(&doctor->machine);
	struct fcp_error why;

	if (!ram)
		return;
	if (fcp_snapshot_base_open(ram, doctor->settings->base, bytes, base_, &why) != 0)
		fcp_check_set(check, FCP_VERDICT_NO, "%s", why.message);
	else if (base_->fd < 0)
		fcp_check_set(check, FCP_VERDICT_OK, "the VM was booted, and has none");
	else
		fcp_check_set(check, FCP_VERDICT_OK, "%s", base_->path);
	doctor->restored = base_->fd >= 0;
}

/* A running guest changes its free lists while they are read: try several times. */
#define ATTEMPTS 5

static int check_free_pages(struct fcp_doctor *doctor, const struct fcp_guest_ram *ram, int base_fd,
			    struct fcp_check *check, struct fcp_error *err)
{
	const struct fcp_free_look look = {doctor->settings->cancel_fd, doctor->settings->confine};
	struct fcp_guest_free found = {0};
	struct fcp_guest_memory memory;
	int ran;

	if (fcp_guest_memory_open_process(ram, base_fd, &memory, err) != 0)
		return -1;
	ran = fcp_free_look_for(&memory, &look, &found, err);
	fcp_guest_memory_close(&memory);
	if (ran == 0)
		fcp_check_set(check, FCP_VERDICT_OK, "Linux %s, %llu MiB free", found.release,
			      (unsigned long long)(found.free_bytes / FCP_MIB));
	fcp_guest_free_clear(&found);
	return ran;
}

static void check_kernel(struct fcp_doctor *doctor, const struct fcp_guest_ram *ram, int base_fd)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_kernel);
	struct fcp_error why;

	if (!ram)
		return;
	for (unsigned i = 0; i < ATTEMPTS; i++)
		if (check_free_pages(doctor, ram, base_fd, check, &why) == 0)
			return;
	fcp_check_set(check, FCP_VERDICT_NO, "%s", why.message);
}

static void check_balloon(struct fcp_doctor *doctor)
{
	struct fcp_check *check = fcp_doctor_add(doctor, &about_balloon);
	struct fcp_balloon balloon;
	struct fcp_error why;
	bool present;

	if (!doctor->answers || !doctor->settings->drain_on)
		return;
	if (fcp_balloon_get(&doctor->firecracker, &present, &balloon, &why) != 0)
		fcp_check_set(check, FCP_VERDICT_NO, "%s", why.message);
	else if (!present)
		fcp_check_set(check, FCP_VERDICT_NO, "there is no balloon");
	else
		fcp_check_set(check, balloon.free_page_hinting ? FCP_VERDICT_OK : FCP_VERDICT_NO,
			      "hinting is %s", balloon.free_page_hinting ? "armed" : "off");
}

int fcp_doctor_vm(struct fcp_doctor *doctor, struct fcp_error *err)
{
	struct fcp_snapshot_base base = FCP_SNAPSHOT_BASE_NONE;
	FCP_CLEANUP(guest_ram) struct fcp_guest_ram ram = {0};
	struct fcp_instance instance = {.state = FCP_VM_UNKNOWN};
	bool found;

	check_socket(doctor, &instance);
	check_vm_state(doctor, &instance);
	doctor->answers = doctor->answers && instance.state != FCP_VM_NOT_STARTED;
	found = check_vm_memory(doctor, &ram);
	check_base(doctor, found ? &ram : NULL, &base);
	check_kernel(doctor, found ? &ram : NULL, base.fd);
	check_balloon(doctor);
	fcp_snapshot_base_close(&base);
	return interrupted_error(doctor, err);
}
