// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/publish.h"

#include "steps/snapshot/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Which names of one file exist. */
struct found_names {
	bool name;	/* NAME */
	bool temporary; /* NAME.fcpause-tmp, and not empty */
	bool same;	/* both are one file */
	bool old;	/* NAME.fcpause-old */
};

static bool is_empty(const struct fcp_snapshot_file *file, const char *name)
{
	struct stat status;

	return fstatat(file->place.directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode) && status.st_size == 0;
}

static int find_names(struct fcp_snapshot_file *file, struct found_names *found_,
		      struct fcp_error *err)
{
	int directory = file->place.directory;
	struct found_names found = {.temporary = file->leftover};

	/* Left from the test for hard links. */
	if (fcp_snapshot_name_is_ours(file, file->old))
		unlinkat(directory, file->old, 0);
	found.old = fcp_snapshot_name_exists(file, file->old);
	found.same = found.temporary && fcp_snapshot_name_is_ours(file, file->name);
	/*
	 * It reserved the name for a file that never came, and must be removed before what proves
	 * that.
	 */
	if (found.old && found.temporary && !found.same && is_empty(file, file->name)) {
		unlinkat(directory, file->name, 0);
		if (fcp_snapshot_sync(file, err) != 0)
			return -1;
	}
	found.name = fcp_snapshot_name_exists(file, file->name);
	*found_ = found;
	return 0;
}

/* Does the new file have its name? (See publish.h.) */
static bool is_placed(const struct found_names *found)
{
	return found->name && (found->same || (found->old && !found->temporary));
}

static int in_doubt(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_INPUT, 0,
			     "%s" FCP_OLD_SUFFIX
			     " was left by a killed run, and whether it or %s is the one to keep "
			     "is unknown: move one of them away",
			     file->host, file->name);
}

static int sync_both(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (fcp_snapshot_sync(&files->memory, err) != 0)
		return -1;
	return fcp_snapshot_sync(&files->snapshot, err);
}

static int recover_drop_old(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (unlinkat(file->place.directory, file->old, 0) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_OLD_SUFFIX, file->host);
	return fcp_snapshot_sync(file, err);
}

/* The new snapshot file has its name, which it got after the new memory file. */
static int finish_recovery(struct fcp_snapshot_files *files, const struct found_names *snapshot,
			   const struct found_names *memory, struct fcp_error *err)
{
	bool whole = memory->name && (is_placed(memory) || (!memory->old && !memory->temporary));

	if (!snapshot->old && !memory->old)
		return 0;
	if (!whole)
		return in_doubt(snapshot->old ? &files->snapshot : &files->memory, err);
	/*
	 * The names that make the old files superfluous must be durable before those are removed.
	 */
	if (sync_both(files, err) != 0 ||
	    (memory->old && recover_drop_old(&files->memory, err) != 0) ||
	    (snapshot->old && recover_drop_old(&files->snapshot, err) != 0))
		return -1;
	return 0;
}

/* Withdraws the new memory file alone; atomically if the old one takes its place. */
static int recover_withdraw_new(const struct fcp_snapshot_file *file,
				const struct found_names *found, struct fcp_error *err)
{
	int directory = file->place.directory;
	bool replaced = found->old && !fcp_snapshot_old_is_mark(file);

	if (replaced ? renameat(directory, file->old, directory, file->name) != 0
		     : unlinkat(directory, file->name, 0) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	return 0;
}

/* Restores the name of an old file; removes a mark. */
static int recover_old_name(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (!fcp_snapshot_name_exists(file, file->old))
		return 0;
	if (fcp_snapshot_old_is_mark(file))
		return recover_drop_old(file, err);
	if (fcp_snapshot_rename(file, file->old, file->name) != 0)
		return errno == EEXIST ? in_doubt(file, err)
				       : fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_OLD_SUFFIX,
						       file->host);
	return fcp_snapshot_sync(file, err);
}

int fcp_snapshot_recover(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	struct found_names snapshot, memory;

	if (find_names(&files->snapshot, &snapshot, err) != 0 ||
	    find_names(&files->memory, &memory, err) != 0)
		return -1;
	if (is_placed(&snapshot))
		return finish_recovery(files, &snapshot, &memory, err);
	/*
	 * A snapshot file that is not ours may belong to this memory file: then nothing is known.
	 */
	if (!snapshot.name && snapshot.temporary && is_placed(&memory)) {
		if (recover_withdraw_new(&files->memory, &memory, err) != 0 ||
		    fcp_snapshot_sync(&files->memory, err) != 0)
			return -1;
	}
	if (recover_old_name(&files->memory, err) != 0)
		return -1;
	return recover_old_name(&files->snapshot, err);
}
