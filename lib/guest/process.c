// SPDX-License-Identifier: Apache-2.0
/* A process as the source of guest/memory.h. */
#include "guest/memory.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/memory_source.h"
#include "guest/pagemap.h"
#include "guest/ram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define WORD_BITS 64

struct fcp_guest_process {
	const struct fcp_guest_ram *ram;
	uint64_t bytes;
	/* A bit a page of the memory file: does the process hold it? Made when it is first asked for, by one
	 * walk of the page tables; NULL before. */
	uint64_t *held;
};

/* ---- what is there ---- */

static void mark(uint64_t *held, uint64_t page, uint64_t end)
{
	for (; page < end && page % WORD_BITS != 0; page++)
		held[page / WORD_BITS] |= UINT64_C(1) << page % WORD_BITS;
	for (; page + WORD_BITS <= end; page += WORD_BITS)
		held[page / WORD_BITS] = UINT64_MAX;
	for (; page < end; page++)
		held[page / WORD_BITS] |= UINT64_C(1) << page % WORD_BITS;
}

/* Of anonymous memory, what is neither present nor swapped is not there. */
static int mark_present(const struct fcp_guest_piece *piece, struct fcp_guest_pagemap *pagemap,
			uint64_t *held, struct fcp_error *err)
{
	struct fcp_guest_run run;

	for (uint64_t at = piece->start; at < piece->end; at = run.end) {
		if (fcp_guest_pagemap_next(pagemap, at, piece->end, &run, err) != 0)
			return -1;
		if (run.kind != FCP_GUEST_PAGE_ABSENT)
			mark(held, (piece->offset + (run.start - piece->start)) / FCP_PAGE_BYTES,
			     (piece->offset + (run.end - piece->start)) / FCP_PAGE_BYTES);
	}
	return 0;
}

static int mark_pieces(const struct fcp_guest_ram *ram, uint64_t *held, struct fcp_error *err)
{
	FCP_CLEANUP(guest_pagemap) struct fcp_guest_pagemap pagemap = {.fd = -1};

	if (fcp_guest_pagemap_open(ram->pid, &pagemap, err) != 0)
		return -1;
	pagemap.no_files = fcp_guest_ram_has_no_files(ram);
	for (size_t i = 0; i < ram->piece_count; i++) {
		const struct fcp_guest_piece *piece = &ram->pieces[i];
		uint64_t bytes = piece->end - piece->start;

		if (piece->inaccessible)
			continue;
		/* What is not present of a file's mapping is the file's bytes. */
		if (piece->of_file || piece->shared)
			mark(held, piece->offset / FCP_PAGE_BYTES,
			     (piece->offset + bytes) / FCP_PAGE_BYTES);
		else if (mark_present(piece, &pagemap, held, err) != 0)
			return -1;
	}
	return 0;
}

static int find_held(struct fcp_guest_process *process, struct fcp_error *err)
{
	FCP_CLEANUP(free) uint64_t *held = NULL;
	uint64_t pages = process->bytes / FCP_PAGE_BYTES;

	if (process->held)
		return 0;
	held = calloc(pages / WORD_BITS + 1, sizeof(*held));
	if (!held)
		return fcp_error_nomem(err);
	/* The pieces are those of one layout: where they are in doubt, all may be there. */
	if (!process->ram->unambiguous)
		mark(held, 0, pages);
	else if (mark_pieces(process->ram, held, err) != 0)
		return -1;
	process->held = fcp_steal_pointer(&held);
	return 0;
}

/* The first page from page on that is there, or is not; end when there is none. */
static uint64_t next_page(const uint64_t *held, uint64_t page, uint64_t end, bool there)
{
	uint64_t word;

	if (page >= end)
		return end;
	word = (there ? held[page / WORD_BITS] : ~held[page / WORD_BITS]) >> page % WORD_BITS;
	if (word == 0) {
		page = fcp_align_down(page, WORD_BITS) + WORD_BITS;
		while (page < end && held[page / WORD_BITS] == (there ? 0 : UINT64_MAX))
			page += WORD_BITS;
		if (page >= end)
			return end;
		word = there ? held[page / WORD_BITS] : ~held[page / WORD_BITS];
	}
	page += (uint64_t)__builtin_ctzll(word);
	return page < end ? page : end;
}

int fcp_guest_process_data(const struct fcp_guest_memory *memory, uint64_t offset,
			   struct fcp_range *extent_, struct fcp_error *err)
{
	struct fcp_guest_process *process = memory->process;
	uint64_t end = memory->bytes / FCP_PAGE_BYTES, start;

	if (find_held(process, err) != 0)
		return -1;
	start = next_page(process->held, offset / FCP_PAGE_BYTES, end, true);
	end = next_page(process->held, start, end, false);
	start *= FCP_PAGE_BYTES;
	*extent_ = (struct fcp_range){start > offset ? start : offset, end * FCP_PAGE_BYTES};
	return 0;
}

/* ---- reading ---- */

static int read_error(int errnum, uint64_t address, struct fcp_error *err)
{
	if (errnum == EPERM)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errnum,
				     "guest memory: reading a process's memory needs the right to trace it");
	if (errnum == ESRCH)
		return fcp_error_set(err, FCP_ERR_STATE, 0, "guest memory: the process has ended");
	if (errnum == EFAULT)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "guest memory at address %#llx is not plugged in",
				     (unsigned long long)address);
	return fcp_error_set(err, FCP_ERR_IO, errnum, "guest memory");
}

/* Not through /proc/PID/mem, which fails on memory that is registered with a userfaultfd. */
static int read_process(pid_t pid, uint64_t address, char *buffer, size_t bytes,
			struct fcp_error *err)
{
	while (bytes > 0) {
		struct iovec local = {buffer, bytes};
		struct iovec remote = {(void *)(uintptr_t)address, bytes};
		ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return read_error(got < 0 ? errno : EFAULT, address, err);
		address += (uint64_t)got;
		buffer += got;
		bytes -= (size_t)got;
	}
	return 0;
}

/* Of userfaultfd memory a missing page is never touched: it would wait for its handler. */
static int read_userfault(const struct fcp_guest_memory *memory,
			  const struct fcp_guest_region *region, uint64_t within, char *buffer,
			  size_t bytes, struct fcp_error *err)
{
	const struct fcp_guest_process *process = memory->process;

	while (bytes > 0) {
		uint64_t page = (region->offset + within) / FCP_PAGE_BYTES;
		bool there = process->held[page / WORD_BITS] >> page % WORD_BITS & 1;
		uint64_t stop = next_page(process->held, page, memory->bytes / FCP_PAGE_BYTES, !there);
		uint64_t left = stop * FCP_PAGE_BYTES - (region->offset + within);
		size_t length = left < bytes ? (size_t)left : bytes;
		int done;

		if (!there && memory->base_fd < 0)
			return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
					     "offset %#llx was not filled in by userfaultfd yet, and the memory file "
					     "that it comes from was not given",
					     (unsigned long long)(region->offset + within));
		done = there ? read_process(process->ram->pid, region->address + within, buffer, length,
					    err)
			     : fcp_guest_read_whole(memory->base_fd, region->offset + within, buffer,
						    length, err);
		if (done != 0)
			return -1;
		within += length;
		buffer += length;
		bytes -= length;
	}
	return 0;
}

int fcp_guest_process_read(const struct fcp_guest_memory *memory,
			   const struct fcp_guest_region *region, uint64_t within, void *buffer,
			   size_t bytes, struct fcp_error *err)
{
	const struct fcp_guest_ram *ram = memory->process->ram;

	if (ram->backing == FCP_GUEST_BACKING_USERFAULT)
		return read_userfault(memory, region, within, buffer, bytes, err);
	return read_process(ram->pid, region->address + within, buffer, bytes, err);
}

/* ---- opening ---- */

static int check_userfault(struct fcp_guest_memory *memory, const struct fcp_guest_ram *ram,
			   struct fcp_error *err)
{
	if (!ram->unambiguous)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "the process's mappings do not show which is which of guest memory");
	memory->holes = FCP_GUEST_HOLES_BASE;
	return find_held(memory->process, err);
}

int fcp_guest_memory_open_process(const struct fcp_guest_ram *ram, int base_fd,
				  struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	struct fcp_guest_memory memory = {
		.fd = -1, .base_fd = base_fd, .layout_count = ram->layout_count}, first;

	memcpy(memory.layouts, ram->layouts, sizeof(memory.layouts));
	if (!fcp_guest_memory_layout(&memory, 0, &first))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "no memory of a guest");
	for (unsigned i = 0; i < first.region_count; i++)
		first.bytes += first.regions[i].bytes;
	first.process = calloc(1, sizeof(*first.process));
	if (!first.process)
		return fcp_error_nomem(err);
	*first.process = (struct fcp_guest_process){.ram = ram, .bytes = first.bytes};
	if (ram->backing == FCP_GUEST_BACKING_USERFAULT && check_userfault(&first, ram, err) != 0) {
		fcp_guest_memory_close(&first);
		return -1;
	}
	*memory_ = first;
	return 0;
}

void fcp_guest_memory_close(struct fcp_guest_memory *memory)
{
	if (memory->process)
		free(memory->process->held);
	free(memory->process);
	memory->process = NULL;
}
