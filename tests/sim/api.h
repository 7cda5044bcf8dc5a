// SPDX-License-Identifier: Apache-2.0
/* Firecracker's API: from a request to what it does. */
#ifndef SIM_API_H
#define SIM_API_H

#include "http.h"

enum MHD_Result api_serve(struct http_call *call);

/* Sets the balloon from the JSON of PUT /balloon. Returns 0, or -1 with the message. */
int api_install_balloon(struct vm *vm, const char *json, char *ret_message, size_t size);

/*
 * Configures the VM from a file as Firecracker's --config-file takes it, a request for each
 * section; those that the API here does not have are passed over. Returns 0, or -1 with the
 * message.
 */
int api_configure(struct vm *vm, const char *path, char *ret_message, size_t size);

#endif
