// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/progress.h"

#include "base/deadline.h"

#include <stdio.h>
#include <unistd.h>

#define INTERVAL_MS 100

struct progress progress_begin(bool quiet)
{
	return (struct progress){.wanted = !quiet && isatty(STDERR_FILENO)};
}

void progress_show(struct progress *progress, const struct fcp_progress *now)
{
	if (!progress->wanted || now->total_bytes == 0 ||
	    (progress->shown && fcp_ms_since(progress->shown_ns) < INTERVAL_MS))
		return;
	progress->shown = true;
	progress->shown_ns = fcp_now_ns();
	fprintf(stderr, "\rfcpause %s: %3.0f %%, %llu of %llu MiB", now->step,
		(double)now->done_bytes * 100 / (double)now->total_bytes,
		(unsigned long long)(now->done_bytes >> 20), (unsigned long long)(now->total_bytes >> 20));
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	progress->shown = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
