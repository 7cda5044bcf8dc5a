// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/progress.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "cmd/output/shown.h"
#include "cmd/output/size_text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STEPS_MAX 8
#define LINE_BYTES 512
#define DEFAULT_COLUMNS 80

struct step_line {
	const char *step;  /* static storage */
	const char *phase; /* the innermost one; "": none */
	bool held;	   /* within a hold, phases begin and end */
	bool waits;	   /* for a lock, before the step; erased when it has it */
	bool ended;
	enum fcp_status status;
	double ms;
	char reason[160];
	uint64_t start_ns, bytes_ns;
	uint64_t done_bytes, total_bytes;
	char drawn[LINE_BYTES]; /* as shown on the screen */
};

struct progress {
	pthread_mutex_t mutex;
	struct step_line lines[STEPS_MAX];
	size_t count;
	bool stopped;
	size_t shown; /* how many of the lines are on the screen; the cursor is on the last one */
};

struct progress *progress_open(void)
{
	const char *term = getenv("TERM");
	struct progress *progress;

	if (!isatty(STDERR_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
		return NULL;
	progress = calloc(1, sizeof(*progress));
	if (progress)
		progress->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	return progress;
}

/* ---- a line ---- */

static const char *words_for(const char *phase)
{
	static const char *const words[][2] = {
		{"hold", "the VM is held"},
		{"create", "Firecracker writes"},
		{"write", "writing"},
		{"publish", "making it durable"},
		{"resume", "resuming the VM"},
		{"stop", "stopping the hinting run"},
		{"load", "Firecracker loads"},
		{"envd", "waiting for envd"},
		{"lock", "waiting for another fcpause"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], phase) == 0)
			return words[i][1];
	return phase;
}

/* ", 12 MiB of 512 MiB, 240 MiB/s"; without the total if unknown. */
static void put_bytes(FILE *out, const struct step_line *line)
{
	char done[SIZE_TEXT_BYTES], total[SIZE_TEXT_BYTES], rate[SIZE_TEXT_BYTES];
	double seconds = fcp_ms_since(line->bytes_ns) / 1000;

	if (line->total_bytes == 0 && line->done_bytes == 0)
		return;
	fprintf(out, ", %s", short_size_text(line->done_bytes, done));
	if (line->total_bytes != 0)
		fprintf(out, " of %s", short_size_text(line->total_bytes, total));
	if (seconds > 0 && line->done_bytes > 0)
		fprintf(out, ", %s/s",
			short_size_text((uint64_t)((double)line->done_bytes / seconds), rate));
}

/* In the format of the results (text.c); a running step has bytes and rate within 80 columns. */
static void put_line(FILE *out, const struct step_line *line)
{
	if (line->ended && line->status == FCP_STATUS_SKIPPED)
		fprintf(out, "%-17s %-11s            ", line->step, fcp_status_name(line->status));
	else if (line->ended)
		fprintf(out, "%-17s %-11s %9.1f ms", line->step, fcp_status_name(line->status),
			line->ms);
	else
		fprintf(out, "%-17s ... %4.1f s", line->step, fcp_ms_since(line->start_ns) / 1000);
	if (line->ended && line->reason[0]) {
		fputs("  ", out);
		put_shown(out, line->reason);
	} else if (!line->ended && *line->phase) {
		fprintf(out, "  %s", words_for(line->phase));
		put_bytes(out, line);
	}
}

static size_t columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
									       : DEFAULT_COLUMNS;
}

/* Truncates to the width of the terminal, less the cursor: a line that wraps could not be erased. A
 * character of three bytes or more may be two columns wide. */
static size_t fit(const char *text, size_t bytes)
{
	size_t room = columns() - 1, at = 0, used = 0;

	while (at < bytes) {
		size_t end = at + 1;

		while (end < bytes && ((unsigned char)text[end] & 0xc0) == 0x80)
			end++;
		used += end - at > 2 ? 2 : 1;
		if (used > room)
			break;
		at = end;
	}
	return at;
}

/* The cursor is on the line. It is not written again if unchanged. */
static void draw_line(FILE *out, struct step_line *line)
{
	char text[LINE_BYTES] = "";
	FILE *memory = fmemopen(text, sizeof(text), "w");
	long bytes;

	if (!memory)
		return;
	put_line(memory, line);
	fflush(memory);
	bytes = ftell(memory);
	fclose(memory);
	text[fit(text, bytes < 0 ? 0 : (size_t)bytes)] = '\0';
	if (strcmp(text, line->drawn) == 0)
		return;
	memcpy(line->drawn, text, sizeof(text));
	fprintf(out, "\r%s\033[K", text);
}

/* ---- the screen: all under the mutex, each with one write ---- */

static void emit(struct progress *progress, void (*draw)(struct progress *, FILE *))
{
	FCP_CLEANUP(free) char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return;
	draw(progress, out);
	if (fclose(out) == 0 && bytes > 0 && fwrite(text, 1, bytes, stderr) == bytes)
		fflush(stderr);
}

static void draw_new(struct progress *progress, FILE *out)
{
	if (progress->stopped)
		return;
	/* The line that was last may have ended. */
	if (progress->shown > 0)
		draw_line(out, &progress->lines[progress->shown - 1]);
	for (; progress->shown < progress->count; progress->shown++) {
		if (progress->shown > 0)
			fputc('\n', out);
		draw_line(out, &progress->lines[progress->shown]);
	}
}

static void erase(struct progress *progress, FILE *out)
{
	if (progress->shown > 1)
		fprintf(out, "\033[%zuA", progress->shown - 1);
	if (progress->shown > 0)
		fputs("\r\033[J", out);
	for (size_t i = 0; i < progress->shown; i++)
		progress->lines[i].drawn[0] = '\0';
	progress->shown = 0;
}

void progress_stop(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	emit(progress, erase);
	progress->stopped = true;
	pthread_mutex_unlock(&progress->mutex);
}

void progress_close(struct progress *progress)
{
	progress_stop(progress);
	free(progress);
}

void progress_hide(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	emit(progress, erase);
}

void progress_show(struct progress *progress)
{
	if (!progress)
		return;
	emit(progress, draw_new);
	pthread_mutex_unlock(&progress->mutex);
}

void progress_tick(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	if (progress->shown > 0 && !progress->lines[progress->shown - 1].ended)
		emit(progress, draw_new);
	pthread_mutex_unlock(&progress->mutex);
}

/* ---- events from the library ---- */

/* The line of a step that is in progress. */
static struct step_line *line_of(struct progress *progress, const char *step)
{
	struct step_line *last = progress->count ? &progress->lines[progress->count - 1] : NULL;

	return last && !last->ended && strcmp(last->step, step) == 0 ? last : NULL;
}

static void step_begins(struct progress *progress, const char *step)
{
	if (progress->count < STEPS_MAX)
		progress->lines[progress->count++] =
			(struct step_line){.step = step, .phase = "", .start_ns = fcp_now_ns()};
}

static void step_ends(struct progress *progress, const struct fcp_phase *phase)
{
	struct step_line *line = line_of(progress, phase->step);

	if (!line)
		return;
	line->ended = true;
	line->status = phase->outcome->status;
	line->ms = phase->outcome->ms;
	snprintf(line->reason, sizeof(line->reason), "%.*s", (int)sizeof(line->reason) - 1,
		 phase->outcome->reason);
}

static bool is_wait(struct progress *progress, const struct fcp_phase *phase)
{
	struct step_line *line = line_of(progress, phase->step);

	return strcmp(phase->name, "lock") == 0 &&
	       (phase->ended ? line && line->waits : !line && progress->count < STEPS_MAX);
}

/* Begins or ends waiting for a lock before the first step. */
static void wait_changes(struct progress *progress, const struct fcp_phase *phase)
{
	if (!phase->ended) {
		step_begins(progress, phase->step);
		progress->lines[progress->count - 1].phase = phase->name;
		progress->lines[progress->count - 1].waits = true;
		return;
	}
	emit(progress, erase);
	progress->count--;
}

/* Phases can be nested: after the inner one, the outer one continues. */
static void phase_changes(struct progress *progress, const struct fcp_phase *phase)
{
	struct step_line *line = line_of(progress, phase->step);

	if (!line)
		return;
	if (strcmp(phase->name, "hold") == 0)
		line->held = !phase->ended;
	line->phase = !phase->ended ? phase->name : line->held ? "hold" : "";
	line->done_bytes = line->total_bytes = 0;
	line->bytes_ns = fcp_now_ns();
}

void progress_phase(struct progress *progress, const struct fcp_phase *phase)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	/* With the final figures. */
	if (phase->ended)
		emit(progress, draw_new);
	if (is_wait(progress, phase))
		wait_changes(progress, phase);
	else if (strcmp(phase->name, "step") != 0)
		phase_changes(progress, phase);
	else if (phase->ended)
		step_ends(progress, phase);
	else
		step_begins(progress, phase->step);
	emit(progress, draw_new);
	pthread_mutex_unlock(&progress->mutex);
}

void progress_bytes(struct progress *progress, const struct fcp_progress *now)
{
	struct step_line *line;

	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	line = line_of(progress, now->step);
	if (line) {
		line->done_bytes = now->done_bytes;
		line->total_bytes = now->total_bytes;
	}
	pthread_mutex_unlock(&progress->mutex);
}
