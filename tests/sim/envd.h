// SPDX-License-Identifier: Apache-2.0
/* The guest's envd. */
#ifndef SIM_ENVD_H
#define SIM_ENVD_H

#include "guest.h"
#include "http.h"

void envd_init(struct guest *guest);
enum MHD_Result envd_serve(struct http_call *call);

#endif
