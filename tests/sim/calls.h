// SPDX-License-Identifier: Apache-2.0
/* Connect's single calls to a process that was started: SendSignal, SendInput, CloseStdin. */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include "http.h"

bool calls_has_type(const struct http_call *call, const char *type);

/* A single call's error is a status and {"code","message"}. */
void calls_refuse(struct http_reply *reply, unsigned int status, const char *code,
		  const char *message);

/* Refuses what is no POST of that type: true. accept: the types that are. */
bool calls_refuse_type(const struct http_call *call, struct http_reply *reply, const char *type,
		       const char *accept);

/* Is it one of these calls? Then it is answered. */
bool calls_answer(const struct http_call *call, struct http_reply *reply);

#endif
