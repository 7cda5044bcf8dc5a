// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	[FCP_ERR_LEFT] = "left",
};

const char *fcp_error_class_name(enum fcp_error_class error_class)
{
	size_t index = (size_t)error_class;

	return index < sizeof(class_names) / sizeof(class_names[0]) ? class_names[index] : "unknown";
}

int fcp_error_set(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		  const char *format, ...)
{
	char text[sizeof(err->message)];
	va_list args;

	/* The message may quote the error it replaces, so it is built aside. */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	*err = (struct fcp_error){.error_class = error_class, .errnum = errnum};
	if (errnum != 0)
		snprintf(err->message, sizeof(err->message), "%.440s: %s", text,
			 strerrordesc_np(errnum) ? strerrordesc_np(errnum) : "unknown error");
	else
		memcpy(err->message, text, sizeof(text));
	return -1;
}

int fcp_error_wrap(struct fcp_error *err, const char *format, ...)
{
	char context[sizeof(err->message)];
	char message[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(message, err->message, sizeof(message));
	snprintf(err->message, sizeof(err->message), "%.200s: %.300s", context, message);
	return -1;
}

int fcp_error_nomem(struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_MEMORY, ENOMEM, "no memory");
}
