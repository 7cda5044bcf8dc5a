// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot_memory.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/meminfo.h"
#include "base/units.h"
#include "firecracker/hold.h"
#include "firecracker/process.h"
#include "memory/clone.h"
#include "memory/range.h"
#include "memory/release.h"
#include "memory/sparse.h"
#include "memory/writer.h"
#include "memory/zero.h"
#include "steps/free_ranges.h"
#include "steps/snapshot_base.h"
#include "steps/snapshot_plan.h"
#include "steps/vm_memory.h"

#include <string.h>
#include <sys/mman.h>

#define FIFO_SUFFIX ".fcpause-hold"

/* Firecracker saves its state in milliseconds. One that opens the memory file first would never end. */
#define STATE_MS 10000

struct fcp_snapshot_memory {
	struct fcp_snapshot_memory_settings settings;
	struct fcp_guest_ram ram;
	struct fcp_snapshot_base base;
	uint64_t bytes; /* of the memory file */
	char *fifo;
	char *fifo_seen;
	struct fcp_hold *hold;
	struct fcp_guest_free found;
	struct fcp_snapshot_plan plan;
	struct fcp_page_runs copied; /* plan.changed, with addresses in buffer */
	void *buffer;		     /* copied.bytes; NULL: written at once */
};

/* ---- before the pause ---- */

static char *with_suffix(const char *path)
{
	char *joined;

	return asprintf(&joined, "%s%s", path, FIFO_SUFFIX) >= 0 ? joined : NULL;
}

/* "DIRECTORY/NAME" as Firecracker sees the memory file's place. */
static char *seen_path(const struct fcp_snapshot_file *file, const char *name)
{
	char *joined;

	return asprintf(&joined, "%s/%s", file->place.seen, name) >= 0 ? joined : NULL;
}

static int open_memory(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_memory_settings *s = &memory->settings;

	memory->bytes = fcp_machine_file_bytes(s->machine);
	memory->fifo = with_suffix(s->files->memory.name);
	memory->fifo_seen = memory->fifo ? seen_path(&s->files->memory, memory->fifo) : NULL;
	if (!memory->fifo_seen)
		return fcp_error_nomem(err);
	if (fcp_vm_memory_find(s->firecracker, s->machine, &memory->ram, err) != 0)
		return -1;
	return fcp_snapshot_base_open(&memory->ram, s->snapshot->base, memory->bytes, &memory->base, err);
}

int fcp_snapshot_memory_open(const struct fcp_snapshot_memory_settings *settings,
			     struct fcp_snapshot_memory **memory_, struct fcp_error *err)
{
	struct fcp_snapshot_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return fcp_error_nomem(err);
	memory->settings = *settings;
	memory->base = (struct fcp_snapshot_base)FCP_SNAPSHOT_BASE_NONE;
	if (open_memory(memory, err) == 0) {
		*memory_ = memory;
		return 0;
	}
	fcp_snapshot_memory_free(memory);
	return -1;
}

uint64_t fcp_snapshot_memory_room(const struct fcp_snapshot_memory *memory)
{
	struct fcp_file_size base = {0};
	struct fcp_error ignored;
	uint64_t rss_bytes, swap_bytes, bytes;

	if (!fcp_process_rss(memory->ram.pid, &rss_bytes) ||
	    !fcp_process_swap(memory->ram.pid, &swap_bytes))
		return memory->bytes;
	if (memory->base.fd >= 0)
		fcp_file_size(memory->base.fd, "base", &base, &ignored);
	bytes = rss_bytes + swap_bytes + base.allocated_bytes;
	return bytes < memory->bytes ? bytes : memory->bytes;
}

const char *fcp_snapshot_memory_fifo(const struct fcp_snapshot_memory *memory)
{
	return memory->fifo;
}

static int prepare_hold(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_memory_settings *s = &memory->settings;
	struct fcp_hold_settings hold = {
		.api_sock = s->snapshot->api_sock,
		.state_seen = s->files->snapshot.seen,
		.state_fd = s->files->snapshot.fd,
		.state_name = s->files->snapshot.host,
		.directory = s->files->memory.place.directory,
		.fifo_name = memory->fifo,
		.fifo_seen = memory->fifo_seen,
		.state_ms = s->timeout_ms < STATE_MS ? s->timeout_ms : STATE_MS,
		.end_ms = s->timeout_ms,
		.cancel_fd = s->snapshot->cancel_fd,
	};

	if (!fcp_process_owner(memory->ram.pid, &hold.uid, &hold.gid))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "Firecracker's user is not known");
	return fcp_hold_prepare(&hold, &memory->hold, err);
}

/* The memory file as what the guest's memory began as, so that only what has changed is written. */
static int clone_base(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	const struct fcp_clone_settings clone = {.from = memory->base.fd,
						 .to = file->fd,
						 .name = file->host,
						 .bytes = memory->bytes,
						 .cancel_fd = memory->settings.snapshot->cancel_fd};

	if (memory->base.fd >= 0)
		return fcp_clone_file(&clone, &memory->base.clone, err);
	if (ftruncate(file->fd, (off_t)memory->bytes) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", file->host);
	return 0;
}

int fcp_snapshot_memory_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	return prepare_hold(memory, err) == 0 && clone_base(memory, err) == 0 ? 0 : -1;
}

/* ---- what has to be written ---- */

/* Does the kernel's own view of its memory put the same offsets at the same addresses? Where regions of
 * one size cannot be told apart otherwise, it decides. */
static bool kernel_agrees(const struct fcp_snapshot_memory *memory)
{
	const struct fcp_guest_free *found = &memory->found;
	size_t piece = 0;

	for (unsigned i = 0; i < found->region_count; i++) {
		const struct fcp_guest_region *region = &found->regions[i];
		const struct fcp_guest_piece *p;

		while (piece < memory->ram.piece_count &&
		       memory->ram.pieces[piece].offset + memory->ram.pieces[piece].end -
				       memory->ram.pieces[piece].start <= region->offset)
			piece++;
		if (piece == memory->ram.piece_count)
			return false;
		p = &memory->ram.pieces[piece];
		if (p->start + (region->offset - p->offset) != region->address)
			return false;
	}
	return found->region_count > 0 || memory->ram.unambiguous;
}

static int scan_guest(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
		      struct fcp_error *err)
{
	struct fcp_guest_memory guest;
	int found;

	if (fcp_guest_memory_open_process(&memory->ram, memory->base.fd, &guest, err) != 0)
		return -1;
	found = fcp_free_ranges_of(&guest, memory->settings.snapshot->cancel_fd, &memory->found,
				   &result->guest, err);
	fcp_guest_memory_close(&guest);
	return found;
}

/* What a gate refuses is written: then no page is free. */
static int find_free(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
		     struct fcp_error *err)
{
	const struct fcp_snapshot_memory_settings *s = &memory->settings;
	struct fcp_memory_report *report = &result->memory;
	struct fcp_error why;

	if ((s->snapshot->leave_out & FCP_FIND_FREE) == 0 && memory->ram.unambiguous)
		return 0;
	if (scan_guest(memory, result, &why) != 0) {
		if (why.error_class == FCP_ERR_INTERRUPTED || why.error_class == FCP_ERR_MEMORY) {
			*err = why;
			return -1;
		}
		snprintf(report->free_reason, sizeof(report->free_reason), "%.255s", why.message);
	}
	if (!kernel_agrees(memory))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "which mapping is which region of the guest's memory is not known");
	if ((s->snapshot->leave_out & FCP_FIND_FREE) == 0)
		fcp_ranges_clear(&memory->found.ranges);
	report->free_bytes = fcp_ranges_bytes(&memory->found.ranges);
	return 0;
}

static int make_plan(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
		     struct fcp_error *err)
{
	const struct fcp_snapshot_plan_settings plan = {&memory->ram, &memory->found.ranges};

	if (fcp_snapshot_plan_make(&plan, &memory->plan, err) != 0)
		return -1;
	report->guest_bytes = memory->bytes;
	report->changed_bytes = memory->plan.changed.bytes;
	return 0;
}

/* ---- writing ---- */

static struct fcp_writer_settings writer_settings(const struct fcp_snapshot_memory *memory)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;

	return (struct fcp_writer_settings){
		.pid = memory->buffer ? 0 : memory->ram.pid,
		.runs = memory->buffer ? &memory->copied : &memory->plan.changed,
		.fd = file->fd,
		.name = file->host,
		.base_fd = memory->base.fd,
		.cancel_fd = memory->settings.snapshot->cancel_fd,
	};
}

static int write_changed(const struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			 struct fcp_error *err)
{
	const struct fcp_writer_settings writer = writer_settings(memory);
	struct fcp_writer_result written;

	if (fcp_writer_write(&writer, &written, err) != 0)
		return -1;
	report->zero_bytes = written.zero_bytes;
	report->base_equal_bytes = written.equal_bytes;
	report->written_bytes = written.written_bytes;
	return 0;
}

/* Free pages and dropped ones: where the file began as the base, its bytes are there still. */
static int make_holes(const struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	const struct fcp_file target = {.fd = file->fd, .name = file->host, .cancel_fd = -1};
	uint64_t ignored = 0;

	if (memory->base.fd < 0)
		return 0;
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

static int copy_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			struct fcp_error *err)
{
	struct fcp_writer_settings writer = writer_settings(memory);

	if (!reserve_buffer(memory))
		return write_changed(memory, report, err);
	if (fcp_writer_copy(&writer, memory->buffer, err) != 0)
		return -1;
	report->buffered = true;
	return list_copied(memory, err);
}

/* ---- verifying ---- */

/* The process's own pages behind ranges of the memory file. */
static int runs_of(const struct fcp_guest_ram *ram, const struct fcp_ranges *ranges,
		   struct fcp_page_runs *runs, struct fcp_error *err)
{
	size_t piece = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		uint64_t at = ranges->items[i].start;

		while (at < ranges->items[i].end) {
			const struct fcp_guest_piece *p = &ram->pieces[piece];
			uint64_t end = p->offset + (p->end - p->start);

			if (end <= at) {
				piece++;
				continue;
			}
			if (end > ranges->items[i].end)
				end = ranges->items[i].end;
			if (fcp_page_runs_add(runs, (struct fcp_page_run){at, end, p->start + (at - p->offset)},
					      err) != 0)
				return -1;
			at = end;
		}
	}
	return 0;
}

static int verify_runs(const struct fcp_snapshot_memory *memory, const struct fcp_page_runs *runs,
		       uint64_t *differing, struct fcp_error *err)
{
	struct fcp_writer_settings writer = writer_settings(memory);
	uint64_t pages = 0;

	writer.runs = runs;
	if (fcp_writer_verify(&writer, &pages, err) != 0)
		return -1;
	*differing += pages;
	return 0;
}

/* Pages of data in one range that are not zeros. */
static int count_not_zero(const struct fcp_snapshot_file *file, struct fcp_range range,
			  uint64_t *differing, struct fcp_error *err)
{
	unsigned char page[FCP_PAGE_BYTES];
	struct fcp_range data = {range.start, range.start};
	int more;

	while ((more = fcp_sparse_next(file->fd, file->host, data.end, range.end, &data, err)) > 0)
		for (uint64_t at = fcp_align_down(data.start, FCP_PAGE_BYTES); at < data.end;
		     at += FCP_PAGE_BYTES)
			*differing += pread(file->fd, page, sizeof(page), (off_t)at) !=
					      (ssize_t)sizeof(page) ||
				      !fcp_page_is_zero(page);
	return more;
}

/* What the process does not have must be zeros. It is not read there: that would give it pages. */
static int verify_zeros(const struct fcp_snapshot_memory *memory, uint64_t *differing,
			struct fcp_error *err)
{
	for (size_t i = 0; i < memory->plan.zero.count; i++)
		if (count_not_zero(&memory->settings.files->memory, memory->plan.zero.items[i], differing,
				   err) != 0)
			return -1;
	return 0;
}

/* All pages of the file that are not free, against the memory that stands still. Memory that a handler
 * fills in is not touched where it is missing. */
static int verify(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
		  struct fcp_error *err)
{
	FCP_CLEANUP(page_runs) struct fcp_page_runs unchanged = {0};
	uint64_t differing = 0;

	if (make_holes(memory, err) != 0 || verify_zeros(memory, &differing, err) != 0 ||
	    verify_runs(memory, &memory->plan.changed, &differing, err) != 0)
		return -1;
	if (memory->ram.backing != FCP_GUEST_BACKING_USERFAULT &&
	    (runs_of(&memory->ram, &memory->plan.unchanged, &unchanged, err) != 0 ||
	     verify_runs(memory, &unchanged, &differing, err) != 0))
		return -1;
	if (differing > 0)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "%llu pages of the memory file are not what the VM's memory holds",
				     (unsigned long long)differing);
	report->verified = true;
	return 0;
}

/* ---- the hold ---- */

static double lap(uint64_t *since_ns)
{
	uint64_t now_ns = fcp_now_ns();
	double ms = (double)(now_ns - *since_ns) / 1e6;

	*since_ns = now_ns;
	return ms;
}

/* Where the caller's own limit did not come first, Firecracker may write. */
static int wait_for_state(const struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	if (fcp_hold_wait(memory->hold, err) == 0)
		return 0;
	if (err->error_class == FCP_ERR_TIMEOUT && memory->settings.timeout_ms > STATE_MS)
		err->error_class = FCP_ERR_UNSUPPORTED;
	return -1;
}

/* Free pages are looked for while Firecracker saves its state: no vCPU runs, and devices write only to
 * pages that are in use. All else has to wait until it is held. */
static int work_while_held(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			   struct fcp_error *err)
{
	struct fcp_downtime *downtime = &result->downtime_ms;
	uint64_t since_ns = fcp_now_ns();

	if (find_free(memory, result, err) != 0)
		return -1;
	downtime->scan = lap(&since_ns);
	if (wait_for_state(memory, err) != 0)
		return -1;
	downtime->state = lap(&since_ns);
	if (make_plan(memory, &result->memory, err) != 0)
		return -1;
	downtime->scan += lap(&since_ns);
	if (copy_changed(memory, &result->memory, err) != 0 ||
	    (memory->settings.snapshot->verify && verify(memory, &result->memory, err) != 0))
		return -1;
	downtime->copy = lap(&since_ns);
	return fcp_hold_check(memory->hold, err);
}

int fcp_snapshot_memory_take(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			     struct fcp_error *err)
{
	struct fcp_error end_error;
	uint64_t since_ns;
	int worked, ended;

	if (fcp_hold_start(memory->hold, err) != 0)
		return -1;
	worked = work_while_held(memory, result, err);
	since_ns = fcp_now_ns();
	ended = fcp_hold_end(memory->hold, &end_error);
	result->downtime_ms.resume = lap(&since_ns);
	if (worked == 0 && ended != 0)
		*err = end_error;
	return worked == 0 && ended == 0 ? 0 : -1;
}

/* Of what the file has from the base, the data: shared with it, or copied. */
static void count_base(const struct fcp_snapshot_memory *memory, struct fcp_memory_report *report)
{
	const struct fcp_file base = {.fd = memory->base.fd, .name = "base", .cancel_fd = -1};
	uint64_t hole_bytes = 0;
	struct fcp_error ignored;

	report->copied_bytes = memory->base.clone.copied_bytes;
	if (memory->base.clone.reflinked &&
	    fcp_release_check(&base, &memory->plan.unchanged, 0, &hole_bytes, &ignored) == 0)
		report->cloned_bytes = fcp_ranges_bytes(&memory->plan.unchanged) - hole_bytes +
				       report->base_equal_bytes;
}

int fcp_snapshot_memory_finish(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			       struct fcp_error *err)
{
	struct fcp_memory_report *report = &result->memory;

	if (memory->buffer && write_changed(memory, report, err) != 0)
		return -1;
	if (!report->verified && make_holes(memory, err) != 0)
		return -1;
	if (memory->base.fd >= 0) {
		snprintf(report->base, sizeof(report->base), "%s", memory->base.path);
		count_base(memory, report);
	}
	return 0;
}

void fcp_snapshot_memory_free(struct fcp_snapshot_memory *memory)
{
	if (!memory)
		return;
	fcp_hold_free(memory->hold);
	if (memory->buffer)
		munmap(memory->buffer, memory->plan.changed.bytes);
	fcp_page_runs_clear(&memory->copied);
	fcp_snapshot_plan_clear(&memory->plan);
	fcp_guest_free_clear(&memory->found);
	fcp_snapshot_base_close(&memory->base);
	fcp_guest_ram_clear(&memory->ram);
	free(memory->fifo);
	free(memory->fifo_seen);
	free(memory);
}
