// SPDX-License-Identifier: Apache-2.0
/* Between guest/memory.c and guest/process.c only. */
#ifndef FCP_GUEST_MEMORY_SOURCE_H
#define FCP_GUEST_MEMORY_SOURCE_H

#include "guest/memory.h"

/* Fills in the layouts of that size, of one architecture or (NULL) of all, and takes the first;
 * their addresses are the offsets. */
void fcp_guest_memory_lay_out(struct fcp_guest_memory *memory, const struct fcp_guest_size *size,
			      const struct fcp_guest_arch *arch);

/* FCP_ERR_INPUT when no guest can have that much RAM. */
int fcp_guest_memory_check_size(uint64_t bytes, struct fcp_error *err);

/* The size of a source: of its file, or as it says. name is for messages. FCP_ERR_INPUT,
 * FCP_ERR_IO. */
int fcp_guest_source_bytes(const struct fcp_memory_source *source, const char *name,
			   uint64_t *bytes_, struct fcp_error *err);

/* Reads by a source's callback. */
int fcp_guest_source_read(const struct fcp_memory_source *source, uint64_t at, void *buffer,
			  size_t bytes, struct fcp_error *err);

/* The first data at or after offset, as the source's callback says; without one, all is data. */
int fcp_guest_source_data(const struct fcp_memory_source *source, uint64_t offset,
			  struct fcp_range *extent_, struct fcp_error *err);

/* pread(2), all of it. */
int fcp_guest_read_whole(int fd, uint64_t at, void *buffer, size_t bytes, struct fcp_error *err);

/* Reads bytes bytes of the region, from that byte of it on. */
int fcp_guest_process_read(const struct fcp_guest_memory *memory,
			   const struct fcp_guest_region *region, uint64_t within, void *buffer,
			   size_t bytes, struct fcp_error *err);

/*
 * Reads bytes bytes at each of up to FCP_GUEST_GATHER_MAX addresses of RAM, one behind the other.
 * false where that cannot be done at once, or not of all: one by one tells which.
 */
#define FCP_GUEST_GATHER_MAX 512
bool fcp_guest_process_gather(const struct fcp_guest_memory *memory, const uint64_t *gpas,
			      size_t count, void *buffer, size_t bytes);

/* fcp_guest_memory_data_start() and fcp_guest_memory_data() of a process. */
int fcp_guest_process_data_start(const struct fcp_guest_memory *memory, uint64_t offset,
				 uint64_t *start_, struct fcp_error *err);
int fcp_guest_process_data(const struct fcp_guest_memory *memory, uint64_t offset,
			   struct fcp_range *extent_, struct fcp_error *err);

#endif
