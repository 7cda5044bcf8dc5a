// SPDX-License-Identifier: Apache-2.0
/*
 * Memory to copy the changed pages to, so that the guest can run again before they are on disk.
 * Part of it is prepared while the guest still runs: faulting in pages takes as long as copying
 * them.
 */
#ifndef FCP_STEPS_SNAPSHOT_BUFFER_H
#define FCP_STEPS_SNAPSHOT_BUFFER_H

#include "memory/writer.h"

/* Zero-initialise it; fcp_snapshot_buffer_clear() is then safe. */
struct fcp_snapshot_buffer {
	void *pages; /* NULL: none */
	uint64_t bytes;
	struct fcp_page_runs copied; /* what fill() copied, with addresses in pages */
	bool filled;
};

/*
 * Before the pause: prepares memory for what process pid may have changed, as far as the settings
 * allow. Having none is not a failure.
 */
void fcp_snapshot_buffer_prepare(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, pid_t pid);

/* Makes room for that many bytes; false if the settings do not allow it, or there is no memory. */
bool fcp_snapshot_buffer_reserve(struct fcp_snapshot_buffer *buffer,
				 const struct fcp_snapshot_settings *settings, uint64_t bytes);

/* Copies writer's runs, which must fit. Errors as fcp_writer_copy(). */
int fcp_snapshot_buffer_fill(struct fcp_snapshot_buffer *buffer,
			     const struct fcp_writer_settings *writer, struct fcp_error *err);

void fcp_snapshot_buffer_clear(struct fcp_snapshot_buffer *buffer);

#endif
