// SPDX-License-Identifier: Apache-2.0
#include "cmd/signals.h"

#include "base/cleanup.h"
#include "cmd/output/log.h"
#include "cmd/output/progress.h"
#include "cmd/output/trace.h"
#include "cmd/parsing/invocation.h"
#include "cmd/telemetry/telemetry.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

struct signals {
	struct log log;
	bool quiet;
	struct progress *progress; /* or NULL */
	struct telemetry *telemetry;
	const struct trace *trace;
	struct vm_names vm;	      /* used by the calling thread only */
	struct fcp_observer observer; /* called by the library */
	int signal_fd;
	int cancel_fd; /* polled by the library */
	int stop_fd;   /* ends the thread */
	pthread_t thread;
	struct sigaction on_stop; /* the action of SIGTSTP before a hold */
	pthread_mutex_t mutex;
	/* Under the mutex. */
	const char *phase; /* the innermost one; static storage */
	unsigned holds;
};

/* ---- messages ---- */

/* What takes long and cannot be interrupted; "" if the run ends at once. */
static const char *waits_for(const char *phase, bool holds)
{
	if (strcmp(phase, "create") == 0)
		return holds ? "Firecracker is still writing the snapshot and cannot be stopped; "
			       "the VM is resumed when it has finished; another signal changes "
			       "nothing "
			       "(kill -9 would leave the VM to the guard process)"
			     : "Firecracker is still writing the snapshot and cannot be stopped; "
			       "another signal changes nothing";
	if (strcmp(phase, "publish") == 0)
		return "what was written is complete, and is being made durable; another signal "
		       "changes nothing";
	if (strcmp(phase, "resume") == 0)
		return "the VM is being resumed; another signal changes nothing";
	if (strcmp(phase, "stop") == 0)
		return "the hinting run is being stopped; another signal changes nothing";
	return "";
}

static void say(struct signals *signals, const char *phase, bool holds, unsigned count)
{
	const char *what = waits_for(phase, holds);

	if (signals->quiet || !what[0])
		return;
	progress_hide(signals->progress);
	log_line(&signals->log, LEVEL_WARNING, count > 1 ? "interrupted again; " : "interrupted; ",
		 count > 1 ? "still waiting" : what);
	progress_show(signals->progress);
}

/* ---- the thread ---- */

static void *watch(void *arg)
{
	struct signals *signals = arg;
	struct pollfd fds[] = {
		{signals->signal_fd, POLLIN, 0},
		{signals->stop_fd, POLLIN, 0},
	};
	unsigned count = 0;

	for (;;) {
		struct signalfd_siginfo info;
		const char *phase;
		bool holds;

		if (poll(fds, 2, signals->progress ? PROGRESS_TICK_MS : -1) > 0 &&
		    fds[1].revents != 0)
			return NULL;
		progress_tick(signals->progress);
		if (read(signals->signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		/* Before the library is notified and starts to undo its work. */
		pthread_mutex_lock(&signals->mutex);
		phase = signals->phase;
		holds = signals->holds > 0;
		pthread_mutex_unlock(&signals->mutex);
		eventfd_write(signals->cancel_fd, 1);
		say(signals, phase, holds, ++count);
	}
}

static int block_signals(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&signals, ending[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void free_signals(struct signals *signals)
{
	const int fds[] = {signals->signal_fd, signals->cancel_fd, signals->stop_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		fcp_cleanup_fd(&fds[i]);
	progress_close(signals->progress);
	free(signals);
}

/* A signal that arrived before the thread was started must stop even the shortest run. */
static void cancel_if_pending(const struct signals *signals)
{
	struct pollfd fd = {signals->signal_fd, POLLIN, 0};

	if (poll(&fd, 1, 0) > 0)
		eventfd_write(signals->cancel_fd, 1);
}

/* The command of exec has the terminal to itself, and status does nothing that takes long. */
static bool wants_progress(const struct invocation *invocation)
{
	return !invocation->values[OPT_QUIET].on && invocation->id != COMMAND_EXEC &&
	       invocation->id != COMMAND_STATUS;
}

struct signals *signals_open(const struct invocation *invocation, const struct trace *trace)
{
	struct signals *signals = malloc(sizeof(*signals));

	if (!signals)
		return NULL;
	*signals = (struct signals){
		.log = invocation_log(invocation),
		.quiet = invocation->values[OPT_QUIET].on,
		.progress = wants_progress(invocation) ? progress_open() : NULL,
		.telemetry = invocation->telemetry,
		.trace = trace,
		.signal_fd = block_signals(),
		.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.phase = "",
	};
	cancel_if_pending(signals);
	if (signals->signal_fd >= 0 && signals->cancel_fd >= 0 && signals->stop_fd >= 0 &&
	    pthread_create(&signals->thread, NULL, watch, signals) == 0)
		return signals;
	unblock_signals();
	free_signals(signals);
	return NULL;
}

int signals_cancel_fd(const struct signals *signals)
{
	return signals ? signals->cancel_fd : -1;
}

void signals_close(struct signals *signals)
{
	if (!signals)
		return;
	eventfd_write(signals->stop_fd, 1);
	pthread_join(signals->thread, NULL);
	free_signals(signals);
}

/* ---- events from the library ---- */

/* If we were stopped (SIGTSTP) in a hold, the guest would be paused for as long. */
static void hold(struct signals *signals, bool begins)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (begins)
		sigaction(SIGTSTP, &ignore, &signals->on_stop);
	else
		sigaction(SIGTSTP, &signals->on_stop, NULL);
}

static void on_phase(const struct fcp_phase *phase, void *arg)
{
	struct signals *signals = arg;
	bool is_hold = strcmp(phase->name, "hold") == 0;

	telemetry_phase(signals->telemetry, phase);
	progress_phase(signals->progress, phase);
	if (strcmp(phase->name, "step") == 0)
		return;
	pthread_mutex_lock(&signals->mutex);
	if (is_hold)
		signals->holds += phase->ended ? -1U : 1U;
	else
		signals->phase = phase->ended ? "" : phase->name;
	pthread_mutex_unlock(&signals->mutex);
	if (is_hold)
		hold(signals, !phase->ended);
}

static void on_progress(const struct fcp_progress *progress, void *arg)
{
	struct signals *signals = arg;

	progress_bytes(signals->progress, progress);
}

static void on_exchange(const struct fcp_exchange *exchange, void *arg)
{
	struct signals *signals = arg;

	progress_hide(signals->progress);
	trace_exchange(signals->trace, exchange);
	progress_show(signals->progress);
}

/* Warnings are shown at the end, with the result. */
static void on_log(const struct fcp_log_line *line, void *arg)
{
	struct signals *signals = arg;

	if (line->level != FCP_LOG_DEBUG)
		return;
	progress_hide(signals->progress);
	trace_line(signals->trace, line);
	progress_show(signals->progress);
}

static void on_vm(const struct fcp_vm_identity *vm, void *arg)
{
	struct signals *signals = arg;

	telemetry_vm(signals->telemetry, vm);
	snprintf(signals->vm.id, sizeof(signals->vm.id), "%s", vm->id);
	snprintf(signals->vm.vmm_version, sizeof(signals->vm.vmm_version), "%s", vm->vmm_version);
}

static const char *traceparent(void *arg)
{
	const struct signals *signals = arg;

	return telemetry_traceparent(signals->telemetry);
}

void signals_stop_progress(struct signals *signals)
{
	if (signals)
		progress_stop(signals->progress);
}

const struct vm_names *signals_vm(const struct signals *signals)
{
	return signals ? &signals->vm : NULL;
}

void signals_forget_vm(struct signals *signals)
{
	if (signals)
		signals->vm = (struct vm_names){0};
}

const struct fcp_observer *signals_observer(struct signals *signals)
{
	if (!signals)
		return NULL;
	signals->observer = (struct fcp_observer){
		.size = sizeof(signals->observer),
		.arg = signals,
		.on_phase = on_phase,
		.on_progress = on_progress,
		.on_exchange = signals->trace->count > 0 ? on_exchange : NULL,
		.on_vm = on_vm,
		.on_log = signals->trace->count > 0 ? on_log : NULL,
		.traceparent = traceparent,
	};
	return &signals->observer;
}
