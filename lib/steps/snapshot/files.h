// SPDX-License-Identifier: Apache-2.0
/*
 * The two files of a snapshot. They are written under temporary names beside their targets, and get
 * their final names as a pair when both are complete (steps/snapshot/publish.h).
 */
#ifndef FCP_STEPS_SNAPSHOT_FILES_H
#define FCP_STEPS_SNAPSHOT_FILES_H

#include "base/lock.h"
#include "firecracker/root.h"

struct fcp_snapshot_file {
	struct fcp_place place;
	char *name;	 /* within the place */
	char *temporary; /* name + ".fcpause-tmp": what is written */
	char *old;	 /* name + ".fcpause-old": what is being replaced, temporarily */
	char *seen;	 /* the temporary file's path for Firecracker */
	char *host;	 /* the target's path for us */
	int fd;		 /* the temporary file, locked, which locks the target; -1: absent */
	bool made;	 /* by us, and to be removed by us */
	bool leftover;	 /* left by a killed run, and not empty */
	bool no_links;	 /* the file system has no hard links */
	bool no_sync;	 /* the directory cannot be synced */
	int published;	 /* the same file once it has its name; -1: not yet */
};

struct fcp_snapshot_files {
	bool force; /* existing targets may be replaced */
	struct fcp_snapshot_file snapshot;
	struct fcp_snapshot_file memory;
};

/* The initial value, and that of a cleared one. */
#define FCP_SNAPSHOT_FILE_NONE                                        \
	{                                                             \
		.place = {.directory = -1}, .fd = -1, .published = -1 \
	}
#define FCP_SNAPSHOT_FILES_NONE                                       \
	{                                                             \
		false, FCP_SNAPSHOT_FILE_NONE, FCP_SNAPSHOT_FILE_NONE \
	}

/* Do both settings name a file? FCP_ERR_USAGE. Needs only the settings. */
int fcp_snapshot_files_check_names(const struct fcp_snapshot_settings *settings,
				   struct fcp_error *err);

/*
 * Finds both places (pid: Firecracker's process, for its root). FCP_ERR_USAGE: both name one file.
 * Changes nothing.
 */
int fcp_snapshot_files_find(const struct fcp_snapshot_settings *settings, pid_t pid,
			    struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * May the targets be written? FCP_ERR_INPUT: one exists and force is not set, or is not a regular
 * file. With use (which scans all processes) also FCP_ERR_BUSY: it is in use, such as by the VM
 * itself. Changes nothing, and opens neither.
 */
int fcp_snapshot_files_check_targets(const struct fcp_snapshot_files *files, bool use,
				     struct fcp_error *err);

/* Is there room for that many bytes of each? FCP_ERR_IO with ENOSPC tells how much is missing. */
int fcp_snapshot_files_room(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			    uint64_t snapshot_bytes, struct fcp_error *err);

/*
 * Locks both targets against other runs until the files are cleared, by opening or creating the
 * temporary files and locking them. FCP_ERR_LOCKED, FCP_ERR_INTERRUPTED, FCP_ERR_IO.
 */
int fcp_snapshot_files_lock(struct fcp_snapshot_files *files, const struct fcp_lock_wait *wait,
			    struct fcp_error *err);

/*
 * Replaces the temporary files by empty ones of ours (0600) that Firecracker's user can write, and
 * finds out what the file systems can do. Call it with the lock held, after recovery.
 */
int fcp_snapshot_files_begin(struct fcp_snapshot_files *files, pid_t pid, struct fcp_error *err);

/*
 * Are both files as Firecracker writes them: a memory file of that size, a state file that is not
 * empty?
 */
int fcp_snapshot_files_check(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			     struct fcp_error *err);

/* Removes the temporary files and frees everything. Safe on a cleared struct. */
void fcp_snapshot_files_clear(struct fcp_snapshot_files *files);

/*
 * The same for one file alone, for other steps that make a memory file (steps/merge). what, for
 * messages: "memory file".
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

/*
 * FCP_ERR_INPUT if a killed snapshot has set aside the target, for the next snapshot to recover.
 * Needs the lock.
 */
int fcp_snapshot_file_check_no_old(const struct fcp_snapshot_file *file, struct fcp_error *err);

/* After _begin: a warning, or "". Static storage. */
const char *fcp_snapshot_file_doubt(const struct fcp_snapshot_file *file);

#endif
