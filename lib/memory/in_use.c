// SPDX-License-Identifier: Apache-2.0
#include "memory/in_use.h"

#include "base/cleanup.h"
#include "memory/in_use_process.h"
#include "memory/lease.h"

#include <fcntl.h>

int fcp_in_use_error(const struct fcp_in_use *use, const char *name, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: in use: process %d (%s) %s", name,
			     (int)use->pid, use->comm,
			     use->how == FCP_IN_USE_MAPPED ? "maps it" : "has it open for writing");
}

/* Adds how one process uses the file; true if that settles the question. */
static bool look_at_process(const struct fcp_used_file *file, int proc, pid_t pid,
			    struct fcp_in_use *use)
{
	struct fcp_process_use theirs;

	fcp_process_use(file, proc, &theirs);
	use->hidden += theirs.hidden && pid != getpid();
	if (!theirs.mapped && theirs.readers + theirs.writers == 0)
		return false;
	if (pid == getpid()) {
		use->self = theirs.mapped || theirs.readers + theirs.writers > 1;
		return false;
	}
	if (!theirs.mapped && theirs.all_close_on_exec && fcp_process_is_fork(proc)) {
		use->forks++;
		return false;
	}
	if (!theirs.mapped && theirs.writers == 0) {
		use->readers++;
		return false;
	}
	use->how = theirs.mapped ? FCP_IN_USE_MAPPED : FCP_IN_USE_WRITER;
	use->pid = pid;
	fcp_process_comm(proc, use->comm, sizeof(use->comm));
	return true;
}

static int look_at_processes(const struct fcp_used_file *file, struct fcp_in_use *use,
			     struct fcp_error *err)
{
	FCP_CLEANUP(dir) DIR *dir = opendir("/proc");
	const struct dirent *entry;

	if (!dir)
		return fcp_error_set(err, FCP_ERR_IO, errno, "/proc");
	while ((entry = readdir(dir)) != NULL) {
		FCP_CLEANUP(fd) int proc = -1;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc >= 0 && look_at_process(file, proc, (pid_t)atoi(entry->d_name), use))
			return 0;
	}
	return 0;
}

int fcp_in_use_look(int fd, struct fcp_in_use *use_, struct fcp_error *err)
{
	struct fcp_in_use use = {0};
	struct fcp_used_file file;
	int looked;

	if (fcp_used_file_init(fd, &file, err) < 0)
		return -1;
	looked = look_at_processes(&file, &use, err);
	fcp_used_file_clear(&file);
	if (looked == 0)
		*use_ = use;
	return looked;
}

int fcp_in_use_find(int fd, struct fcp_in_use *use_, struct fcp_error *err)
{
	if (!fcp_lease_counts_mappings(fd) || !fcp_lease_take(fd))
		return fcp_in_use_look(fd, use_, err);
	fcp_lease_drop(fd);
	*use_ = (struct fcp_in_use){.how = FCP_IN_USE_NOT};
	return 0;
}
