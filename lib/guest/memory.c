// SPDX-License-Identifier: Apache-2.0
#include "guest/memory.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/arch/arch.h"
#include "guest/memory_source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIB (UINT64_C(1) << 30)
/* Firecracker's architectural maximum is 1022 GiB; a larger file cannot be Firecracker's. */
#define RAM_MAX (1024 * GIB)

static void lay_out(const struct fcp_guest_size *size, const struct fcp_guest_layout *layout,
		    struct fcp_guest_region regions[FCP_GUEST_REGIONS_MAX])
{
	uint64_t offset = 0, gpa = 0;
	unsigned count = 0;

	memset(regions, 0, FCP_GUEST_REGIONS_MAX * sizeof(*regions));
	for (; count < FCP_GUEST_SPANS_MAX && offset < size->boot_bytes; count++) {
		const struct fcp_guest_span *span = &layout->spans[count];
		uint64_t room = span->end - span->start, left = size->boot_bytes - offset;
		uint64_t length = left < room ? left : room;

		regions[count] = (struct fcp_guest_region){span->start, length, offset, offset};
		offset += length;
		gpa = span->start + length;
	}
	if (size->hotplug_bytes == 0)
		return;
	gpa = gpa < FCP_GUEST_HOTPLUG_GPA ? FCP_GUEST_HOTPLUG_GPA : gpa;
	regions[count] = (struct fcp_guest_region){gpa, size->hotplug_bytes, offset, offset};
}

static void add_layout(struct fcp_guest_memory *memory, const struct fcp_guest_size *size,
		       const struct fcp_guest_arch *arch, const struct fcp_guest_layout *layout)
{
	struct fcp_guest_region *regions = memory->layouts[memory->layout_count];

	lay_out(size, layout, regions);
	for (unsigned i = 0; i < memory->layout_count; i++)
		if (memory->layout_archs[i] == arch &&
		    memcmp(memory->layouts[i], regions, sizeof(memory->layouts[i])) == 0)
			return;
	memory->layout_archs[memory->layout_count++] = arch;
}

void fcp_guest_memory_lay_out(struct fcp_guest_memory *memory, const struct fcp_guest_size *size,
			      const struct fcp_guest_arch *arch)
{
	struct fcp_guest_memory first;

	memory->bytes = size->boot_bytes + size->hotplug_bytes;
	memory->layout_count = 0;
	for (unsigned a = 0; fcp_guest_archs[a]; a++)
		for (unsigned i = 0; i < fcp_guest_archs[a]->layout_count; i++)
			if (!arch || arch == fcp_guest_archs[a])
				add_layout(memory, size, fcp_guest_archs[a],
					   &fcp_guest_archs[a]->layouts[i]);
	if (fcp_guest_memory_layout(memory, 0, &first))
		*memory = first;
}

int fcp_guest_memory_check_size(uint64_t bytes, struct fcp_error *err)
{
	if (bytes == 0 || bytes % FCP_PAGE_BYTES != 0 || bytes > RAM_MAX)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "no memory of a guest: %llu bytes, no whole pages up to 1 TiB",
				     (unsigned long long)bytes);
	return 0;
}

int fcp_guest_memory_open_source(const struct fcp_memory_source *source, enum fcp_holes holes,
				 const struct fcp_memory_source *base,
				 struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	struct fcp_guest_memory memory = {
		.fd = source->read ? -1 : source->fd,
		.base_fd = base && !base->read ? base->fd : -1,
		.source = source->read ? source : NULL,
		.base_source = base && base->read ? base : NULL,
		.holes = holes == FCP_HOLES_BASE ? FCP_HOLES_BASE : FCP_HOLES_ZERO,
	};
	uint64_t base_bytes;

	if (fcp_guest_source_bytes(source, "memory file", &memory.bytes, err) != 0 ||
	    fcp_guest_memory_check_size(memory.bytes, err) < 0 ||
	    (base && fcp_guest_source_bytes(base, "base: memory file", &base_bytes, err) != 0))
		return -1;
	if (base && base_bytes != memory.bytes)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "base: its size is not the memory file's");
	fcp_guest_memory_lay_out(&memory, &(struct fcp_guest_size){.boot_bytes = memory.bytes},
				 NULL);
	*memory_ = memory;
	return 0;
}

int fcp_guest_memory_open_file(int fd, enum fcp_holes holes, int base_fd,
			       struct fcp_guest_memory *memory_, struct fcp_error *err)
{
	const struct fcp_memory_source file = {.fd = fd}, base = {.fd = base_fd};

	return fcp_guest_memory_open_source(&file, holes, base_fd >= 0 ? &base : NULL, memory_,
					    err);
}

bool fcp_guest_memory_layout(const struct fcp_guest_memory *memory, unsigned index,
			     struct fcp_guest_memory *view_)
{
	if (index >= memory->layout_count)
		return false;
	*view_ = *memory;
	view_->arch = memory->layout_archs[index];
	memcpy(view_->regions, memory->layouts[index], sizeof(view_->regions));
	view_->region_count = 0;
	while (view_->region_count < FCP_GUEST_REGIONS_MAX &&
	       view_->regions[view_->region_count].bytes != 0)
		view_->region_count++;
	return true;
}

unsigned fcp_guest_memory_layouts_of(const struct fcp_guest_memory *memory,
				     const struct fcp_guest_arch *arch)
{
	unsigned count = 0;

	for (unsigned i = 0; i < memory->layout_count; i++)
		count += memory->layout_archs[i] == arch;
	return count;
}

const struct fcp_guest_region *fcp_guest_memory_region(const struct fcp_guest_memory *memory,
						       uint64_t gpa, uint64_t bytes)
{
	for (unsigned i = 0; i < memory->region_count; i++) {
		const struct fcp_guest_region *region = &memory->regions[i];

		if (gpa >= region->gpa && bytes <= region->bytes &&
		    gpa - region->gpa <= region->bytes - bytes)
			return region;
	}
	return NULL;
}

bool fcp_guest_memory_gpa(const struct fcp_guest_memory *memory, uint64_t offset, uint64_t *gpa_)
{
	for (unsigned i = 0; i < memory->region_count; i++) {
		const struct fcp_guest_region *region = &memory->regions[i];

		if (offset - region->offset < region->bytes) {
			*gpa_ = region->gpa + (offset - region->offset);
			return true;
		}
	}
	return false;
}

int fcp_guest_read_whole(int fd, uint64_t at, void *buffer, size_t bytes, struct fcp_error *err)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t got = pread(fd, (char *)buffer + done, bytes - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "guest memory");
		if (got == 0)
			return fcp_error_set(err, FCP_ERR_IO, 0, "guest memory: it became shorter");
		done += (size_t)got;
	}
	return 0;
}

static int read_own_memory(const struct fcp_guest_memory *memory, uint64_t at, void *buffer,
			   size_t bytes, struct fcp_error *err)
{
	return memory->source ? fcp_guest_source_read(memory->source, at, buffer, bytes, err)
			      : fcp_guest_read_whole(memory->fd, at, buffer, bytes, err);
}

static int read_base(const struct fcp_guest_memory *memory, uint64_t at, void *buffer, size_t bytes,
		     struct fcp_error *err)
{
	if (memory->base_source)
		return fcp_guest_source_read(memory->base_source, at, buffer, bytes, err);
	if (memory->base_fd >= 0)
		return fcp_guest_read_whole(memory->base_fd, at, buffer, bytes, err);
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "offset %#llx lies in the layer's base",
			     (unsigned long long)at);
}

/*
 * A layer: its own data where it has some, else the base's. Page by page, and without a look for
 * the end of the data: tmpfs goes through all of it to tell where it ends, so that a search of all
 * pages, which is what a guest can have us do, would take the square of its size.
 */
static int read_layer(const struct fcp_guest_memory *memory, uint64_t at, char *buffer,
		      size_t bytes, struct fcp_error *err)
{
	while (bytes > 0) {
		uint64_t start, end;
		size_t length;
		bool own;

		if (fcp_guest_memory_data_start(memory, at, &start, err) < 0)
			return -1;
		own = start <= at;
		end = own ? fcp_align_down(at, FCP_PAGE_BYTES) + FCP_PAGE_BYTES : start;
		length = end - at < bytes ? (size_t)(end - at) : bytes;
		if ((own ? read_own_memory : read_base)(memory, at, buffer, length, err) != 0)
			return -1;
		at += length;
		buffer += length;
		bytes -= length;
	}
	return 0;
}

int fcp_guest_memory_read(const struct fcp_guest_memory *memory, uint64_t gpa, void *buffer,
			  size_t bytes, struct fcp_error *err)
{
	const struct fcp_guest_region *region = fcp_guest_memory_region(memory, gpa, bytes);
	uint64_t at;

	if (!region)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "physical address %#llx: not RAM",
				     (unsigned long long)gpa);
	if (memory->process)
		return fcp_guest_process_read(memory, region, gpa - region->gpa, buffer, bytes,
					      err);
	at = fcp_guest_region_offset(region, gpa);
	if (memory->holes == FCP_HOLES_BASE)
		return read_layer(memory, at, buffer, bytes, err);
	return read_own_memory(memory, at, buffer, bytes, err);
}

static int gather_singly(const struct fcp_guest_memory *memory, const uint64_t *gpas, size_t count,
			 char *buffer, size_t bytes, struct fcp_error *err)
{
	for (size_t i = 0; i < count; i++, buffer += bytes)
		if (fcp_guest_memory_read(memory, gpas[i], buffer, bytes, err) != 0)
			return -1;
	return 0;
}

int fcp_guest_memory_gather(const struct fcp_guest_memory *memory, const uint64_t *gpas,
			    size_t count, void *buffer, size_t bytes, struct fcp_error *err)
{
	char *to = buffer;

	for (size_t done = 0; done < count;
	     done += FCP_GUEST_GATHER_MAX, to += FCP_GUEST_GATHER_MAX * bytes) {
		size_t part =
			count - done < FCP_GUEST_GATHER_MAX ? count - done : FCP_GUEST_GATHER_MAX;

		if (memory->process &&
		    fcp_guest_process_gather(memory, gpas + done, part, to, bytes))
			continue;
		if (gather_singly(memory, gpas + done, part, to, bytes, err) != 0)
			return -1;
	}
	return 0;
}

/* No data from here on: a hole up to the end, unless the end is not where it was. */
static int check_length(const struct fcp_guest_memory *memory, struct fcp_error *err)
{
	struct stat status;

	if (fstat(memory->fd, &status) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "memory file");
	if ((uint64_t)status.st_size < memory->bytes)
		return fcp_error_set(err, FCP_ERR_IO, 0, "memory file: it became shorter");
	return 0;
}

static int file_data_start(const struct fcp_guest_memory *memory, uint64_t offset, uint64_t *start_,
			   struct fcp_error *err)
{
	off_t start = lseek(memory->fd, (off_t)offset, SEEK_DATA);

	if (start < 0 && errno != ENXIO)
		return fcp_error_set(err, FCP_ERR_IO, errno, "memory file: extents");
	if (start < 0 && check_length(memory, err) < 0)
		return -1;
	/* A file that has grown since: the guest's memory ends where it ended. */
	*start_ = start < 0 || (uint64_t)start > memory->bytes ? memory->bytes : (uint64_t)start;
	return 0;
}

static int file_data(const struct fcp_guest_memory *memory, uint64_t offset,
		     struct fcp_range *extent_, struct fcp_error *err)
{
	uint64_t start;
	off_t end;

	if (file_data_start(memory, offset, &start, err) < 0)
		return -1;
	*extent_ = (struct fcp_range){start, start};
	if (start == memory->bytes)
		return 0;
	end = lseek(memory->fd, (off_t)start, SEEK_HOLE);
	if (end < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "memory file: extents");
	extent_->end = (uint64_t)end < memory->bytes ? (uint64_t)end : memory->bytes;
	return 0;
}

int fcp_guest_memory_data_start(const struct fcp_guest_memory *memory, uint64_t offset,
				uint64_t *start_, struct fcp_error *err)
{
	struct fcp_range data;

	*start_ = memory->bytes;
	if (offset >= memory->bytes)
		return 0;
	if (memory->source) {
		if (fcp_guest_source_data(memory->source, offset, &data, err) != 0)
			return -1;
		*start_ = data.start;
		return 0;
	}
	return memory->process ? fcp_guest_process_data_start(memory, offset, start_, err)
			       : file_data_start(memory, offset, start_, err);
}

int fcp_guest_memory_data(const struct fcp_guest_memory *memory, uint64_t offset,
			  struct fcp_range *extent_, struct fcp_error *err)
{
	if (offset >= memory->bytes) {
		*extent_ = (struct fcp_range){memory->bytes, memory->bytes};
		return 0;
	}
	if (memory->source)
		return fcp_guest_source_data(memory->source, offset, extent_, err);
	return memory->process ? fcp_guest_process_data(memory, offset, extent_, err)
			       : file_data(memory, offset, extent_, err);
}

static int add_blocks(int fd, uint64_t *bytes, struct fcp_error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "memory file");
	*bytes += (uint64_t)status.st_blocks * 512;
	return 0;
}

int fcp_guest_memory_held(const struct fcp_guest_memory *memory, uint64_t *bytes_,
			  struct fcp_error *err)
{
	uint64_t bytes = memory->source ? memory->bytes : 0;

	if (memory->process) {
		*bytes_ = memory->bytes;
		return 0;
	}
	bytes += memory->base_source ? memory->bytes : 0;
	if ((!memory->source && add_blocks(memory->fd, &bytes, err) < 0) ||
	    (memory->base_fd >= 0 && add_blocks(memory->base_fd, &bytes, err) < 0))
		return -1;
	*bytes_ = bytes;
	return 0;
}
