// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <signal.h>

/* The system's default, 8 MiB as a rule, counts against RLIMIT_DATA, used or not. */
#define STACK_BYTES ((size_t)1 << 20)

int fcp_thread_start(pthread_t *thread_, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int errnum;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(thread_, &attributes, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return errnum;
}
