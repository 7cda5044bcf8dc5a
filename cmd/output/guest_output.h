// SPDX-License-Identifier: Apache-2.0
/* The output of a command in the guest: passed on to our own, or its beginning kept. */
#ifndef FCP_CMD_OUTPUT_GUEST_OUTPUT_H
#define FCP_CMD_OUTPUT_GUEST_OUTPUT_H

#include "base/deadline.h"
#include "fcpause.h"

#define GUEST_OUTPUT_KEPT_BYTES 65536

struct guest_output {
	fcp_deadline deadline; /* how long to wait for a reader that does not read */
	int cancel_fd;
	struct {
		char bytes[GUEST_OUTPUT_KEPT_BYTES + 1];
		size_t length;
		bool truncated;
	} kept[2]; /* indexed by enum fcp_guest_stream */
};

/* Both are fcp_exec_settings.on_output, with a struct guest_output as arg. The first writes to our
 * stdout and stderr. */
int guest_output_pass(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err);
int guest_output_keep(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err);

/* The kept output as UTF-8 without NUL, other bytes replaced by '?'. Valid as long as output is. */
const char *guest_output_text(struct guest_output *output, enum fcp_guest_stream stream);

#endif
