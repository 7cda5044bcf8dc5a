// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hinting.h"
#include "hotplug.h"
#include "vm.h"

static void init_locks(struct vm *vm)
{
	pthread_condattr_t attr;

	turns_init(&vm->turns);
	pthread_mutex_init(&vm->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->changed, &attr);
	pthread_condattr_destroy(&attr);
}

int vm_init(struct vm *vm, const struct sim_options *options)
{
	*vm = (struct vm){.options = *options, .driver_up_ns = INT64_MAX};
	init_locks(vm);
	vm->memory.memfd = vm->memory.uffd = -1;
	vm->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->machine = (struct vm_machine){.vcpu_count = 1,
					  .mem_size_mib = options->memory_mib,
					  .huge_pages = "None"};
	vm->drives = json_array();
	vm->interfaces = json_array();
	if (vm->stop_fd < 0 || log_open(&vm->log, options->request_log, options->clock_log))
		return -1;
	return 0;
}

void vm_destroy(struct vm *vm)
{
	memory_destroy(&vm->memory);
	json_decref(vm->boot_source);
	json_decref(vm->drives);
	json_decref(vm->interfaces);
	free(vm->metrics.path);
	log_close(&vm->log);
	close(vm->stop_fd);
}

void vm_changed(struct vm *vm)
{
	pthread_cond_broadcast(&vm->changed);
}

bool vm_driver_up(const struct vm *vm)
{
	return vm->state != VM_NOT_STARTED && now_ns() >= vm->driver_up_ns;
}

int vm_boot(struct vm *vm)
{
	const struct sim_options *o = &vm->options;
	const struct sim_hotplug hotplug = hotplug_memory(vm);

	if (memory_create(&vm->memory, (size_t)vm->machine.mem_size_mib * SIM_MIB, &hotplug,
			  o->memfd))
		return -1;
	if (memory_workload(&vm->memory, (size_t)o->fill_mib, (size_t)o->free_mib,
			    (size_t)o->cache_mib)) {
		memory_destroy(&vm->memory);
		errno = ENOMEM;
		return -1;
	}
	if (o->memory_content && memory_fill_from(&vm->memory, o->memory_content))
		return -1;
	vm->driver_up_ns =
		o->driver_delay_ms < 0 ? INT64_MAX : now_ns() + o->driver_delay_ms * 1000000L;
	vm->state = VM_RUNNING;
	vm_changed(vm);
	metrics_flush(vm);
	return 0;
}

void vm_pause(struct vm *vm)
{
	if (vm->state == VM_PAUSED)
		return;
	hinting_advance(vm);
	vm->state = VM_PAUSED;
	log_clock(&vm->log, "paused");
	vm_changed(vm);
}

void vm_resume(struct vm *vm)
{
	if (vm->state == VM_RUNNING)
		return;
	/* Firecracker kicks its devices before the vCPUs run: hinting is set to done. */
	hinting_kick(vm);
	vm->state = VM_RUNNING;
	log_clock(&vm->log, "resumed");
	vm_changed(vm);
}

int vm_wait_ms(const struct vm *vm, int client_fd, long ms)
{
	int64_t end = now_ns() + (int64_t)ms * 1000000;

	for (;;) {
		struct pollfd fds[2] = {{.fd = client_fd, .events = POLLRDHUP},
					{.fd = vm->stop_fd, .events = POLLIN}};
		int64_t left = end - now_ns();
		int n;

		if (ms >= 0 && left <= 0)
			return 0;
		n = poll(fds, 2, ms < 0 ? -1 : (int)((left + 999999) / 1000000));
		if (n > 0)
			return -1;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

static bool is_paused(struct vm *vm)
{
	bool paused;

	pthread_mutex_lock(&vm->lock);
	paused = vm->state == VM_PAUSED;
	pthread_mutex_unlock(&vm->lock);
	return paused;
}

int vm_wait_running(struct vm *vm, int client_fd)
{
	while (is_paused(vm)) {
		if (vm_wait_ms(vm, client_fd, 2))
			return -1;
	}
	return 0;
}

static json_t *balloon_metrics(const struct vm_metrics *m)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:i}",
			 "activate_fails", 0, "inflate_count", 0, "stats_updates_count", 0,
			 "stats_update_fails", 0, "deflate_count", 0, "event_fails", 0,
			 "free_page_report_count", 0, "free_page_report_freed", 0,
			 "free_page_report_fails", 0, "free_page_hint_count",
			 (json_int_t)m->hint_count, "free_page_hint_freed",
			 (json_int_t)m->hint_freed, "free_page_hint_fails", 0);
}

static json_t *latency_metrics(const struct vm_metrics *m)
{
	const json_int_t full = m->full_create_us, diff = m->diff_create_us, load = m->load_us,
			 pause_us = m->pause_us, resume_us = m->resume_us;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "full_create_snapshot", full, "diff_create_snapshot", diff,
			 "load_snapshot", load, "pause_vm", pause_us, "resume_vm", resume_us,
			 "vmm_full_create_snapshot", full, "vmm_diff_create_snapshot", diff,
			 "vmm_load_snapshot", load, "vmm_pause_vm", pause_us, "vmm_resume_vm",
			 resume_us);
}

void metrics_flush(struct vm *vm)
{
	struct timespec ts;
	json_t *all;
	char *text;
	FILE *out;

	if (!vm->metrics.path)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	all = json_pack("{s:I, s:o, s:o}", "utc_timestamp_ms",
			(json_int_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, "balloon",
			balloon_metrics(&vm->metrics), "latencies_us",
			latency_metrics(&vm->metrics));
	text = json_dumps(all, JSON_COMPACT);
	out = fopen(vm->metrics.path, "ae");
	if (out) {
		fprintf(out, "%s\n", text);
		fclose(out);
	}
	vm->metrics.hint_count = 0;
	vm->metrics.hint_freed = 0;
	free(text);
	json_decref(all);
}
