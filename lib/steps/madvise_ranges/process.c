// SPDX-License-Identifier: Apache-2.0
#include "steps/madvise_ranges/process.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/text.h"
#include "base/units.h"
#include "memory/file.h"
#include "memory/range.h"
#include "memory/release.h"
#include "memory/sparse.h"
#include "steps/free_ranges.h"
#include "steps/madvise_ranges/process_run.h"

#include <fcntl.h>

/* Between two checks of the VM's state. */
#define BATCH_BYTES (16 * FCP_MIB)
#define BATCH_RANGES 256

/* The allocator's marks are valid only while no vCPU runs. */
static int check_paused_vm(struct fcp_madvise_process_run *run, struct fcp_machine_config *machine_,
			   struct fcp_error *err)
{
	struct fcp_instance instance;
	pid_t pid;

	if (fcp_vm_instance(&run->firecracker, &instance, err) != 0 ||
	    fcp_vm_machine_config(&run->firecracker, machine_, err) != 0)
		return -1;
	pid = fcp_firecracker_pid(&run->firecracker);
	if (pid != run->settings->pid)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "process %d is not the one behind the API socket, which is %d",
				     (int)run->settings->pid, (int)pid);
	if (instance.state != FCP_VM_PAUSED)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "the VM is %s: its memory can be read only while it is Paused",
				     fcp_vm_state_name(instance.state));
	return 0;
}

/* Opens the memfd behind a region; *offset_ is where the region begins in it. */
static int open_shared(const struct fcp_guest_ram *ram, const struct fcp_guest_region *region,
		       uint64_t *offset_, struct fcp_error *err)
{
	const struct fcp_guest_piece *piece = ram->pieces;
	int fd;

	while (piece->end <= region->address || piece->start > region->address)
		if (++piece == ram->pieces + ram->piece_count)
			return fcp_error_set(err, FCP_ERR_STATE, 0, "guest memory has moved");
	if (!piece->shared)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"guest memory is private to Firecracker, which alone can give it back: "
			"drain through the balloon, or release from the memory file of a snapshot");
	fd = fcp_guest_piece_open(ram->pid, piece, O_RDWR, err);
	*offset_ = piece->file_offset + (region->address - piece->start);
	return fd;
}

/* The part of ranges (offsets in the memory file) that is in region, as offsets in its memfd. */
static int translate_to_file(const struct fcp_ranges *ranges, const struct fcp_guest_region *region,
			     uint64_t memfd_offset, struct fcp_ranges *translated_,
			     struct fcp_error *err)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint64_t start = ranges->items[i].start, end = ranges->items[i].end;

		if (start < region->offset)
			start = region->offset;
		if (end > region->offset + region->bytes)
			end = region->offset + region->bytes;
		if (start < end &&
		    fcp_ranges_add(translated_, start - region->offset + memfd_offset,
				   end - region->offset + memfd_offset, err) != 0)
			return -1;
	}
	return 0;
}

/* Once a vCPU has run, free pages may be in use. */
static int check_paused(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	struct fcp_instance instance;

	if (fcp_vm_instance(&run->firecracker, &instance, err) != 0)
		return fcp_error_wrap(err, "%llu bytes were released",
				      (unsigned long long)run->punched_bytes);
	if (instance.state == FCP_VM_PAUSED)
		return 0;
	if (run->punched_bytes == 0)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "the VM is %s: somebody resumed it while its pages were read; "
				     "nothing was released",
				     fcp_vm_state_name(instance.state));
	return fcp_error_set(
		err, FCP_ERR_NOT_RESTORED, 0,
		"the VM is %s: somebody resumed it while %llu bytes of its memory were "
		"released, and pages that it has taken into use since may be lost: end it, "
		"and restore it from a snapshot",
		fcp_vm_state_name(instance.state), (unsigned long long)run->punched_bytes);
}

/* In batches; before each the VM must still be Paused. */
static int release_ranges(struct fcp_madvise_process_run *run, const struct fcp_file *file,
			  const struct fcp_ranges *ranges, struct fcp_error *err)
{
	uint64_t batch_bytes = BATCH_BYTES;
	size_t batch_ranges = 0;

	for (size_t i = 0; i < ranges->count; i++, batch_ranges++) {
		uint64_t at = ranges->items[i].start, end = ranges->items[i].end;

		while (at < end) {
			uint64_t bytes = end - at < BATCH_BYTES ? end - at : BATCH_BYTES;

			if (batch_bytes + bytes > BATCH_BYTES || batch_ranges == BATCH_RANGES) {
				if (check_paused(run, err) != 0)
					return -1;
				batch_bytes = batch_ranges = 0;
			}
			if (fcp_release_range(file, at, at + bytes, &run->punched_bytes, err) != 0)
				return -1;
			batch_bytes += bytes;
			at += bytes;
		}
	}
	return 0;
}

static int release_region(struct fcp_madvise_process_run *run,
			  const struct fcp_guest_region *region, struct fcp_error *err)
{
	struct fcp_madvise_ranges_result *result = run->result;
	FCP_CLEANUP(ranges) struct fcp_ranges translated = {0};
	uint64_t memfd_offset = 0, checked_bytes = 0;
	FCP_CLEANUP(fd) int fd = open_shared(&run->ram, region, &memfd_offset, err);
	struct fcp_file file = {.fd = fd,
				.name = "guest memory",
				.cancel_fd = run->settings->cancel_fd};
	struct fcp_file_size before, after;
	struct fcp_error uncounted;
	int released;

	if (fd < 0 ||
	    translate_to_file(&result->ranges, region, memfd_offset, &translated, err) != 0 ||
	    fcp_file_size(fd, file.name, &before, err) != 0)
		return -1;
	released = release_ranges(run, &file, &translated, err);
	if (fcp_release_check(&file, &translated, before.allocated_bytes, &checked_bytes,
			      released == 0 ? err : &uncounted) != 0 ||
	    fcp_file_size(fd, file.name, &after, released == 0 ? err : &uncounted) != 0)
		return -1;
	result->released_bytes += checked_bytes;
	result->mem_file.allocated_bytes -= before.allocated_bytes - after.allocated_bytes;
	return released;
}

/* All regions are checked, shared or not, before any is touched. */
static int check_shared(const struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	for (unsigned i = 0; i < run->found.region_count; i++) {
		uint64_t unused;
		FCP_CLEANUP(fd)
		int fd = open_shared(&run->ram, &run->found.regions[i], &unused, err);

		if (fd < 0)
			return -1;
	}
	return 0;
}

static int release_from_process(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	struct fcp_machine_config machine;

	if (check_paused_vm(run, &machine, err) != 0 ||
	    fcp_madvise_process_find(run, &machine, err) != 0)
		return -1;
	if (run->settings->keep)
		return check_paused(run, err);
	if (check_shared(run, err) != 0)
		return -1;
	for (unsigned i = 0; i < run->found.region_count; i++)
		if (release_region(run, &run->found.regions[i], err) != 0)
			return -1;
	return 0;
}

static bool lies_in(const struct fcp_ranges *inner, const struct fcp_ranges *outer)
{
	size_t at = 0;

	for (size_t i = 0; i < inner->count; i++) {
		while (at < outer->count && outer->items[at].end < inner->items[i].end)
			at++;
		if (at == outer->count || outer->items[at].start > inner->items[i].start)
			return false;
	}
	return true;
}

/*
 * Although Paused at both ends, the VM may have run in between. Then a released page that the guest
 * took into use is no longer free in its allocator.
 */
static int check_still_free(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	const struct fcp_free_look look = {-1, run->settings->confine};
	FCP_CLEANUP(guest_free) struct fcp_guest_free now = {0};
	struct fcp_error why;

	if (fcp_free_look_for(&run->memory, &look, &now, &why) == 0 &&
	    lies_in(&run->result->ranges, &now.ranges))
		return 0;
	return fcp_error_set(
		err, FCP_ERR_NOT_RESTORED, 0,
		"the VM is Paused, but has run while %llu bytes of its memory were "
		"released: pages that it has taken into use since may be lost: end it, and "
		"restore it from a snapshot",
		(unsigned long long)run->punched_bytes);
}

/*
 * Checked at the end, even after a failure: that pages may be lost is worse than any other error.
 */
static int check_after_release(struct fcp_madvise_process_run *run, int ran, struct fcp_error *err)
{
	struct fcp_error resumed;

	fcp_firecracker_shield(&run->firecracker);
	if (run->punched_bytes == 0 ||
	    (check_paused(run, &resumed) == 0 && check_still_free(run, &resumed) == 0))
		return ran;
	if (ran == 0 || resumed.error_class == FCP_ERR_NOT_RESTORED)
		*err = resumed;
	return -1;
}

int fcp_madvise_process(const struct fcp_madvise_ranges_settings *settings,
			struct fcp_madvise_ranges_result *result, struct fcp_error *err)
{
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "madvise-ranges");
	FCP_CLEANUP(lock) struct fcp_lock lock = FCP_LOCK_NONE;
	struct fcp_madvise_process_run run = {.settings = settings,
					      .result = result,
					      .base = FCP_SNAPSHOT_BASE_NONE};
	int ran = -1;

	if (!settings->api_sock)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no API socket given");
	if (settings->ranges || settings->mem_file_path ||
	    (settings->find != FCP_FIND_FREE && !settings->keep))
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"of a running process only free pages can be released, and no file can be "
			"given");
	if (fcp_lock_vm(settings->api_sock, &wait, &lock, err) != 0)
		return -1;
	fcp_text_filter(lock.warning, result->warning, sizeof(result->warning));
	if (fcp_firecracker_open(settings->api_sock, 0, settings->cancel_fd, &run.firecracker,
				 err) == 0) {
		fcp_firecracker_observe(&run.firecracker, settings->observer);
		ran = check_after_release(&run, release_from_process(&run, err), err);
	}
	fcp_guest_free_clear(&run.found);
	fcp_guest_memory_close(&run.memory);
	fcp_snapshot_base_close(&run.base);
	fcp_guest_ram_clear(&run.ram);
	fcp_firecracker_close(&run.firecracker);
	return ran;
}
