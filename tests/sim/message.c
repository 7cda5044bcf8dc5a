// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

int fail(struct message *msg, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(msg->text, msg->size, format, args);
	va_end(args);
	return -1;
}
