// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that the changed pages are copied to, so that the guest runs again before they are on the disk. A part
 * is made ready while the guest still runs: to be given pages costs as much as to copy to them.
 */
#ifndef FCP_STEPS_SNAPSHOT_BUFFER_H
#define FCP_STEPS_SNAPSHOT_BUFFER_H

#include "memory/writer.h"

/* Zero-initialise it; fcp_snapshot_buffer_clear() is safe then. */
struct fcp_snapshot_buffer {
	void *pages; /* NULL: none */
	uint64_t bytes;
	struct fcp_page_runs copied; /* what fill() copied, with addresses in pages */
	bool filled;
};

/*
 * Before the pause: makes memory ready for what process pid may have changed, as far as settings allow it. That
 * there is none is no failure.
 */
void fcp_snapshot_buffer_prepare(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, pid_t pid);

/* Room for so many bytes; false where settings do not allow that much, or there is no memory. */
bool fcp_snapshot_buffer_reserve(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, uint64_t bytes);

/* Copies writer's runs, which fit. Errors as of fcp_writer_copy(). */
int fcp_snapshot_buffer_fill(struct fcp_snapshot_buffer *buffer,
			     const struct fcp_writer_settings *writer, struct fcp_error *err);

void fcp_snapshot_buffer_clear(struct fcp_snapshot_buffer *buffer);

#endif
