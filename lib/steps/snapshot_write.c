// SPDX-License-Identifier: Apache-2.0
/* The pages of the guest on their way into the memory file. */
#include "steps/snapshot_memory_parts.h"

#include "base/meminfo.h"
#include "memory/release.h"

#include <sys/mman.h>

struct fcp_writer_settings fcp_snapshot_writer_settings(const struct fcp_snapshot_memory *memory)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;

	return (struct fcp_writer_settings){
		.pid = memory->buffer ? 0 : memory->ram.pid,
		.runs = memory->buffer ? &memory->copied : &memory->plan.changed,
		.fd = file->fd,
		.name = file->host,
		.base_fd = memory->base.fd,
		.layer = fcp_snapshot_is_layer(memory),
		.cancel_fd = memory->settings.snapshot->cancel_fd,
	};
}

int fcp_snapshot_write_changed(const struct fcp_snapshot_memory *memory,
			       struct fcp_memory_report *report, struct fcp_error *err)
{
	const struct fcp_writer_settings writer = fcp_snapshot_writer_settings(memory);
	struct fcp_writer_result written;

	if (fcp_writer_write(&writer, &written, err) != 0)
		return -1;
	report->zero_bytes = written.zero_bytes;
	report->base_equal_bytes = written.equal_bytes;
	report->written_bytes = written.written_bytes;
	return 0;
}

/* Free pages and dropped ones: where the file began as the base, its bytes are there still. In a layer
 * they are the base's too: nobody needs the free ones, and the dropped ones are zeros. */
int fcp_snapshot_settle_rest(const struct fcp_snapshot_memory *memory,
			     struct fcp_memory_report *report, struct fcp_error *err)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	const struct fcp_file target = {.fd = file->fd, .name = file->host, .cancel_fd = -1};
	uint64_t ignored = 0;

	if (memory->base.fd < 0)
		return 0;
	if (fcp_snapshot_is_layer(memory))
		return fcp_snapshot_layer_write_dropped(memory, report, err);
	if (fcp_release_ranges(&target, &memory->plan.zero, &ignored, err) != 0)
		return -1;
	return fcp_release_ranges(&target, &memory->found.ranges, &ignored, err);
}

/* How much memory copies may take: what was given, or a quarter of what is available. */
static uint64_t buffer_limit(const struct fcp_snapshot_settings *settings)
{
	uint64_t available_bytes;

	if (!settings->resume || settings->verify)
		return 0;
	if (settings->buffer_bytes != FCP_BUFFER_AUTO)
		return settings->buffer_bytes;
	return fcp_memory_available(&available_bytes) ? available_bytes / 4 : 0;
}

/* The runs again, with addresses in the buffer. */
static int list_copied(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	uintptr_t at = (uintptr_t)memory->buffer;

	for (size_t i = 0; i < memory->plan.changed.count; i++) {
		struct fcp_page_run run = memory->plan.changed.items[i];

		run.address = at;
		at += run.end - run.start;
		if (fcp_page_runs_add(&memory->copied, run, err) != 0)
			return -1;
	}
	return 0;
}

/* False where the pages do not fit, or there is no memory: they are written at once then. */
static bool reserve_buffer(struct fcp_snapshot_memory *memory)
{
	uint64_t bytes = memory->plan.changed.bytes;
	void *buffer;

	if (bytes == 0 || bytes > buffer_limit(memory->settings.snapshot))
		return false;
	buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		      0);
	if (buffer == MAP_FAILED)
		return false;
	memory->buffer = buffer;
	return true;
}

int fcp_snapshot_copy_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			struct fcp_error *err)
{
	struct fcp_writer_settings writer = fcp_snapshot_writer_settings(memory);

	if (!reserve_buffer(memory))
		return fcp_snapshot_write_changed(memory, report, err);
	if (fcp_writer_copy(&writer, memory->buffer, err) != 0)
		return -1;
	report->buffered = true;
	return list_copied(memory, err);
}
