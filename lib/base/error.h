// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_ERROR_H
#define FCP_BASE_ERROR_H

#include "fcpause.h"

#define FCP_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))

/*
 * Sets *err and returns -1, so that a function can end in `return fcp_error_set(...)`. errnum is
 * errno as the caller saved it (0: none); its text is appended to the message. Messages are
 * filtered (base/text.h): arguments may be untrusted text.
 */
int fcp_error_set(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		  const char *format, ...) FCP_PRINTF(4, 5);

/* Prepends "context: " to the message of an error on its way up; returns -1. */
int fcp_error_wrap(struct fcp_error *err, const char *format, ...) FCP_PRINTF(2, 3);

/* Appends to the message. */
void fcp_error_append(struct fcp_error *err, const char *format, ...) FCP_PRINTF(2, 3);

/* Out of memory; returns -1. */
int fcp_error_nomem(struct fcp_error *err);

#if defined(__clang_analyzer__) && !defined(FCP_BASE_ERROR_C)
/* Analysers do not look into other files: what they return is told here. (make lint) */
#define fcp_error_set(...) (fcp_error_set(__VA_ARGS__), -1)
#define fcp_error_wrap(...) (fcp_error_wrap(__VA_ARGS__), -1)
#define fcp_error_nomem(err) (fcp_error_nomem(err), -1)
#endif

#endif
