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

/* So many pages are asked for at once: what eight page tables show. */
#define BLOCK_PAGES 4096

struct fcp_guest_process {
	const struct fcp_guest_ram *ram;
	struct fcp_guest_pagemap pagemap;
	uint64_t pages;
	/* A bit a page of the memory file: does the process hold it? And a bit a block: is that
	 * known yet? Only what is asked for is looked at, once. */
	uint64_t *held;
	uint64_t *known;
};

/* ---- what is there ---- */

static bool bit_of(const uint64_t *bits, uint64_t at)
{
	return bits[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static void mark(uint64_t *held, uint64_t page, uint64_t end)
{
	for (; page < end && page % WORD_BITS != 0; page++)
		held[page / WORD_BITS] |= UINT64_C(1) << page % WORD_BITS;
	for (; page + WORD_BITS <= end; page += WORD_BITS)
		held[page / WORD_BITS] = UINT64_MAX;
	for (; page < end; page++)
		held[page / WORD_BITS] |= UINT64_C(1) << page % WORD_BITS;
}

/* The part of a piece from offset start on. Of anonymous memory, what is neither present nor
 * swapped is not there; what is not present of a file's mapping is the file's bytes. */
static int mark_piece(struct fcp_guest_process *process, const struct fcp_guest_piece *piece,
		      uint64_t start, uint64_t end, struct fcp_error *err)
{
	uint64_t address = fcp_guest_piece_address(piece, start);
	uint64_t stop = address + (end - start);
	struct fcp_guest_run run;

	if (piece->inaccessible)
		return 0;
	if (piece->of_file || piece->shared) {
		mark(process->held, start / FCP_PAGE_BYTES, end / FCP_PAGE_BYTES);
		return 0;
	}
	for (; address < stop; address = run.end) {
		uint64_t page = (piece->offset + (address - piece->start)) / FCP_PAGE_BYTES;

		if (fcp_guest_pagemap_next(&process->pagemap, address, stop, &run, err) != 0)
			return -1;
		if (run.kind != FCP_GUEST_PAGE_ABSENT)
			mark(process->held, page, page + (run.end - address) / FCP_PAGE_BYTES);
	}
	return 0;
}

static int mark_pieces(struct fcp_guest_process *process, uint64_t start, uint64_t end,
		       struct fcp_error *err)
{
	const struct fcp_guest_ram *ram = process->ram;

	for (size_t i = fcp_guest_ram_piece(ram, start); i < ram->piece_count; i++) {
		const struct fcp_guest_piece *piece = &ram->pieces[i];
		uint64_t piece_end = fcp_guest_piece_end(piece);

		if (piece->offset >= end)
			break;
		if (mark_piece(process, piece, piece->offset > start ? piece->offset : start,
			       piece_end < end ? piece_end : end, err) != 0)
			return -1;
	}
	return 0;
}

/* Makes sure that the block of that page is known. */
static int know(struct fcp_guest_process *process, uint64_t page, struct fcp_error *err)
{
	uint64_t block = page / BLOCK_PAGES, start = block * BLOCK_PAGES;
	uint64_t end = start + BLOCK_PAGES < process->pages ? start + BLOCK_PAGES : process->pages;

	if (bit_of(process->known, block))
		return 0;
	/* The pieces are those of one layout: where they are in doubt, all may be there. */
	if (!process->ram->unambiguous)
		mark(process->held, start, end);
	else if (mark_pieces(process, start * FCP_PAGE_BYTES, end * FCP_PAGE_BYTES, err) != 0)
		return -1;
	process->known[block / WORD_BITS] |= UINT64_C(1) << block % WORD_BITS;
	return 0;
}

/* The first page of the word's from page on that is there, or is not; the word's end if none is. */
static uint64_t next_in_word(const uint64_t *held, uint64_t page, bool there)
{
	uint64_t word =
		(there ? held[page / WORD_BITS] : ~held[page / WORD_BITS]) >> page % WORD_BITS;

	if (word == 0)
		return fcp_align_down(page, WORD_BITS) + WORD_BITS;
	return page + (uint64_t)__builtin_ctzll(word);
}

/* *page = the first page from *page on that is there, or is not; end when there is none. */
static int seek_page(struct fcp_guest_process *process, uint64_t *page, uint64_t end, bool there,
		     struct fcp_error *err)
{
	while (*page < end) {
		if (know(process, *page, err) != 0)
			return -1;
		if (bit_of(process->held, *page) == there)
			return 0;
		*page = next_in_word(process->held, *page, there);
	}
	*page = end;
	return 0;
}

int fcp_guest_process_data_start(const struct fcp_guest_memory *memory, uint64_t offset,
				 uint64_t *start_, struct fcp_error *err)
{
	uint64_t page = offset / FCP_PAGE_BYTES;

	if (seek_page(memory->process, &page, memory->process->pages, true, err) != 0)
		return -1;
	page *= FCP_PAGE_BYTES;
	*start_ = page > offset ? page : offset;
	return 0;
}

int fcp_guest_process_data(const struct fcp_guest_memory *memory, uint64_t offset,
			   struct fcp_range *extent_, struct fcp_error *err)
{
	uint64_t start, end;

	if (fcp_guest_process_data_start(memory, offset, &start, err) != 0)
		return -1;
	end = start / FCP_PAGE_BYTES;
	if (seek_page(memory->process, &end, memory->process->pages, false, err) != 0)
		return -1;
	*extent_ = (struct fcp_range){start, end * FCP_PAGE_BYTES};
	return 0;
}

/* ---- reading ---- */

static int process_read_error(int errnum, uint64_t address, struct fcp_error *err)
{
	if (errnum == EPERM)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, errnum,
			"guest memory: reading a process's memory needs permission to trace it");
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
			return process_read_error(got < 0 ? errno : EFAULT, address, err);
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
	struct fcp_guest_process *process = memory->process;
	size_t length;

	for (; bytes > 0; within += length, buffer += length, bytes -= length) {
		uint64_t offset = region->offset + within, stop = offset / FCP_PAGE_BYTES;
		bool there;
		int done;

		if (know(process, stop, err) != 0)
			return -1;
		there = bit_of(process->held, stop);
		if (seek_page(process, &stop, process->pages, !there, err) != 0)
			return -1;
		length = stop * FCP_PAGE_BYTES - offset < bytes ? stop * FCP_PAGE_BYTES - offset
								: bytes;
		if (!there && memory->base_fd < 0)
			return fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"offset %#llx was not filled in by userfaultfd yet, and the "
				"memory file "
				"that it comes from was not given",
				(unsigned long long)offset);
		done = there ? read_process(process->ram->pid, region->address + within, buffer,
					    length, err)
			     : fcp_guest_read_whole(memory->base_fd, offset, buffer, length, err);
		if (done != 0)
			return -1;
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

bool fcp_guest_process_gather(const struct fcp_guest_memory *memory, const uint64_t *gpas,
			      size_t count, void *buffer, size_t bytes)
{
	const struct fcp_guest_ram *ram = memory->process->ram;
	struct iovec local = {buffer, count * bytes}, remote[FCP_GUEST_GATHER_MAX];

	if (ram->backing == FCP_GUEST_BACKING_USERFAULT)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct fcp_guest_region *region =
			fcp_guest_memory_region(memory, gpas[i], bytes);

		if (!region)
			return false;
		remote[i] = (struct iovec){(void *)(uintptr_t)(region->address +
							       (gpas[i] - region->gpa)),
					   bytes};
	}
	return process_vm_readv(ram->pid, &local, 1, remote, count, 0) == (ssize_t)(count * bytes);
}

/* ---- opening ---- */

/* What was not filled in is, as in a layer, the base's. */
static int check_userfault(struct fcp_guest_memory *memory, const struct fcp_guest_ram *ram,
			   struct fcp_error *err)
{
	if (ram->backing != FCP_GUEST_BACKING_USERFAULT)
		return 0;
	if (!ram->unambiguous)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"the process's mappings do not show which is which of guest memory");
	memory->holes = FCP_HOLES_BASE;
	return 0;
}

static int make_process(const struct fcp_guest_ram *ram, uint64_t bytes,
			struct fcp_guest_process **process_, struct fcp_error *err)
{
	struct fcp_guest_process *process = calloc(1, sizeof(*process));

	*process_ = process;
	if (!process)
		return fcp_error_nomem(err);
	*process = (struct fcp_guest_process){
		.ram = ram,
		.pages = bytes / FCP_PAGE_BYTES,
		.held = calloc(bytes / FCP_PAGE_BYTES / WORD_BITS + 1, sizeof(uint64_t)),
		.known = calloc(bytes / FCP_PAGE_BYTES / BLOCK_PAGES / WORD_BITS + 1,
				sizeof(uint64_t)),
	};
	if (!process->held || !process->known)
		return fcp_error_nomem(err);
	if (fcp_guest_pagemap_open(ram->pid, &process->pagemap, err) != 0)
		return -1;
	process->pagemap.no_files = true;
	process->pagemap.absent_is_zero = ram->backing == FCP_GUEST_BACKING_ANONYMOUS;
	return 0;
}

int fcp_guest_memory_open_process(const struct fcp_guest_ram *ram, int base_fd,
				  struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	struct fcp_guest_memory memory = {.fd = -1,
					  .base_fd = base_fd,
					  .layout_count = ram->layout_count},
				first;

	memcpy(memory.layouts, ram->layouts, sizeof(memory.layouts));
	memcpy(memory.layout_archs, ram->layout_archs, sizeof(memory.layout_archs));
	if (!fcp_guest_memory_layout(&memory, 0, &first))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "no memory of a guest");
	for (unsigned i = 0; i < first.region_count; i++)
		first.bytes += first.regions[i].bytes;
	if (make_process(ram, first.bytes, &first.process, err) != 0 ||
	    check_userfault(&first, ram, err) != 0) {
		fcp_guest_memory_close(&first);
		return -1;
	}
	*memory_ = first;
	return 0;
}

pid_t fcp_guest_memory_pid(const struct fcp_guest_memory *memory)
{
	return memory->process ? memory->process->ram->pid : 0;
}

void fcp_guest_memory_close(struct fcp_guest_memory *memory)
{
	if (!memory->process)
		return;
	fcp_guest_pagemap_close(&memory->process->pagemap);
	free(memory->process->held);
	free(memory->process->known);
	free(memory->process);
	memory->process = NULL;
}
