// SPDX-License-Identifier: Apache-2.0
/*
 * The two files of a snapshot. Firecracker writes them under temporary names beside their targets;
 * they get their own names as a pair when both are whole (steps/snapshot/publish.h).
 */
#ifndef FCP_STEPS_SNAPSHOT_FILES_H
#define FCP_STEPS_SNAPSHOT_FILES_H

#include "base/lock.h"
#include "firecracker/root.h"

struct fcp_snapshot_file {
	struct fcp_place place;
	char *name;	 /* within the place */
	char *temporary; /* name + ".fcpause-tmp": what Firecracker writes */
	char *old;	 /* name + ".fcpause-old": what is being replaced, for a moment */
	char *seen;	 /* the temporary file's path for Firecracker */
	char *host;	 /* the target's path for us */
	int fd;		 /* the temporary file, locked: the lock of the target; -1: not there */
	bool made;	 /* by us, and ours to remove */
	bool leftover;	 /* a run that was killed has left it, with something in it */
	bool no_links;	 /* the file system has no hard links */
	bool no_sync;	 /* the directory cannot be synced */
	int published;	 /* the same file once it has its name, -1: not yet */
};

struct fcp_snapshot_files {
	bool force; /* targets that are there may be replaced */
	struct fcp_snapshot_file snapshot;
	struct fcp_snapshot_file memory;
};

/* Before anything else, and what a cleared one is. */
#define FCP_SNAPSHOT_FILE_NONE                                        \
	{                                                             \
		.place = {.directory = -1}, .fd = -1, .published = -1 \
	}
#define FCP_SNAPSHOT_FILES_NONE                                       \
	{                                                             \
		false, FCP_SNAPSHOT_FILE_NONE, FCP_SNAPSHOT_FILE_NONE \
	}

/* Do both settings name a file? FCP_ERR_USAGE; needs nothing but the settings. */
int fcp_snapshot_files_check_names(const struct fcp_snapshot_settings *settings,
				   struct fcp_error *err);

/*
 * Finds both places (pid: Firecracker's process, for its root). FCP_ERR_USAGE when both name one
 * file. Changes nothing.
 */
int fcp_snapshot_files_find(const struct fcp_snapshot_settings *settings, pid_t pid,
			    struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * May the targets be written? FCP_ERR_INPUT: one is there and force is not set, or is no regular
 * file. With use (it looks through all processes) also FCP_ERR_BUSY: it is in use, by the VM itself
 * for one. Changes nothing, and opens none of them.
 */
int fcp_snapshot_files_check_targets(const struct fcp_snapshot_files *files, bool use,
				     struct fcp_error *err);

/* Is there room for that many bytes each? FCP_ERR_IO with ENOSPC says how much is missing. */
int fcp_snapshot_files_room(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			    uint64_t snapshot_bytes, struct fcp_error *err);

/*
 * Keeps other runs off both targets until the files are cleared: opens or creates the temporary files,
 * and locks them. FCP_ERR_LOCKED, FCP_ERR_INTERRUPTED, FCP_ERR_IO.
 */
int fcp_snapshot_files_lock(struct fcp_snapshot_files *files, const struct fcp_lock_wait *wait,
			    struct fcp_error *err);

/*
 * Makes the temporary files empty ones of ours (0600) for Firecracker's user to write, and finds out
 * what the file systems can do. Needs the lock, and that what was left was recovered.
 */
int fcp_snapshot_files_begin(struct fcp_snapshot_files *files, pid_t pid, struct fcp_error *err);

/* Are both files what Firecracker writes: a memory file of that size, a state that is not empty? */
int fcp_snapshot_files_check(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			     struct fcp_error *err);

/* Removes the temporary files that are there, and frees everything. Safe on a cleared one. */
void fcp_snapshot_files_clear(struct fcp_snapshot_files *files);

/*
 * One file by itself, of whatever makes a memory file (steps/merge.h): the same as above.
 * fcp_snapshot_file_check_name(): what is for the message, "memory file".
 */
int fcp_snapshot_file_check_name(const char *what, const char *path, struct fcp_error *err);
int fcp_snapshot_file_find(const char *path, const char *chroot_base, pid_t pid,
			   struct fcp_snapshot_file *file, struct fcp_error *err);
int fcp_snapshot_file_check_target(const struct fcp_snapshot_file *file, bool force,
				   struct fcp_error *err);
int fcp_snapshot_file_lock(struct fcp_snapshot_file *file, bool force,
			   const struct fcp_lock_wait *wait, struct fcp_error *err);
int fcp_snapshot_file_room(const struct fcp_snapshot_file *file, uint64_t bytes,
			   struct fcp_error *err);
int fcp_snapshot_file_begin(struct fcp_snapshot_file *file, pid_t pid, struct fcp_error *err);
void fcp_snapshot_file_clear(struct fcp_snapshot_file *file);

/* What a snapshot that was killed has set aside there is for the next snapshot to put right:
 * FCP_ERR_INPUT. Needs the lock. */
int fcp_snapshot_file_check_no_old(const struct fcp_snapshot_file *file, struct fcp_error *err);

/* Once it was begun: "", or a warning. Static storage. */
const char *fcp_snapshot_file_doubt(const struct fcp_snapshot_file *file);

#endif
