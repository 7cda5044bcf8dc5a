// SPDX-License-Identifier: Apache-2.0
/*
 * The memory file of a snapshot, written by fcpause: Firecracker is held after its state file
 * (firecracker/hold.h), and only those pages are written that are not free, not zeros, and not in
 * the file already, which begins as a clone of the file that the VM was restored from.
 */
#ifndef FCP_STEPS_SNAPSHOT_MEMORY_H
#define FCP_STEPS_SNAPSHOT_MEMORY_H

#include "firecracker/vm.h"
#include "steps/snapshot/files.h"

struct fcp_snapshot_memory_settings {
	const struct fcp_snapshot_settings *snapshot;
	const struct fcp_snapshot_files *files;
	const struct fcp_firecracker *firecracker; /* that has answered */
	const struct fcp_machine_config *machine;
	uint32_t timeout_ms; /* limit for Firecracker to save its state */
};

struct fcp_snapshot_memory;

/*
 * Is it possible? Finds the guest's memory and its base, while the guest runs; changes nothing. The
 * settings are borrowed for the lifetime of *memory_. FCP_ERR_UNSUPPORTED: Firecracker has to
 * write; the message says why. FCP_ERR_INPUT: the given base is not the VM's.
 */
int fcp_snapshot_memory_open(const struct fcp_snapshot_memory_settings *settings,
			     struct fcp_snapshot_memory **memory_, struct fcp_error *err);

/* The most bytes that the file can take. */
uint64_t fcp_snapshot_memory_room(const struct fcp_snapshot_memory *memory);

/* The name of the pipe, in the memory file's directory, by which Firecracker can be released. */
const char *fcp_snapshot_memory_fifo(const struct fcp_snapshot_memory *memory);

/*
 * Once the temporary files exist, still before the pause: makes the pipe, and the memory file as a
 * clone of the base. FCP_ERR_UNSUPPORTED as above; FCP_ERR_IO, FCP_ERR_INTERRUPTED.
 */
int fcp_snapshot_memory_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/*
 * With the VM Paused: holds Firecracker, finds what to write, writes it or copies it to memory, and
 * releases Firecracker. The VM is Paused afterwards in any case. FCP_ERR_UNSUPPORTED,
 * FCP_ERR_PROTOCOL: Firecracker was not held, but can write the snapshot itself. FCP_ERR_STATE:
 * with verify, pages differ. Others as fcp_hold_wait() and fcp_writer_write().
 */
int fcp_snapshot_memory_take(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			     struct fcp_error *err);

/* What can be done while the guest runs again: writes what was copied, and punches the holes. */
int fcp_snapshot_memory_finish(struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result, struct fcp_error *err);

/* NULL-safe. Removes the pipe. */
void fcp_snapshot_memory_free(struct fcp_snapshot_memory *memory);

#endif
