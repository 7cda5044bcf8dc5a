// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "hinting.h"

#define HINT_DONE 1
#define NEVER INT64_MAX
#define MS 1000000LL

static long run_ms(const struct vm *vm)
{
	return vm->loaded ? vm->options.resumed_hinting_ms : vm->options.hinting_ms;
}

static int64_t after(int64_t start, long ms)
{
	return ms < 0 ? NEVER : start + ms * MS;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void set_guest_cmd(struct vm *vm, uint32_t cmd)
{
	struct vm_hinting *h = &vm->hinting;

	if (vm->options.guest_cmd == SIM_GUEST_CMD_NULL)
		return;
	h->guest_cmd_known = true;
	h->guest_cmd = cmd && vm->options.guest_cmd == SIM_GUEST_CMD_AHEAD ? cmd + 1 : cmd;
}

static void next_id(struct vm_hinting *h, bool acknowledge_on_stop)
{
	h->last_cmd_id++;
	if (h->last_cmd_id <= HINT_DONE)
		h->last_cmd_id = HINT_DONE + 1;
	h->acknowledge_on_stop = acknowledge_on_stop;
}

void hinting_refuse(struct vm *vm, bool acknowledge_on_stop)
{
	next_id(&vm->hinting, acknowledge_on_stop);
}

void hinting_start(struct vm *vm, bool acknowledge_on_stop)
{
	struct vm_hinting *h = &vm->hinting;

	next_id(h, acknowledge_on_stop);
	h->host_cmd = h->last_cmd_id;
	h->running = true;
	h->answered = false;
	h->pages_due = false;
	h->stop_due = false;
	h->done_unseen = false;
	h->start_ns = now_ns();
	log_clock(&vm->log, "hinting-start %u", h->host_cmd);
	hinting_advance(vm);
	vm_changed(vm);
}

/* The host asks for the end; the guest has yet to notice. */
static void end_from_host(struct vm *vm)
{
	struct vm_hinting *h = &vm->hinting;

	h->host_cmd = HINT_DONE;
	h->stop_due = h->guest_cmd_known && h->guest_cmd != 0;
	h->pages_due = true;
	h->running = false;
	h->end_ns = now_ns();
	vm_changed(vm);
}

void hinting_stop(struct vm *vm)
{
	log_clock(&vm->log, "hinting-stop %u", vm->hinting.host_cmd);
	end_from_host(vm);
	hinting_advance(vm);
}

void hinting_kick(struct vm *vm)
{
	if (vm->balloon.present && vm->balloon.free_page_hinting && vm_driver_up(vm))
		end_from_host(vm);
}

/* The guest takes the run up: its free blocks, from now on, go out one after the other. */
static void answer(struct vm *vm)
{
	struct vm_hinting *h = &vm->hinting;

	h->answered = true;
	h->next_block = 0;
	h->blocks_done = 0;
	h->blocks = memory_count_free_blocks(&vm->memory);
	set_guest_cmd(vm, h->host_cmd);
}

static void hand_out(struct vm *vm, size_t until)
{
	struct vm_hinting *h = &vm->hinting;

	while (h->blocks_done < until && memory_next_free_block(&vm->memory, &h->next_block)) {
		if (memory_take_block(&vm->memory, h->next_block))
			perror("fcpause-sim: discarding a hinted block");
		vm->metrics.hint_count++;
		vm->metrics.hint_freed += SIM_HINT_BLOCK;
		h->blocks_done++;
		h->next_block++;
	}
}

static void finish(struct vm *vm)
{
	struct vm_hinting *h = &vm->hinting;

	hand_out(vm, h->blocks);
	set_guest_cmd(vm, 0);
	h->running = false;
	log_clock(&vm->log, "hinting-done %u", h->host_cmd);
	if (!h->acknowledge_on_stop)
		return;
	h->host_cmd = HINT_DONE;
	h->done_unseen = true;
	h->pages_due = true;
	h->end_ns = now_ns();
}

static int64_t advance_run(struct vm *vm, int64_t now)
{
	struct vm_hinting *h = &vm->hinting;
	long ms = run_ms(vm);
	int64_t answer_at = ms == 0 && vm->options.guest_ms >= 0
				    ? h->start_ns
				    : after(h->start_ns, vm->options.guest_ms);
	int64_t end_at = after(h->start_ns, ms);
	int64_t spread_ns = ms < 0 ? 20 * MS : ms * MS;
	size_t due;

	if (!h->answered && now < answer_at)
		return answer_at;
	if (!h->answered)
		answer(vm);
	if (now >= end_at) {
		finish(vm);
		return now;
	}
	due = h->blocks;
	if (now - h->start_ns < spread_ns)
		due = h->blocks * (size_t)(now - h->start_ns) / (size_t)spread_ns;
	hand_out(vm, due);
	return h->blocks_done < h->blocks ? sooner(now + MS / 2, end_at) : end_at;
}

static int64_t advance_end(struct vm *vm, int64_t now)
{
	struct vm_hinting *h = &vm->hinting;
	int64_t notice_at = h->stop_due ? after(h->end_ns, vm->options.guest_ms) : h->end_ns;
	int64_t return_at;

	if (now < notice_at)
		return notice_at;
	if (h->stop_due)
		set_guest_cmd(vm, 0);
	h->stop_due = false;
	return_at = after(notice_at, vm->options.return_ms);
	if (now < return_at)
		return return_at;
	h->pages_due = false;
	if (memory_return_taken(&vm->memory))
		log_clock(&vm->log, "pages-returned");
	return NEVER;
}

int64_t hinting_advance(struct vm *vm)
{
	struct vm_hinting *h = &vm->hinting;
	int64_t now = now_ns();

	/* A guest that is not running does nothing. */
	if (vm->state != VM_RUNNING || now < vm->driver_up_ns)
		return NEVER;
	if (h->running)
		return advance_run(vm, now);
	return h->pages_due || h->stop_due ? advance_end(vm, now) : NEVER;
}

json_t *hinting_save(const struct vm *vm)
{
	const struct vm_hinting *h = &vm->hinting;

	return json_pack("{s:I, s:I, s:b, s:I, s:b}", "host_cmd", (json_int_t)h->host_cmd,
			 "last_cmd_id", (json_int_t)h->last_cmd_id, "guest_cmd_known",
			 h->guest_cmd_known, "guest_cmd", (json_int_t)h->guest_cmd,
			 "acknowledge_on_stop", h->acknowledge_on_stop);
}

int hinting_load(struct vm *vm, const json_t *saved)
{
	json_int_t host_cmd, last_cmd_id, guest_cmd;
	int known, acknowledge;

	if (json_unpack((json_t *)saved, "{s:I, s:I, s:b, s:I, s:b}", "host_cmd", &host_cmd,
			"last_cmd_id", &last_cmd_id, "guest_cmd_known", &known, "guest_cmd",
			&guest_cmd, "acknowledge_on_stop", &acknowledge))
		return -1;
	vm->hinting = (struct vm_hinting){
		.host_cmd = (uint32_t)host_cmd,
		.last_cmd_id = (uint32_t)last_cmd_id,
		.guest_cmd = (uint32_t)guest_cmd,
		.guest_cmd_known = known,
		.acknowledge_on_stop = acknowledge,
	};
	return 0;
}

static void *run_thread(void *arg)
{
	struct vm *vm = arg;

	pthread_mutex_lock(&vm->lock);
	while (!vm->stopping) {
		int64_t next = hinting_advance(vm);
		struct timespec until = {next / 1000000000, next % 1000000000};

		if (next == NEVER)
			pthread_cond_wait(&vm->changed, &vm->lock);
		else
			pthread_cond_timedwait(&vm->changed, &vm->lock, &until);
	}
	pthread_mutex_unlock(&vm->lock);
	return NULL;
}

int hinting_thread_start(struct vm *vm)
{
	return pthread_create(&vm->hinting_thread, NULL, run_thread, vm);
}

void hinting_thread_stop(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->stopping = true;
	vm_changed(vm);
	pthread_mutex_unlock(&vm->lock);
	pthread_join(vm->hinting_thread, NULL);
}
