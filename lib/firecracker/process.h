// SPDX-License-Identifier: Apache-2.0
/* The process behind the API socket, as /proc shows it (proc(5)). */
#ifndef FCP_FIRECRACKER_PROCESS_H
#define FCP_FIRECRACKER_PROCESS_H

#include "base/error.h"

/* Resident memory of the process in bytes; false when /proc does not tell. */
bool fcp_process_rss(pid_t pid, uint64_t *rss_bytes_);

/* Bytes of its anonymous memory that are swapped out (VmSwap); false when /proc does not tell. */
bool fcp_process_swap(pid_t pid, uint64_t *swap_bytes_);

/* Real user and group; false when /proc does not tell. */
bool fcp_process_owner(pid_t pid, uid_t *uid_, gid_t *gid_);

struct fcp_process_memory {
	uint64_t anonymous_bytes; /* writable, private, of no file */
	bool of_files;		  /* some of it is a file's, a memfd's, hugetlbfs's: no program's data */
	bool restored;		  /* some of it is a file's, and private: a snapshot's memory file */
	bool userfault;		  /* it has a userfaultfd: pages may be filled in later */
};

/*
 * What its memory is made of (/proc/PID/maps, /proc/PID/fd): needs the permission to ptrace it.
 * FCP_ERR_IO when /proc does not tell.
 */
int fcp_process_memory(pid_t pid, struct fcp_process_memory *memory_, struct fcp_error *err);

/* One mapping of the process. */
struct fcp_process_mapping {
	uint64_t start; /* addresses */
	uint64_t end;
	uint64_t offset; /* in the file behind it */
	bool shared;	 /* a file (a memfd is one), shared */
};

/* The mapping that holds address. FCP_ERR_IO, also when there is none. */
int fcp_process_mapping(pid_t pid, uint64_t address, struct fcp_process_mapping *mapping_,
			struct fcp_error *err);

#define FCP_PROCESS_PATH_BYTES 96

/*
 * The file that most of the process's private, writable file mappings are of: where the VM was
 * restored from it, its memory file. path_ is the link in /proc/PID/map_files, which leads to the
 * file whatever its name is now; false when there is none.
 */
bool fcp_process_restored_from(pid_t pid, char path_[FCP_PROCESS_PATH_BYTES]);

#endif
