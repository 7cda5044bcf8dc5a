// SPDX-License-Identifier: Apache-2.0
/*
 * One line for every request to Firecracker and envd, on the standard error (-vv) or in a file
 * (--trace). With -vv, also what the library decides and finds.
 */
#ifndef FCP_CMD_OUTPUT_TRACE_H
#define FCP_CMD_OUTPUT_TRACE_H

#include "cmd/output/log.h"
#include "fcpause.h"

struct trace {
	struct log logs[2];
	size_t count; /* 0: requests are not traced */
};

/*
 * path NULL: no file. The file is created with access for its owner only, and appended to.
 * FCP_ERR_IO.
 */
int trace_open(const struct log *log, bool on_stderr, const char *path, struct trace *trace_,
	       struct fcp_error *err);

void trace_exchange(const struct trace *trace, const struct fcp_exchange *exchange);

/* To the standard error only, because the file is a list of requests. */
void trace_line(const struct trace *trace, const struct fcp_log_line *line);

/* Closes the file. */
void trace_close(struct trace *trace);

#endif
