// SPDX-License-Identifier: Apache-2.0
/* Threads of the library. */
#ifndef FCP_BASE_THREAD_H
#define FCP_BASE_THREAD_H

#include <pthread.h>

/*
 * Starts a joinable thread with all signals blocked: the program may wait for them in threads of
 * its own. Its stack has 1 MiB.
 * Returns 0, or an errno.
 */
int fcp_thread_start(pthread_t *thread_, void *(*run)(void *arg), void *arg);

#endif
