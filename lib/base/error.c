// SPDX-License-Identifier: Apache-2.0
#define FCP_BASE_ERROR_C
#include "base/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* In a message: the latest start of errno's text, and the longest context. */
#define ERRNO_AT_BYTES 441
#define CONTEXT_BYTES 201

static const char *const class_names[] = {
	[FCP_ERR_NONE] = "none",
	[FCP_ERR_USAGE] = "usage",
	[FCP_ERR_INPUT] = "input",
	[FCP_ERR_UNSUPPORTED] = "unsupported",
	[FCP_ERR_STATE] = "state",
	[FCP_ERR_BUSY] = "busy",
	[FCP_ERR_CONNECT] = "connect",
	[FCP_ERR_TIMEOUT] = "timeout",
	[FCP_ERR_PROTOCOL] = "protocol",
	[FCP_ERR_SERVER] = "server",
	[FCP_ERR_IO] = "io",
	[FCP_ERR_MEMORY] = "memory",
	[FCP_ERR_INTERRUPTED] = "interrupted",
	[FCP_ERR_NOT_RESTORED] = "left",
	[FCP_ERR_LOCKED] = "locked",
};

const char *fcp_error_class_name(enum fcp_error_class error_class)
{
	size_t index = (size_t)error_class;

	return index < sizeof(class_names) / sizeof(class_names[0]) ? class_names[index]
								    : "unknown";
}

/*
 * Messages quote untrusted text in many places, so all of it is filtered here. The text is
 * formatted into a buffer longer than the message so that the filter truncates it, between two
 * characters.
 */
int fcp_error_set(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		  const char *format, ...)
{
	const char *cause = errnum ? strerrordesc_np(errnum) : NULL;
	size_t room = errnum ? ERRNO_AT_BYTES : sizeof(err->message);
	char text[2 * sizeof(err->message)];
	size_t used;
	va_list args;

	/* The message may quote the error it replaces, so it is formatted aside. */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	*err = (struct fcp_error){.error_class = error_class, .errnum = errnum};
	fcp_text_filter(text, err->message, room);
	used = strlen(err->message);
	if (errnum != 0)
		snprintf(err->message + used, sizeof(err->message) - used, ": %s",
			 cause ? cause : "unknown error");
	return -1;
}

int fcp_error_wrap(struct fcp_error *err, const char *format, ...)
{
	char context[2 * CONTEXT_BYTES];
	char message[sizeof(err->message)];
	size_t used;
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(message, err->message, sizeof(message));
	fcp_text_filter(context, err->message, CONTEXT_BYTES);
	used = strlen(err->message);
	memcpy(err->message + used, ": ", 2);
	fcp_text_filter(message, err->message + used + 2, sizeof(err->message) - used - 2);
	return -1;
}

void fcp_error_append(struct fcp_error *err, const char *format, ...)
{
	char text[2 * sizeof(err->message)];
	size_t used = strlen(err->message);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fcp_text_filter(text, err->message + used, sizeof(err->message) - used);
}

int fcp_error_nomem(struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_MEMORY, ENOMEM, "no memory");
}
