// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/memory.h"

#include "base/cleanup.h"
#include "base/confined.h"
#include "base/deadline.h"
#include "base/units.h"
#include "firecracker/hold.h"
#include "firecracker/process.h"
#include "memory/attributes.h"
#include "memory/release.h"
#include "memory/sparse.h"
#include "steps/snapshot/memory_parts.h"
#include "steps/vm_memory.h"

#include <string.h>

#define FIFO_SUFFIX ".fcpause-hold"

/*
 * Firecracker saves its state in milliseconds. If it opened the memory file first, the wait would
 * never end.
 */
#define STATE_MS 10000

/* ---- before the pause ---- */

static char *with_suffix(const char *path)
{
	char *joined;

	return asprintf(&joined, "%s%s", path, FIFO_SUFFIX) >= 0 ? joined : NULL;
}

/* "DIRECTORY/NAME" as Firecracker sees it, in the memory file's directory. */
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
	if (fcp_snapshot_base_open(&memory->ram, s->snapshot->base, memory->bytes, &memory->base,
				   err) != 0)
		return -1;
	if (fcp_snapshot_is_layer(memory) && memory->base.fd < 0)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"a layer needs a base, and this VM has none: it was not restored from a "
			"file");
	return fcp_snapshot_share_open(memory, err);
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
	if (memory->base.fd >= 0 && !fcp_snapshot_is_layer(memory))
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
		.observer = s->snapshot->observer,
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
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "Firecracker's user is unknown");
	return fcp_hold_prepare(&hold, &memory->hold, err);
}

/*
 * The memory file begins as what the guest's memory began as, so that only changes are written; a
 * layer as one hole.
 */
static int begin_file(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	const struct fcp_clone_settings clone = {.from = memory->base.fd,
						 .to = file->fd,
						 .name = file->host,
						 .bytes = memory->bytes,
						 .cancel_fd = memory->settings.snapshot->cancel_fd};

	if (fcp_snapshot_is_layer(memory))
		return fcp_snapshot_layer_begin(memory, err);
	if (memory->base.fd >= 0) {
		if (fcp_clone_file(&clone, &memory->base.clone, err) != 0)
			return -1;
		/*
		 * So that only the changes are left to sync at the end, when the guest may be
		 * paused.
		 */
		if (fdatasync(file->fd) != 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", file->host);
		return 0;
	}
	if (ftruncate(file->fd, (off_t)memory->bytes) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", file->host);
	return 0;
}

int fcp_snapshot_memory_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	if (prepare_hold(memory, err) != 0 || begin_file(memory, err) != 0)
		return -1;
	fcp_snapshot_buffer_prepare(&memory->buffer, memory->settings.snapshot, memory->ram.pid);
	return fcp_snapshot_share_prepare(memory, err);
}

/* ---- the hold ---- */

static double lap_ms(uint64_t *since_ns)
{
	uint64_t now_ns = fcp_now_ns();
	double ms = (double)(now_ns - *since_ns) / 1e6;

	*since_ns = now_ns;
	return ms;
}

/* Unless the caller's own limit was reached, Firecracker may write. */
static int wait_for_state(const struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	if (fcp_hold_wait(memory->hold, err) == 0)
		return 0;
	if (err->error_class == FCP_ERR_TIMEOUT && memory->settings.timeout_ms > STATE_MS)
		err->error_class = FCP_ERR_UNSUPPORTED;
	return -1;
}

/* The VM's pages on their way into the file. */
struct copy_job {
	struct fcp_snapshot_memory *memory;
	struct fcp_memory_report *report;
};

static int copy_and_verify(void *arg, struct fcp_error *err)
{
	const struct copy_job *job = arg;

	if (fcp_snapshot_copy_changed(job->memory, job->report, err) != 0)
		return -1;
	return job->memory->settings.snapshot->verify
		       ? fcp_snapshot_verify(job->memory, job->report, err)
		       : 0;
}

static int copy_pages(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
		      struct fcp_error *err)
{
	const struct fcp_confinement confinement = {memory->settings.snapshot->confine,
						    memory->ram.pid};
	struct copy_job job = {memory, report};

	return fcp_confined_run(&confinement, copy_and_verify, &job, err);
}

/*
 * Free pages are searched while Firecracker saves its state: no vCPU runs, and devices write only
 * to pages in use. The rest must wait until it is held.
 */
static int work_while_held(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			   struct fcp_error *err)
{
	struct fcp_downtime *downtime = &result->downtime_ms;
	uint64_t since_ns = fcp_now_ns();

	if (fcp_snapshot_find_free(memory, result, err) != 0)
		return -1;
	downtime->scan = lap_ms(&since_ns);
	if (wait_for_state(memory, err) != 0)
		return -1;
	downtime->state = lap_ms(&since_ns);
	if (fcp_snapshot_find_changed(memory, result->memory, err) != 0)
		return -1;
	downtime->scan += lap_ms(&since_ns);
	if (copy_pages(memory, result->memory, err) != 0)
		return -1;
	downtime->copy = lap_ms(&since_ns);
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
	result->downtime_ms.resume = lap_ms(&since_ns);
	if (worked == 0 && ended != 0)
		*err = end_error;
	return worked == 0 && ended == 0 ? 0 : -1;
}

/* The data that the file has from the base: shared with it, or copied. */
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

int fcp_snapshot_memory_finish(struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result, struct fcp_error *err)
{
	struct fcp_memory_report *report = result->memory;

	if (memory->buffer.filled && fcp_snapshot_write_changed(memory, report, err) != 0)
		return -1;
	if (!report->verified && fcp_snapshot_settle_rest(memory, report, err) != 0)
		return -1;
	fcp_snapshot_share_report(memory, result);
	if (memory->base.fd >= 0) {
		struct fcp_file_attributes attributes;

		snprintf(report->base, sizeof(report->base), "%s", memory->base.path);
		fcp_attributes_read(memory->base.fd, &attributes);
		memcpy(report->base_id, attributes.id, sizeof(report->base_id));
		count_base(memory, report);
		if (fcp_snapshot_is_layer(memory))
			fcp_snapshot_layer_warn(result);
	}
	return 0;
}

void fcp_snapshot_memory_free(struct fcp_snapshot_memory *memory)
{
	if (!memory)
		return;
	fcp_hold_free(memory->hold);
	fcp_snapshot_buffer_clear(&memory->buffer);
	fcp_snapshot_plan_clear(&memory->plan);
	fcp_guest_free_clear(&memory->found);
	fcp_snapshot_share_free(memory);
	fcp_snapshot_base_close(&memory->base);
	fcp_guest_ram_clear(&memory->ram);
	free(memory->fifo);
	free(memory->fifo_seen);
	free(memory);
}
