// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <signal.h>

int fcp_thread_start(pthread_t *thread_, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(thread_, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}
