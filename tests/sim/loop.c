// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "loop.h"

#define PACKETS_EVERY_NS 500000

struct loop_job {
	void (*fn)(void *arg);
	void *arg;
	bool done;
};

static void woken(int sig)
{
	(void)sig;
}

/* A packet came in for the guest while it stands still. */
static void receive_packet(struct vm *vm)
{
	if (!vm->options.paused_writes || vm->state != VM_PAUSED)
		return;
	memory_write_some(&vm->memory);
	vm->paused_writes++;
}

static void wait_for_work(struct vm *vm)
{
	int64_t next = now_ns() + PACKETS_EVERY_NS;
	struct timespec until = {next / 1000000000, next % 1000000000};

	if (vm->options.paused_writes && vm->state == VM_PAUSED)
		pthread_cond_timedwait(&vm->changed, &vm->lock, &until);
	else
		pthread_cond_wait(&vm->changed, &vm->lock);
}

void loop_begin(struct vm *vm)
{
	/* Without SA_RESTART: it is to end an open. */
	struct sigaction action = {.sa_handler = woken};

	sigaction(SIGUSR1, &action, NULL);
	vm->loop_thread = pthread_self();
	vm->loop_runs = true;
}

void loop_run(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	while (vm->loop_runs) {
		if (vm->job) {
			vm->job->fn(vm->job->arg);
			vm->job->done = true;
			vm->job = NULL;
			vm_changed(vm);
		} else {
			receive_packet(vm);
			wait_for_work(vm);
		}
	}
	pthread_mutex_unlock(&vm->lock);
}

void loop_stop(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->loop_runs = false;
	vm_changed(vm);
	pthread_mutex_unlock(&vm->lock);
}

void loop_call(struct vm *vm, void (*fn)(void *arg), void *arg)
{
	struct loop_job job = {fn, arg, false};

	if (!vm->loop_runs) {
		fn(arg);
		return;
	}
	vm->job = &job;
	vm_changed(vm);
	while (!job.done)
		pthread_cond_wait(&vm->changed, &vm->lock);
}

int loop_open(struct vm *vm, const char *path, int flags)
{
	int fd = -1;

	/* In this order: who ends us sees that we open, or we see that we are to end. */
	atomic_store(&vm->opening, true);
	errno = EINTR;
	while (fd < 0 && errno == EINTR && !atomic_load(&vm->ending))
		fd = open(path, flags | O_CLOEXEC, 0666);
	atomic_store(&vm->opening, false);
	return fd;
}

void loop_leave_open(struct vm *vm)
{
	atomic_store(&vm->ending, true);
	while (atomic_load(&vm->opening)) {
		pthread_kill(vm->loop_thread, SIGUSR1);
		sleep_ms(1);
	}
}
