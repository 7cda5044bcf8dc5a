// SPDX-License-Identifier: Apache-2.0
#include "source.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void move_to_process(struct fcp_guest_region regions[FCP_GUEST_REGIONS_MAX])
{
	for (unsigned i = 0; i < FCP_GUEST_REGIONS_MAX; i++)
		if (regions[i].bytes > 0)
			regions[i].address += SOURCE_ADDRESS;
}

bool source_open(struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	bool layer = source.kind == SOURCE_LAYER || source.kind == SOURCE_LAYER_AND_BASE;

	if (fcp_guest_memory_open_file(SOURCE_FD, layer ? FCP_GUEST_HOLES_BASE : FCP_GUEST_HOLES_ZERO,
				       source.kind == SOURCE_LAYER_AND_BASE ? SOURCE_BASE_FD : -1,
				       memory_, err) < 0)
		return false;
	if (source.kind != SOURCE_PROCESS)
		return true;
	memory_->pagemap_fd = SOURCE_PAGEMAP_FD;
	memory_->all_anonymous = true;
	move_to_process(memory_->regions);
	for (unsigned i = 0; i < memory_->layout_count; i++)
		move_to_process(memory_->layouts[i]);
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

/* A word a page, as /proc/PID/pagemap has them. */
static ssize_t read_pagemap(uint64_t *words, size_t bytes, uint64_t at)
{
	uint64_t first = at / sizeof(*words) - SOURCE_ADDRESS / STORE_PAGE;

	if (at % sizeof(*words) != 0 || bytes % sizeof(*words) != 0 ||
	    first + bytes / sizeof(*words) > source.store->bytes / STORE_PAGE)
		wrong("pagemap of what is no guest memory");
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = there(first + i) ? UINT64_C(1) << 63 : 0;
	return (ssize_t)bytes;
}

static ssize_t read_store(int fd, void *to, size_t bytes, uint64_t at)
{
	if (fd == SOURCE_FD && source.kind == SOURCE_PROCESS)
		at -= SOURCE_ADDRESS;
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

ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t at)
{
	if (fd < SOURCE_FD || fd > SOURCE_PAGEMAP_FD)
		return __real_pread64(fd, to, bytes, at);
	source.calls++;
	source.bytes += bytes;
	if (struck() && source.fault == SOURCE_EIO)
		return fail(EIO);
	if (struck() && source.fault == SOURCE_CUT)
		return 0;
	if (struck() && source.fault == SOURCE_EINTR && fd != SOURCE_PAGEMAP_FD) {
		source.fault = SOURCE_WELL;
		return fail(EINTR);
	}
	if (struck() && source.fault == SOURCE_SHORT && bytes > 1 && fd != SOURCE_PAGEMAP_FD)
		bytes /= 2;
	return fd == SOURCE_PAGEMAP_FD ? read_pagemap(to, bytes, (uint64_t)at)
				       : read_store(fd, to, bytes, (uint64_t)at);
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
	if (fd < SOURCE_FD || fd > SOURCE_PAGEMAP_FD)
		return __real_fstat64(fd, status);
	*status = (struct stat){.st_mode = S_IFREG | 0600,
				.st_size = (off_t)source.store->bytes};
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
