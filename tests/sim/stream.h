// SPDX-License-Identifier: Apache-2.0
/* The stream that answers process.Process/Start. */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "guest.h"
#include "http.h"

/* Runs what the request asks for and streams its events. */
enum MHD_Result stream_start(struct http_call *call, const struct guest *guest, const char *user);

#endif
