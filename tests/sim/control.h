// SPDX-License-Identifier: Apache-2.0
/* The simulator's own requests, below /sim/ on the API's socket. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "http.h"

void control_call(struct http_call *call, struct http_reply *reply);

#endif
