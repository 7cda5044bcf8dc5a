// SPDX-License-Identifier: Apache-2.0
/* Writes the guest's pages to the memory file. */
#include "steps/snapshot/memory_parts.h"

#include "base/meter.h"
#include "memory/release.h"

struct fcp_writer_settings fcp_snapshot_writer_settings(const struct fcp_snapshot_memory *memory)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;

	return (struct fcp_writer_settings){
		.pid = memory->buffer.filled ? 0 : memory->ram.pid,
		.runs = memory->buffer.filled ? &memory->buffer.copied : &memory->plan.changed,
		.fd = file->fd,
		.name = file->host,
		.base_fd = memory->base.fd,
		.layer = fcp_snapshot_is_layer(memory),
		.share = memory->share,
		.cancel_fd = memory->settings.snapshot->cancel_fd,
	};
}

static struct fcp_meter meter_of(const struct fcp_snapshot_memory *memory,
				 const struct fcp_writer_settings *writer)
{
	return (struct fcp_meter){memory->settings.snapshot->observer,
				  {.step = "snapshot", .total_bytes = writer->runs->bytes}};
}

int fcp_snapshot_write_changed(const struct fcp_snapshot_memory *memory,
			       struct fcp_memory_report *report, struct fcp_error *err)
{
	struct fcp_writer_settings writer = fcp_snapshot_writer_settings(memory);
	struct fcp_meter meter = meter_of(memory, &writer);
	struct fcp_writer_result written;

	writer.meter = &meter;
	if (fcp_writer_write(&writer, &written, err) != 0)
		return -1;
	report->zero_bytes = written.zero_bytes;
	report->base_equal_bytes = written.equal_bytes;
	report->shared_bytes = written.shared_bytes;
	report->written_bytes = written.written_bytes;
	return 0;
}

/*
 * Free and dropped pages still have the base's bytes if the file began as the base. In a layer they
 * read as the base's too: free ones are dead, but dropped ones are zeros.
 */
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

int fcp_snapshot_copy_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err)
{
	struct fcp_writer_settings writer = fcp_snapshot_writer_settings(memory);
	struct fcp_meter meter = meter_of(memory, &writer);

	writer.meter = &meter;
	if (!fcp_snapshot_buffer_reserve(&memory->buffer, memory->settings.snapshot,
					 memory->plan.changed.bytes))
		return fcp_snapshot_write_changed(memory, report, err);
	if (fcp_snapshot_buffer_fill(&memory->buffer, &writer, err) != 0)
		return -1;
	report->buffered = true;
	return 0;
}
