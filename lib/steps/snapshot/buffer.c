// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/buffer.h"

#include "base/meminfo.h"
#include "base/units.h"
#include "firecracker/process.h"

#include <sys/mman.h>

/*
 * The most to prepare: enough for a restored VM. Of a booted one most pages are free, and how many
 * is not known yet.
 */
#define READY_MAX_BYTES (64 * FCP_MIB)

/* How much memory the copies may take: as set, or a quarter of what is available. */
static uint64_t buffer_limit(const struct fcp_snapshot_settings *settings)
{
	uint64_t available_bytes;

	if (!settings->resume || settings->verify)
		return 0;
	if (settings->buffer_bytes != FCP_BUFFER_AUTO)
		return settings->buffer_bytes;
	return fcp_memory_available(&available_bytes) ? available_bytes / 4 : 0;
}

static void *map_buffer(uint64_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void fcp_snapshot_buffer_prepare(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, pid_t pid)
{
	uint64_t bytes, limit_bytes = buffer_limit(settings);

	if (limit_bytes == 0 || !fcp_process_anonymous(pid, &bytes))
		return;
	bytes = bytes < limit_bytes ? bytes : limit_bytes;
	bytes = fcp_align_down(bytes < READY_MAX_BYTES ? bytes : READY_MAX_BYTES, FCP_PAGE_BYTES);
	buffer->pages = bytes > 0 ? map_buffer(bytes) : NULL;
	buffer->bytes = buffer->pages ? bytes : 0;
	if (!buffer->pages)
		return;
	/* If shared with the guard process, each page would be copied again when written. */
	madvise(buffer->pages, buffer->bytes, MADV_DONTFORK);
	/* Before Linux 5.14 the pages are faulted in as they are written. */
	madvise(buffer->pages, buffer->bytes, MADV_POPULATE_WRITE);
}

bool fcp_snapshot_buffer_reserve(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, uint64_t bytes)
{
	void *pages;

	if (bytes <= buffer->bytes)
		return bytes > 0;
	if (bytes > buffer_limit(settings))
		return false;
	pages = buffer->pages ? mremap(buffer->pages, buffer->bytes, bytes, MREMAP_MAYMOVE)
			      : map_buffer(bytes);
	if (!pages || pages == MAP_FAILED)
		return false;
	buffer->pages = pages;
	buffer->bytes = bytes;
	return true;
}

/* The runs, with addresses in the buffer. */
static int list_copied(struct fcp_snapshot_buffer *buffer, const struct fcp_page_runs *runs,
		       struct fcp_error *err)
{
	uintptr_t at = (uintptr_t)buffer->pages;

	for (size_t i = 0; i < runs->count; i++) {
		struct fcp_page_run run = runs->items[i];

		run.address = at;
		at += run.end - run.start;
		if (fcp_page_runs_add(&buffer->copied, run, err) != 0)
			return -1;
	}
	return 0;
}

int fcp_snapshot_buffer_fill(struct fcp_snapshot_buffer *buffer,
			     const struct fcp_writer_settings *writer, struct fcp_error *err)
{
	if (fcp_writer_copy(writer, buffer->pages, err) != 0 ||
	    list_copied(buffer, writer->runs, err) != 0)
		return -1;
	buffer->filled = true;
	return 0;
}

void fcp_snapshot_buffer_clear(struct fcp_snapshot_buffer *buffer)
{
	if (buffer->pages)
		munmap(buffer->pages, buffer->bytes);
	fcp_page_runs_clear(&buffer->copied);
	*buffer = (struct fcp_snapshot_buffer){0};
}
