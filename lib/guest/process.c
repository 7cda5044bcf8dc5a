// SPDX-License-Identifier: Apache-2.0
#include "guest/memory.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/maps.h"
#include "base/units.h"
#include "guest/memory_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* /proc/PID/pagemap: a word a page (Documentation/admin-guide/mm/pagemap.rst). */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_BATCH 512

/* A run of readable and writable mappings without a gap. Firecracker's RAM region is one: parts of
 * it may be mapped anew after a discard (src/vmm/src/vstate/memory.rs, discard_range()). */
struct span {
	uint64_t start, end;
	bool anonymous; /* all of it: what is not present reads as zeros */
	bool shared;
};

/* The spans that can hold RAM, largest first. Much larger than all RAM is none of its. */
struct spans {
	uint64_t most_bytes;
	struct span items[FCP_GUEST_REGIONS_MAX];
	unsigned count;
};

#define SPAN_SLACK_BYTES (UINT64_C(1) << 30)

static void keep_span(struct spans *spans, struct span span)
{
	unsigned at = spans->count;

	if (span.end - span.start > spans->most_bytes)
		return;
	while (at > 0 &&
	       span.end - span.start > spans->items[at - 1].end - spans->items[at - 1].start)
		at--;
	if (at >= FCP_GUEST_REGIONS_MAX)
		return;
	if (spans->count < FCP_GUEST_REGIONS_MAX)
		spans->count++;
	for (unsigned i = spans->count - 1; i > at; i--)
		spans->items[i] = spans->items[i - 1];
	spans->items[at] = span;
}

static bool can_be_ram(const struct fcp_mapping *mapping)
{
	return mapping->readable && mapping->writable && strcmp(mapping->path, "[stack]") != 0 &&
	       strcmp(mapping->path, "[heap]") != 0;
}

static int find_spans(pid_t pid, struct spans *spans_, struct fcp_error *err)
{
	FCP_CLEANUP(maps) struct fcp_maps maps = {0};
	struct fcp_mapping mapping;
	struct span run = {0};

	if (fcp_maps_open(pid, &maps, err) != 0)
		return -1;
	while (fcp_maps_next(&maps, &mapping)) {
		struct span span = {mapping.start, mapping.end,
				    mapping.inode == 0 && !mapping.shared, mapping.shared};

		if (!can_be_ram(&mapping))
			continue;
		/* Restored memory is in private pieces, of its file and anonymous; a memfd is whole, and
		 * what lies next to it (a thread's stack) is none of it. */
		if (run.end == span.start && run.shared == span.shared) {
			run.end = span.end;
			run.anonymous &= span.anonymous;
			continue;
		}
		keep_span(spans_, run);
		run = span;
	}
	keep_span(spans_, run);
	return 0;
}

static void add_layout(struct fcp_guest_memory *memory, const struct fcp_guest_region *layout)
{
	for (unsigned i = 0; i < memory->layout_count; i++)
		if (memcmp(memory->layouts[i], layout, sizeof(memory->layouts[i])) == 0)
			return;
	if (memory->layout_count < FCP_GUEST_LAYOUTS_MAX)
		memcpy(memory->layouts[memory->layout_count++], layout, sizeof(memory->layouts[0]));
}

/* All RAM in one span, at its start or its end (something else may touch it), and its regions in
 * order or in reverse: mmap() places one mapping below the one before. */
static void place_whole(struct fcp_guest_memory *memory, const struct fcp_guest_region *plain,
			const struct span *span)
{
	struct fcp_guest_region layout[FCP_GUEST_REGIONS_MAX];

	if (span->end - span->start < memory->bytes)
		return;
	for (unsigned way = 0; way < 4; way++) {
		uint64_t start = way & 1 ? span->end - memory->bytes : span->start;

		memcpy(layout, plain, sizeof(layout));
		for (unsigned i = 0; i < FCP_GUEST_REGIONS_MAX && layout[i].bytes != 0; i++)
			layout[i].address =
				way & 2 ? start + memory->bytes - layout[i].offset - layout[i].bytes
					: start + layout[i].offset;
		add_layout(memory, layout);
	}
}

/* Each region in a span of its own size. */
static void place_apart(struct fcp_guest_memory *memory, const struct fcp_guest_region *plain,
			const struct spans *spans)
{
	struct fcp_guest_region layout[FCP_GUEST_REGIONS_MAX];
	bool used[FCP_GUEST_REGIONS_MAX] = {false};

	memcpy(layout, plain, sizeof(layout));
	for (unsigned i = 0; i < FCP_GUEST_REGIONS_MAX && layout[i].bytes != 0; i++) {
		unsigned at = 0;

		while (at < spans->count &&
		       (used[at] ||
			spans->items[at].end - spans->items[at].start != layout[i].bytes))
			at++;
		if (at == spans->count)
			return;
		used[at] = true;
		layout[i].address = spans->items[at].start;
	}
	add_layout(memory, layout);
}

/* The layouts that the process's mappings allow. */
static void place_layouts(struct fcp_guest_memory *memory, const struct spans *spans)
{
	struct fcp_guest_memory plain = *memory;

	memory->layout_count = 0;
	memset(memory->layouts, 0, sizeof(memory->layouts));
	for (unsigned i = 0; i < plain.layout_count; i++) {
		place_apart(memory, plain.layouts[i], spans);
		for (unsigned at = 0; at < spans->count; at++)
			place_whole(memory, plain.layouts[i], &spans->items[at]);
	}
}

static int lay_out_process(struct fcp_guest_memory *memory, pid_t pid, struct fcp_error *err)
{
	struct spans spans = {.most_bytes = memory->bytes ? memory->bytes + SPAN_SLACK_BYTES
							  : UINT64_MAX};
	struct fcp_guest_memory first;

	if (find_spans(pid, &spans, err) < 0)
		return -1;
	if (memory->bytes == 0)
		memory->bytes = spans.items[0].end - spans.items[0].start;
	if (fcp_guest_memory_check_size(memory->bytes, err) < 0)
		return -1;
	memory->all_anonymous = true;
	for (unsigned i = 0; i < spans.count; i++)
		if (spans.items[i].end - spans.items[i].start >=
		    memory->bytes / FCP_GUEST_REGIONS_MAX)
			memory->all_anonymous &= spans.items[i].anonymous;
	fcp_guest_memory_lay_out(memory, &(struct fcp_guest_size){.boot_bytes = memory->bytes});
	place_layouts(memory, &spans);
	if (!fcp_guest_memory_layout(memory, 0, &first))
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "process %d has no memory of %llu bytes mapped", (int)pid,
				     (unsigned long long)memory->bytes);
	*memory = first;
	return 0;
}

int fcp_guest_memory_open_process(pid_t pid, uint64_t bytes, struct fcp_guest_memory *memory_,
				  struct fcp_error *err)
{
	FCP_CLEANUP(fd) int memory_fd = -1;
	FCP_CLEANUP(fd) int pagemap_fd = -1;
	struct fcp_guest_memory memory = {.base_fd = -1, .bytes = bytes};

	memory_fd = fcp_proc_open(pid, "mem", err);
	pagemap_fd = memory_fd < 0 ? -1 : fcp_proc_open(pid, "pagemap", err);
	if (pagemap_fd < 0 || lay_out_process(&memory, pid, err) < 0)
		return -1;
	memory.fd = fcp_steal_fd(&memory_fd);
	memory.pagemap_fd = fcp_steal_fd(&pagemap_fd);
	*memory_ = memory;
	return 0;
}

void fcp_guest_memory_close(struct fcp_guest_memory *memory)
{
	if (memory->pagemap_fd < 0)
		return;
	close(memory->pagemap_fd);
	close(memory->fd);
	memory->pagemap_fd = memory->fd = -1;
}

/* How many of the pages from address on (count at most) are the same in being there as the first.
 */
static int pages_alike(const struct fcp_guest_memory *memory, uint64_t address, uint64_t count,
		       bool *there_, uint64_t *alike_, struct fcp_error *err)
{
	uint64_t words[PAGEMAP_BATCH];
	size_t bytes = (size_t)(count < PAGEMAP_BATCH ? count : PAGEMAP_BATCH) * sizeof(words[0]);
	ssize_t got = pread(memory->pagemap_fd, words, bytes,
			    (off_t)(address / FCP_PAGE_BYTES * sizeof(words[0])));
	uint64_t alike = 1;

	if (got < (ssize_t)sizeof(words[0]))
		return fcp_error_set(err, FCP_ERR_IO, got < 0 ? errno : 0, "pagemap");
	*there_ = (words[0] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0;
	while (alike < (uint64_t)got / sizeof(words[0]) &&
	       ((words[alike] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0) == *there_)
		alike++;
	*alike_ = alike;
	return 0;
}

int fcp_guest_process_data(const struct fcp_guest_memory *memory, uint64_t offset,
			   struct fcp_range *extent_, struct fcp_error *err)
{
	uint64_t at = fcp_align_down(offset, FCP_PAGE_BYTES);

	/* Of a file's mapping, what is not present is the file's bytes: all of it is data. */
	if (!memory->all_anonymous) {
		*extent_ = (struct fcp_range){offset, memory->bytes};
		return 0;
	}
	while (at < memory->bytes) {
		const struct fcp_guest_region *region = NULL;
		uint64_t gpa, count, alike;
		bool there;

		if (!fcp_guest_memory_gpa(memory, at, &gpa) ||
		    !(region = fcp_guest_memory_region(memory, gpa, FCP_PAGE_BYTES)))
			break;
		count = (region->bytes - (gpa - region->gpa)) / FCP_PAGE_BYTES;
		if (pages_alike(memory, region->address + (gpa - region->gpa), count, &there,
				&alike, err) < 0)
			return -1;
		if (there) {
			*extent_ = (struct fcp_range){at > offset ? at : offset,
						      at + alike * FCP_PAGE_BYTES};
			return 0;
		}
		at += alike * FCP_PAGE_BYTES;
	}
	*extent_ = (struct fcp_range){memory->bytes, memory->bytes};
	return 0;
}
