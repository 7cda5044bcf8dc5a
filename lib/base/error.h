// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_ERROR_H
#define FCP_BASE_ERROR_H

#include "fcpause.h"

#define FCP_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))

/*
 * Sets *err and returns -1, so that a function can end in `return fcp_error_set(...)`.
 * errnum is errno as the caller saved it (0: none); its text is appended to the message.
 * Every message is filtered (base/text.h): the arguments may be text from anywhere.
 */
int fcp_error_set(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		  const char *format, ...) FCP_PRINTF(4, 5);

/* Puts "context: " in front of the message of an error that is on its way up; returns -1. */
int fcp_error_wrap(struct fcp_error *err, const char *format, ...) FCP_PRINTF(2, 3);

/* Puts text behind the message. */
void fcp_error_append(struct fcp_error *err, const char *format, ...) FCP_PRINTF(2, 3);

/* Out of memory; returns -1. */
int fcp_error_nomem(struct fcp_error *err);

#endif
