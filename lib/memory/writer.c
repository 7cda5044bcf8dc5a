// SPDX-License-Identifier: Apache-2.0
#include "memory/writer.h"

#include "base/cleanup.h"
#include "base/meter.h"
#include "memory/overlay.h"
#include "memory/page_reader.h"
#include "memory/pages.h"
#include "memory/share/share.h"
#include "memory/zero.h"

#include <pthread.h>
#include <string.h>

struct writer_job {
	const struct fcp_writer_settings *settings;
	struct fcp_page_reader reader;
	unsigned char *buffer; /* of fcp_writer_copy() */
	pthread_mutex_t mutex;
	/* Under the mutex. */
	struct fcp_writer_result result;
	uint64_t differing;
};

/* ---- writing ---- */

static struct fcp_range range_of(const struct fcp_page_run *piece)
{
	return (struct fcp_range){piece->start, piece->end};
}

static int punch_run(const struct fcp_writer_settings *settings, struct fcp_range run,
		     struct fcp_error *err)
{
	int errnum = fcp_pages_punch(settings->fd, run);

	if (errnum == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot make a hole", settings->name);
}

/* What to do with a page. */
enum fate {
	FATE_LEAVE, /* the file has it already */
	FATE_PUNCH, /* zeros, where the base has data */
	FATE_WRITE,
};

/* base: the base's page; NULL if the file began as a hole. */
static enum fate fate_of(const struct fcp_writer_settings *settings, const unsigned char *page,
			 const unsigned char *base, struct fcp_writer_result *counts)
{
	bool zero = fcp_page_is_zero(page);
	bool equal = base ? memcmp(page, base, FCP_PAGE_BYTES) == 0 : zero;

	if (!equal && (!zero || settings->layer))
		return FATE_WRITE;
	if (zero)
		counts->zero_bytes += FCP_PAGE_BYTES;
	else
		counts->equal_bytes += FCP_PAGE_BYTES;
	return equal ? FATE_LEAVE : FATE_PUNCH;
}

/* What a thread needs to write a batch. */
struct writing {
	const struct fcp_writer_settings *settings;
	struct fcp_writer_result counts;
	struct fcp_share_window window;
};

static int write_run(struct writing *writing, struct fcp_range run, const unsigned char *pages,
		     struct fcp_error *err)
{
	const struct fcp_writer_settings *settings = writing->settings;
	const struct fcp_share_put put = {settings->fd, settings->name, run, pages, false};
	uint64_t shared_bytes = 0;
	int written =
		settings->share
			? fcp_share_put(settings->share, &writing->window, &put, &shared_bytes, err)
			: fcp_pages_write(settings->fd, settings->name, run, pages, err);

	writing->counts.shared_bytes += shared_bytes;
	writing->counts.written_bytes += run.end - run.start - shared_bytes;
	return written;
}

static int settle_run(struct writing *writing, enum fate fate, struct fcp_range run,
		      const unsigned char *pages, struct fcp_error *err)
{
	if (run.start == run.end)
		return 0;
	switch (fate) {
	case FATE_WRITE:
		return write_run(writing, run, pages, err);
	case FATE_PUNCH:
		return punch_run(writing->settings, run, err);
	case FATE_LEAVE:
		break;
	}
	return 0;
}

/* Adjacent pages with the same fate share a call. */
static int settle_piece(struct writing *writing, const struct fcp_page_run *piece,
			const unsigned char *pages, const unsigned char *base,
			struct fcp_error *err)
{
	struct fcp_range run = {piece->start, piece->start};
	enum fate fate = FATE_LEAVE;

	for (; run.end < piece->end; run.end += FCP_PAGE_BYTES) {
		uint64_t at = run.end - piece->start;
		enum fate next = fate_of(writing->settings, pages + at, base ? base + at : NULL,
					 &writing->counts);

		if (next == fate)
			continue;
		if (settle_run(writing, fate, run, pages + (run.start - piece->start), err) != 0)
			return -1;
		fate = next;
		run.start = run.end;
	}
	return settle_run(writing, fate, run, pages + (run.start - piece->start), err);
}

static void add_counts(struct writer_job *job, const struct fcp_writer_result *counts)
{
	pthread_mutex_lock(&job->mutex);
	job->result.read_bytes += counts->read_bytes;
	job->result.zero_bytes += counts->zero_bytes;
	job->result.equal_bytes += counts->equal_bytes;
	job->result.shared_bytes += counts->shared_bytes;
	job->result.written_bytes += counts->written_bytes;
	fcp_meter_add(job->settings->meter, counts->read_bytes);
	pthread_mutex_unlock(&job->mutex);
}

static int write_batch(const struct fcp_page_batch *batch, unsigned char *pages,
		       unsigned char *base, void *arg, struct fcp_error *err)
{
	struct writer_job *job = arg;
	const struct fcp_writer_settings *settings = job->settings;
	bool has_base = settings->base_fd >= 0;
	struct writing writing;

	writing.settings = settings;
	writing.counts = (struct fcp_writer_result){.read_bytes = batch->bytes};
	writing.window.source = NULL;
	if (fcp_page_reader_read(&job->reader, batch, pages, err) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct fcp_page_run *piece = &batch->pieces[i];

		if (has_base &&
		    fcp_pages_read(settings->base_fd, "base", range_of(piece), base, err) != 0)
			return -1;
		if (settle_piece(&writing, piece, pages, has_base ? base : NULL, err) != 0)
			return -1;
		pages += piece->end - piece->start;
	}
	add_counts(job, &writing.counts);
	return 0;
}

/* ---- copying and comparing ---- */

static int copy_batch(const struct fcp_page_batch *batch, unsigned char *pages,
		      unsigned char *other, void *arg, struct fcp_error *err)
{
	struct writer_job *job = arg;

	(void)pages;
	(void)other;
	if (fcp_page_reader_read(&job->reader, batch, job->buffer + batch->position, err) != 0)
		return -1;
	add_counts(job, &(struct fcp_writer_result){.read_bytes = batch->bytes});
	return 0;
}

/* What a reader of the file gets: in a layer's holes, the base's bytes. */
static int read_written(const struct fcp_writer_settings *settings,
			const struct fcp_page_run *piece, unsigned char *written,
			struct fcp_error *err)
{
	const struct fcp_overlay overlay = {settings->base_fd, settings->fd, settings->name};

	if (settings->layer && settings->base_fd >= 0)
		return fcp_overlay_read(&overlay, range_of(piece), written, err);
	return fcp_pages_read(settings->fd, settings->name, range_of(piece), written, err);
}

static int verify_batch(const struct fcp_page_batch *batch, unsigned char *pages,
			unsigned char *written, void *arg, struct fcp_error *err)
{
	struct writer_job *job = arg;
	uint64_t differing = 0;

	if (fcp_page_reader_read(&job->reader, batch, pages, err) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct fcp_page_run *piece = &batch->pieces[i];
		uint64_t bytes = piece->end - piece->start;

		if (read_written(job->settings, piece, written, err) != 0)
			return -1;
		for (uint64_t at = 0; at < bytes; at += FCP_PAGE_BYTES)
			differing += memcmp(pages + at, written + at, FCP_PAGE_BYTES) != 0;
		pages += bytes;
	}
	pthread_mutex_lock(&job->mutex);
	job->differing += differing;
	pthread_mutex_unlock(&job->mutex);
	return 0;
}

/* ---- the jobs ---- */

static int run_job(const struct fcp_writer_settings *settings, fcp_page_take *take,
		   struct writer_job *job, struct fcp_error *err)
{
	job->settings = settings;
	job->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	job->reader = (struct fcp_page_reader){.pid = settings->pid,
					       .runs = settings->runs,
					       .threads = settings->threads,
					       .name = settings->name,
					       .cancel_fd = settings->cancel_fd,
					       .take = take,
					       .arg = job};
	return fcp_page_reader_run(&job->reader, err);
}

int fcp_writer_write(const struct fcp_writer_settings *settings, struct fcp_writer_result *result_,
		     struct fcp_error *err)
{
	struct writer_job job = {0};
	int ran = run_job(settings, write_batch, &job, err);

	*result_ = job.result;
	return ran;
}

int fcp_writer_copy(const struct fcp_writer_settings *settings, void *buffer, struct fcp_error *err)
{
	struct writer_job job = {.buffer = buffer};

	return run_job(settings, copy_batch, &job, err);
}

int fcp_writer_verify(const struct fcp_writer_settings *settings, uint64_t *differing_,
		      struct fcp_error *err)
{
	struct writer_job job = {0};
	int ran = run_job(settings, verify_batch, &job, err);

	*differing_ = job.differing;
	return ran;
}
