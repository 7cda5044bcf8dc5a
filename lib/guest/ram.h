// SPDX-License-Identifier: Apache-2.0
/*
 * Where a Firecracker process holds its guest's memory, proven: the process has the KVM VM open
 * (/proc/PID/fd: anon_inode:kvm-vm), and its mappings hold regions of exactly the sizes that the
 * API tells. A proxy before the API socket, or a process that has got the number of one that ended,
 * has neither. The project's simulator has no KVM: it has open a memfd that is called
 * FCP_GUEST_SIM_MEMFD.
 *
 * Firecracker maps each region of RAM on its own (src/vmm/src/vstate/memory.rs): anonymous memory
 * of a VM that was booted, or filled by a userfaultfd handler; a private mapping of the memory file
 * that it was restored from, in which discarded ranges are mapped anew as anonymous memory; a
 * shared memfd for vhost-user; huge pages. Slots of hot-pluggable memory that are not plugged in
 * are PROT_NONE.
 */
#ifndef FCP_GUEST_RAM_H
#define FCP_GUEST_RAM_H

#include "guest/memory.h"

#define FCP_GUEST_SIM_MEMFD "fcpause-sim-vm"

enum fcp_guest_backing {
	FCP_GUEST_BACKING_ANONYMOUS, /* private: what is neither present nor swapped is zeros */
	FCP_GUEST_BACKING_FILE,	     /* private: what is not anonymous is the file's */
	FCP_GUEST_BACKING_USERFAULT, /* private: a handler fills pages in when touched */
	FCP_GUEST_BACKING_HUGETLB,   /* private huge pages: what is not present is zeros */
	FCP_GUEST_BACKING_SHARED,    /* a memfd, or a file on hugetlbfs: what is a hole is zeros */
};

/* "anonymous memory", …: for messages. */
const char *fcp_guest_backing_name(enum fcp_guest_backing backing);

/* A part of guest memory that is one mapping. */
struct fcp_guest_piece {
	uint64_t start; /* addresses of the process */
	uint64_t end;
	uint64_t offset; /* of start in the memory file */
	bool of_file;	 /* a file's: inode, dev and file_offset say which */
	bool shared;
	bool hugetlb;	   /* private huge pages of no file */
	bool inaccessible; /* PROT_NONE: not plugged in, never read */
	uint64_t inode;	   /* as in /proc/PID/maps; open it by fcp_guest_piece_open() */
	uint64_t dev;
	uint64_t file_offset;	/* of start in that file */
	uint64_t mapping_start; /* the mapping that it is of, as map_files names it */
	uint64_t mapping_end;
};

/* Where the piece ends in the memory file. */
static inline uint64_t fcp_guest_piece_end(const struct fcp_guest_piece *piece)
{
	return piece->offset + (piece->end - piece->start);
}

/* The address of an offset of the memory file that lies in the piece. */
static inline uint64_t fcp_guest_piece_address(const struct fcp_guest_piece *piece, uint64_t offset)
{
	return piece->start + (offset - piece->offset);
}

struct fcp_guest_ram {
	pid_t pid;
	enum fcp_guest_backing backing;
	/* Regions with their addresses. More than one layout only where the process's mappings
	 * do not show which region is which: the guest's kernel does (guest/kernel/search.h). */
	unsigned layout_count;
	struct fcp_guest_region layouts[FCP_GUEST_LAYOUTS_MAX][FCP_GUEST_REGIONS_MAX];
	const struct fcp_guest_arch *layout_archs[FCP_GUEST_LAYOUTS_MAX];
	/* Does every layout put the same offsets of the memory file at the same addresses? */
	bool unambiguous;
	/* Of the first layout, ascending by offset; they cover all of it. Owned. */
	struct fcp_guest_piece *pieces;
	size_t piece_count;
};

/*
 * Finds the memory of the VM that process pid runs: of size as the API tells. pidfd, where it is
 * not -1, is held against a PID that has been given to another process. FCP_ERR_UNSUPPORTED: it is
 * not proven to be the VM's process, the message says why, or it may not be looked at;
 * FCP_ERR_STATE: it has ended. Release with fcp_guest_ram_clear().
 */
int fcp_guest_ram_find(pid_t pid, int pidfd, const struct fcp_guest_size *size,
		       struct fcp_guest_ram *ram_, struct fcp_error *err);

/* The number of the first piece that ends behind that offset of the memory file; piece_count:
 * none. */
size_t fcp_guest_ram_piece(const struct fcp_guest_ram *ram, uint64_t offset);

/*
 * Do the pieces lie where the guest's kernel has the regions (of struct fcp_guest_free; count 0:
 * not known)? Where regions of one size cannot be told apart otherwise, the kernel decides.
 * FCP_ERR_UNSUPPORTED: which mapping is which region is not known.
 */
int fcp_guest_ram_check_regions(const struct fcp_guest_ram *ram,
				const struct fcp_guest_region *regions, unsigned count,
				struct fcp_error *err);

/* Nothing of a file is among its pages: see fcp_guest_pagemap.no_files. */
static inline bool fcp_guest_ram_has_no_files(const struct fcp_guest_ram *ram)
{
	return ram->backing == FCP_GUEST_BACKING_ANONYMOUS ||
	       ram->backing == FCP_GUEST_BACKING_HUGETLB;
}

/* Safe on a zeroed struct. */
void fcp_guest_ram_clear(struct fcp_guest_ram *ram);

static inline void fcp_cleanup_guest_ram(struct fcp_guest_ram *ram)
{
	fcp_guest_ram_clear(ram);
}

/* Opens the file behind a piece by the mapping itself (/proc/PID/map_files): its name may lead
 * elsewhere by now. flags: as of open(2). -1 with *err set. */
int fcp_guest_piece_open(pid_t pid, const struct fcp_guest_piece *piece, int flags,
			 struct fcp_error *err);

/* Does the process have a KVM VM (or the simulator's sign) open? Errors as fcp_guest_ram_find(). */
int fcp_guest_ram_has_vm(pid_t pid, bool *has_, struct fcp_error *err);

#endif
