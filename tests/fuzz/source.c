// SPDX-License-Identifier: Apache-2.0
#include "source.h"

#include "guest/pagemap.h"
#include "guest/ram.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct source source;

void source_show(struct store *store)
{
	source = (struct source){.store = store};
}

static void wrong(const char *what)
{
	if (!source.wrong)
		source.wrong = what;
}

/* As fcp_guest_ram_find() would find it in the made-up process: booted, one mapping. */
static bool open_process(const struct fcp_guest_memory *file, struct fcp_guest_memory *memory_,
			 struct fcp_error *err)
{
	static struct fcp_guest_piece piece;
	static struct fcp_guest_ram ram;
	enum source_fault fault = source.fault;
	struct fcp_range ignored;
	bool opened;

	piece = (struct fcp_guest_piece){.start = SOURCE_ADDRESS,
					 .end = SOURCE_ADDRESS + file->bytes};
	ram = (struct fcp_guest_ram){.layout_count = file->layout_count,
				     .unambiguous = true,
				     .pieces = &piece,
				     .piece_count = 1};
	memcpy(ram.layouts, file->layouts, sizeof(ram.layouts));
	memcpy(ram.layout_archs, file->layout_archs, sizeof(ram.layout_archs));
	for (unsigned i = 0; i < ram.layout_count; i++)
		for (unsigned r = 0; r < FCP_GUEST_REGIONS_MAX; r++)
			if (ram.layouts[i][r].bytes > 0)
				ram.layouts[i][r].address += SOURCE_ADDRESS;
	/* What it keeps of the page tables it has from here on. */
	source.fault = SOURCE_WELL;
	opened = fcp_guest_memory_open_process(&ram, -1, memory_, err) == 0 &&
		 fcp_guest_memory_data(memory_, 0, &ignored, err) == 0;
	source.fault = fault;
	return opened;
}

bool source_open(struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	bool layer = source.kind == SOURCE_LAYER || source.kind == SOURCE_LAYER_AND_BASE;

	if (fcp_guest_memory_open_file(SOURCE_FD, layer ? FCP_HOLES_BASE : FCP_HOLES_ZERO,
				       source.kind == SOURCE_LAYER_AND_BASE ? SOURCE_BASE_FD : -1,
				       memory_, err) < 0)
		return false;
	if (source.kind == SOURCE_PROCESS) {
		struct fcp_guest_memory file = *memory_;

		return open_process(&file, memory_, err);
	}
	return true;
}

static bool hidden(uint64_t page)
{
	for (unsigned i = 0; i < source.hidden_count; i++)
		if (page >= source.hidden[i].start && page < source.hidden[i].end)
			return true;
	return false;
}

/* Is the page there in the file that the reader takes for the first? */
static bool there(uint64_t page)
{
	return store_page(source.store, page) && !(source.hidden_count && hidden(page));
}

/* The end of the pages from that one on that are there as it is, or are not as it is. A file system
 * knows its extents; here the last one asked for is kept. */
static uint64_t run_end(uint64_t page)
{
	uint64_t pages = source.store->bytes / STORE_PAGE;
	bool is = there(page);

	if (page >= source.run.start && page < source.run.end)
		return source.run.end;
	source.run.start = page;
	while (page < pages && there(page) == is)
		page = is ? page + 1 : store_next(source.store, page + 1, true);
	source.run.end = page < pages ? page : pages;
	return source.run.end;
}

static uint64_t next_page(uint64_t page, bool want)
{
	return there(page) == want ? page : run_end(page);
}

static bool struck(void)
{
	return source.fault != SOURCE_WELL && source.fault != SOURCE_NO_ROOM &&
	       source.calls >= source.fault_at;
}

static ssize_t fail(int errnum)
{
	errno = errnum;
	return -1;
}

/* ---- the page tables of the made-up process ---- */

int __wrap_fcp_guest_pagemap_open(pid_t pid, struct fcp_guest_pagemap *pagemap_,
				  struct fcp_error *err);
int __wrap_fcp_guest_pagemap_next(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
				  struct fcp_guest_run *run_, struct fcp_error *err);
void __wrap_fcp_guest_pagemap_close(struct fcp_guest_pagemap *pagemap);

int __wrap_fcp_guest_pagemap_open(pid_t pid, struct fcp_guest_pagemap *pagemap_,
				  struct fcp_error *err)
{
	(void)pid;
	(void)err;
	*pagemap_ = (struct fcp_guest_pagemap){.fd = -1};
	return 0;
}

int __wrap_fcp_guest_pagemap_next(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
				  struct fcp_guest_run *run_, struct fcp_error *err)
{
	uint64_t page = (address - SOURCE_ADDRESS) / STORE_PAGE, run_stop;

	(void)pagemap;
	(void)err;
	if (address < SOURCE_ADDRESS || end > SOURCE_ADDRESS + source.store->bytes)
		wrong("pagemap of what is no guest memory");
	run_stop = SOURCE_ADDRESS + run_end(page) * STORE_PAGE;
	*run_ = (struct fcp_guest_run){address, run_stop < end ? run_stop : end,
				       there(page) ? FCP_GUEST_PAGE_ANONYMOUS
						   : FCP_GUEST_PAGE_ABSENT};
	return 0;
}

void __wrap_fcp_guest_pagemap_close(struct fcp_guest_pagemap *pagemap)
{
	(void)pagemap;
}

/* ---- the bytes ---- */

static ssize_t read_store(void *to, size_t bytes, uint64_t at)
{
	if (at > source.store->bytes || bytes > source.store->bytes - at) {
		wrong("a read outside the memory");
		return 0;
	}
	if (source.kind == SOURCE_LAYER && bytes > 0 &&
	    (!there(at / STORE_PAGE) || !there((at + bytes - 1) / STORE_PAGE)))
		wrong("a read of a layer's hole");
	if (source.on_read)
		source.on_read(at, bytes);
	store_read(source.store, at, to, bytes);
	return (ssize_t)bytes;
}

ssize_t __real_pread64(int fd, void *to, size_t bytes, off_t at);
ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t at);

static ssize_t read_some(void *to, size_t bytes, uint64_t at)
{
	source.calls++;
	source.bytes += bytes;
	if (struck() && source.fault == SOURCE_EIO)
		return fail(EIO);
	if (struck() && source.fault == SOURCE_CUT)
		return source.kind == SOURCE_PROCESS ? fail(ESRCH) : 0;
	if (struck() && source.fault == SOURCE_EINTR) {
		source.fault = SOURCE_WELL;
		return fail(EINTR);
	}
	if (struck() && source.fault == SOURCE_SHORT && bytes > 1)
		bytes /= 2;
	return read_store(to, bytes, at);
}

ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t at)
{
	if (fd != SOURCE_FD && fd != SOURCE_BASE_FD)
		return __real_pread64(fd, to, bytes, at);
	return read_some(to, bytes, (uint64_t)at);
}

ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
				const struct iovec *remote, unsigned long remote_count,
				unsigned long flags);

ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
				const struct iovec *remote, unsigned long remote_count,
				unsigned long flags)
{
	size_t done = 0;

	(void)pid;
	if (local_count != 1 || flags != 0)
		wrong("a read in a form that is not expected");
	/* As the kernel: up to the first that cannot be read, or not all of it. */
	for (unsigned long i = 0; i < remote_count; i++) {
		ssize_t got;

		if (remote[i].iov_len > local->iov_len - done)
			wrong("a read of more than there is room for");
		got = read_some((char *)local->iov_base + done, remote[i].iov_len,
				(uint64_t)(uintptr_t)remote[i].iov_base - SOURCE_ADDRESS);
		if (got < 0 && i == 0)
			return got;
		done += got > 0 ? (size_t)got : 0;
		if (got < (ssize_t)remote[i].iov_len)
			break;
	}
	return (ssize_t)done;
}

off_t __real_lseek64(int fd, off_t offset, int whence);
off_t __wrap_lseek64(int fd, off_t offset, int whence);

off_t __wrap_lseek64(int fd, off_t offset, int whence)
{
	uint64_t page, at = (uint64_t)offset;

	if (fd != SOURCE_FD)
		return __real_lseek64(fd, offset, whence);
	source.calls++;
	if (struck() && source.fault == SOURCE_EIO)
		return (off_t)fail(EIO);
	if (at >= source.store->bytes)
		wrong("a look beyond the end");
	if (struck() && source.fault == SOURCE_CUT)
		return (off_t)fail(ENXIO);
	page = next_page(at / STORE_PAGE, whence == SEEK_DATA);
	if (whence == SEEK_HOLE)
		source.walked += page - at / STORE_PAGE;
	if (whence == SEEK_DATA && page * STORE_PAGE >= source.store->bytes)
		return (off_t)fail(ENXIO);
	return (off_t)(page * STORE_PAGE > at ? page * STORE_PAGE : at);
}

int __real_fstat64(int fd, struct stat *status);
int __wrap_fstat64(int fd, struct stat *status);

int __wrap_fstat64(int fd, struct stat *status)
{
	if (fd != SOURCE_FD && fd != SOURCE_BASE_FD)
		return __real_fstat64(fd, status);
	*status = (struct stat){.st_mode = S_IFREG | 0600, .st_size = (off_t)source.store->bytes};
	if (struck() && source.fault == SOURCE_EIO)
		return (int)fail(EIO);
	if (struck() && source.fault == SOURCE_CUT)
		status->st_size = 0;
	return 0;
}

/* ---- own memory --------------------------------------------------------------------------- */

static bool no_room(void)
{
	return source.counting && source.allocations++ == source.fault_at &&
	       source.fault == SOURCE_NO_ROOM;
}

static void *taken(void *pointer, uint64_t before)
{
	if (source.counting && pointer) {
		source.live += malloc_usable_size(pointer) - before;
		source.peak = source.live > source.peak ? source.live : source.peak;
	}
	return pointer;
}

static uint64_t held(void *pointer)
{
	return source.counting && pointer ? malloc_usable_size(pointer) : 0;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_reallocarray(void *pointer, size_t count, size_t bytes);
void __real_free(void *pointer);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_reallocarray(void *pointer, size_t count, size_t bytes);
void __wrap_free(void *pointer);

void *__wrap_malloc(size_t bytes)
{
	return no_room() ? NULL : taken(__real_malloc(bytes), 0);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return no_room() ? NULL : taken(__real_calloc(count, bytes), 0);
}

void *__wrap_reallocarray(void *pointer, size_t count, size_t bytes)
{
	uint64_t before = held(pointer);

	return no_room() ? NULL : taken(__real_reallocarray(pointer, count, bytes), before);
}

void __wrap_free(void *pointer)
{
	source.live -= held(pointer);
	__real_free(pointer);
}
