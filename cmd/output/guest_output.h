// SPDX-License-Identifier: Apache-2.0
/* Where the output of a guest's command goes: through to our own, or its beginning is kept. */
#ifndef FCP_CMD_OUTPUT_GUEST_OUTPUT_H
#define FCP_CMD_OUTPUT_GUEST_OUTPUT_H

#include "base/deadline.h"
#include "fcpause.h"

#define GUEST_OUTPUT_KEPT_BYTES 65536

struct guest_output {
	fcp_deadline deadline; /* a reader that takes nothing does not hold us longer */
	int cancel_fd;
	struct {
		char bytes[GUEST_OUTPUT_KEPT_BYTES + 1];
		size_t length;
		bool truncated;
	} kept[2]; /* by enum fcp_guest_stream */
};

/* Both are fcp_exec_settings.on_output, with a struct guest_output as arg. The first writes to our
 * stdout and stderr. */
int guest_output_pass(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err);
int guest_output_keep(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err);

/* What was kept as text: UTF-8 without NUL, other bytes replaced by '?'. Valid as long as output is. */
const char *guest_output_text(struct guest_output *output, enum fcp_guest_stream stream);

#endif
