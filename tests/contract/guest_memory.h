// SPDX-License-Identifier: Apache-2.0
#ifndef CONTRACT_GUEST_MEMORY_H
#define CONTRACT_GUEST_MEMORY_H

/* Writes the guest memory of a simulator to stdout, one mapping after the other. 0, or 1. */
int guest_memory_print(int pid);

#endif
