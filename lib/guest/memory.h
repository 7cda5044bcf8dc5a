// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's physical memory, read only: where a guest-physical address (GPA) lies in a memory
 * file, or in a Firecracker process, and what is there.
 *
 * Firecracker writes its RAM regions one after the other into the memory file. On x86_64 the first
 * begins at 0 and ends at the hole below 4 GiB, which starts at 3 GiB (since 1.13) or 3.25 GiB
 * (older); what is left goes on at 4 GiB, and since 1.13 past a second hole from 256 to 512 GiB
 * (src/vmm/src/arch/x86_64/{layout,mod}.rs, arch_memory_regions()). The file does not say which, so
 * a memory has layouts to try; the proofs of guest/kernel/kernel.h tell them apart. Hot-pluggable
 * memory is one more region behind them, in the file as well, with as many bytes as can be plugged
 * in.
 *
 * Nothing here is mapped: a file that becomes shorter is an error, never a signal.
 */
#ifndef FCP_GUEST_MEMORY_H
#define FCP_GUEST_MEMORY_H

#include "fcpause.h"

#define FCP_GUEST_REGIONS_MAX 6
#define FCP_GUEST_LAYOUTS_MAX 8
/* Hot-pluggable memory (virtio-mem) is one region from here on: past_mmio64_memory, 1.14 and
 * later. */
#define FCP_GUEST_HOTPLUG_GPA (UINT64_C(512) << 30)

/* Where a region of RAM lies. */
struct fcp_guest_region {
	uint64_t gpa;	  /* of its first byte */
	uint64_t bytes;	  /* whole pages */
	uint64_t offset;  /* in the memory file */
	uint64_t address; /* in the source: the offset, or an address of the process */
};

/* How much memory the VM has (GET /machine-config, GET /hotplug/memory): the file holds both. */
struct fcp_guest_size {
	uint64_t boot_bytes;
	uint64_t hotplug_bytes; /* all that can be plugged in; 0: no such device */
};

struct fcp_guest_arch;

/*
 * A guest's memory. Plain data: a copy is a view with the same descriptors, which it does not own.
 * Only what fcp_guest_memory_open_process() made is to be closed.
 */
struct fcp_guest_memory {
	int fd;	     /* the memory file; -1 for a process */
	int base_fd; /* the layer's base, or -1: what lies there is unknown then */
	const struct fcp_memory_source *source; /* instead of fd: read by callbacks; else NULL */
	const struct fcp_memory_source *base_source; /* the same instead of base_fd */
	enum fcp_holes
		holes; /* BASE, or zeros (of a process: what a userfaultfd has not filled in) */
	struct fcp_guest_process *process; /* NULL for a file */
	uint64_t bytes;			   /* of RAM, all regions together */
	const struct fcp_guest_arch *arch; /* whose layout it is */
	unsigned region_count;
	struct fcp_guest_region regions[FCP_GUEST_REGIONS_MAX];
	unsigned layout_count;
	const struct fcp_guest_arch *layout_archs[FCP_GUEST_LAYOUTS_MAX];
	struct fcp_guest_region layouts[FCP_GUEST_LAYOUTS_MAX][FCP_GUEST_REGIONS_MAX];
};

/*
 * A memory file: fd open for reading and borrowed as long as *memory_ is used; base_fd the same for
 * a layer's base of equal size, or -1. Holes are zeros unless they are FCP_HOLES_BASE. *memory_ has
 * the first layout of its size. FCP_ERR_INPUT: empty, no whole pages, or more than Firecracker can
 * have; a base of another size.
 */
int fcp_guest_memory_open_file(int fd, enum fcp_holes holes, int base_fd,
			       struct fcp_guest_memory *memory_, struct fcp_error *err);

/*
 * Memory that the caller holds, and its base or NULL: each a descriptor, as above, or callbacks.
 * Both are of this version of fcpause.h, and borrowed as long as *memory_ is used. Errors as above.
 */
int fcp_guest_memory_open_source(const struct fcp_memory_source *source, enum fcp_holes holes,
				 const struct fcp_memory_source *base,
				 struct fcp_guest_memory *memory_, struct fcp_error *err);

struct fcp_guest_ram;

/*
 * The memory of a running Firecracker, paused by the caller: ram as fcp_guest_ram_find() found it,
 * and borrowed as long as *memory_ is used. base_fd, or -1: of memory that a userfaultfd handler
 * fills in, the file that it does so from; a missing page is read there and never touched. Reads by
 * process_vm_readv(2); offsets are those of the memory file that a snapshot would write. One thread
 * at a time. Release with fcp_guest_memory_close().
 */
int fcp_guest_memory_open_process(const struct fcp_guest_ram *ram, int base_fd,
				  struct fcp_guest_memory *memory_, struct fcp_error *err);

/* The process whose memory it is; 0: a file's. */
pid_t fcp_guest_memory_pid(const struct fcp_guest_memory *memory);

/* Frees what fcp_guest_memory_open_process() made; a file's descriptor is the caller's. */
void fcp_guest_memory_close(struct fcp_guest_memory *memory);

/* *view_ = memory with its layout of that index; false when there are no more. */
bool fcp_guest_memory_layout(const struct fcp_guest_memory *memory, unsigned index,
			     struct fcp_guest_memory *view_);

/* How many of its layouts are of that architecture. */
unsigned fcp_guest_memory_layouts_of(const struct fcp_guest_memory *memory,
				     const struct fcp_guest_arch *arch);

/* The region that holds bytes bytes from gpa on, all of them; NULL when none does. */
const struct fcp_guest_region *fcp_guest_memory_region(const struct fcp_guest_memory *memory,
						       uint64_t gpa, uint64_t bytes);

/* *gpa_ = the GPA of an offset of the memory file; false when it is beyond its end. */
bool fcp_guest_memory_gpa(const struct fcp_guest_memory *memory, uint64_t offset, uint64_t *gpa_);

/*
 * Reads bytes bytes from gpa on, within one region. A hole reads as zeros or as the base's bytes.
 * FCP_ERR_UNSUPPORTED: outside RAM, or in a hole of a layer whose base is not at hand. FCP_ERR_IO:
 * also when the file has become shorter.
 */
int fcp_guest_memory_read(const struct fcp_guest_memory *memory, uint64_t gpa, void *buffer,
			  size_t bytes, struct fcp_error *err);

/*
 * Reads bytes bytes at each of count addresses, one behind the other into buffer: of a process,
 * many by one call. Errors as above, of the first that cannot be read.
 */
int fcp_guest_memory_gather(const struct fcp_guest_memory *memory, const uint64_t *gpas,
			    size_t count, void *buffer, size_t bytes, struct fcp_error *err);

/*
 * *start_ = the first offset at or after offset (of the memory file) at which the source holds
 * data; memory->bytes when there is none. Cheaper than fcp_guest_memory_data(), which asks for the
 * end too.
 */
int fcp_guest_memory_data_start(const struct fcp_guest_memory *memory, uint64_t offset,
				uint64_t *start_, struct fcp_error *err);

/*
 * The first bytes at or after offset (of the memory file) that the source holds, as *extent_ (empty
 * when there are none up to the end). Holes are passed over without being read (SEEK_DATA; of a
 * process's anonymous memory, what is neither present nor swapped). A base is not looked at.
 */
int fcp_guest_memory_data(const struct fcp_guest_memory *memory, uint64_t offset,
			  struct fcp_range *extent_, struct fcp_error *err);

/* *bytes_ = what the source holds at most: a file's blocks and its base's, all RAM of a process. */
int fcp_guest_memory_held(const struct fcp_guest_memory *memory, uint64_t *bytes_,
			  struct fcp_error *err);

/* The offset in the memory file of a GPA in RAM (caller: fcp_guest_memory_region() found it). */
static inline uint64_t fcp_guest_region_offset(const struct fcp_guest_region *region, uint64_t gpa)
{
	return region->offset + (gpa - region->gpa);
}

#endif
