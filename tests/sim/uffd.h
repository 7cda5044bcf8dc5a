// SPDX-License-Identifier: Apache-2.0
/*
 * Guest memory that a page-fault handler fills: Firecracker's side (persist.rs), and a handler as
 * Firecracker's example on_demand_handler is.
 */
#ifndef SIM_UFFD_H
#define SIM_UFFD_H

#include <stddef.h>

/* Registers the memory and hands it to the handler that listens on the socket. Returns the
 * userfaultfd, or -1 with Firecracker's words. */
int uffd_hand_over(void *base, size_t bytes, const char *socket_path, char *ret_message,
		   size_t message_size);

/* The handler: serves one Firecracker from a memory file until it ends. The program's exit code. */
int uffd_handler_main(const char *socket_path, const char *mem_file_path);

#endif
