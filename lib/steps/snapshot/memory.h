// SPDX-License-Identifier: Apache-2.0
/*
 * The memory file of a snapshot, written by fcpause: Firecracker is held behind its state file
 * (firecracker/hold.h), and of the guest's memory only those pages are written that are not free, not zeros,
 * and not what the memory file began with: a clone of the file that the VM was restored from.
 */
#ifndef FCP_STEPS_SNAPSHOT_MEMORY_H
#define FCP_STEPS_SNAPSHOT_MEMORY_H

#include "firecracker/vm.h"
#include "steps/snapshot/files.h"

struct fcp_snapshot_memory_settings {
	const struct fcp_snapshot_settings *snapshot;
	const struct fcp_snapshot_files *files;
	const struct fcp_firecracker *firecracker; /* which has answered */
	const struct fcp_machine_config *machine;
	uint32_t timeout_ms; /* for Firecracker to save its state */
};

struct fcp_snapshot_memory;

/*
 * Can it be done? Finds the guest's memory and its base, while the guest runs; changes nothing. The
 * settings are borrowed for as long as *memory_ lives. FCP_ERR_UNSUPPORTED: Firecracker has to write, the message
 * says why. FCP_ERR_INPUT: the base that was given cannot be it.
 */
int fcp_snapshot_memory_open(const struct fcp_snapshot_memory_settings *settings,
			     struct fcp_snapshot_memory **memory_, struct fcp_error *err);

/* How many bytes the file can take at most. */
uint64_t fcp_snapshot_memory_room(const struct fcp_snapshot_memory *memory);

/* The named pipe, in the memory file's directory: for whoever has to let Firecracker go. */
const char *fcp_snapshot_memory_fifo(const struct fcp_snapshot_memory *memory);

/*
 * Once the temporary files are there, still before the pause: the pipe, and the memory file as a clone
 * of the base. FCP_ERR_UNSUPPORTED as above; FCP_ERR_IO, FCP_ERR_INTERRUPTED.
 */
int fcp_snapshot_memory_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/*
 * With the VM Paused: holds Firecracker, finds what has to be written, writes it or copies it to memory, and
 * lets Firecracker go. The VM is Paused afterwards as before, whatever happens. FCP_ERR_UNSUPPORTED,
 * FCP_ERR_PROTOCOL: Firecracker was not held, but can write a snapshot of its own. FCP_ERR_STATE: with
 * verify, pages differ. Others as of fcp_hold_wait() and fcp_writer_write().
 */
int fcp_snapshot_memory_take(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			     struct fcp_error *err);

/* What need not be done while the guest stands still: writes what was copied, makes the holes. */
int fcp_snapshot_memory_finish(struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result, struct fcp_error *err);

/* NULL-safe. The pipe is removed. */
void fcp_snapshot_memory_free(struct fcp_snapshot_memory *memory);

#endif
