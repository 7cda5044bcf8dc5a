// SPDX-License-Identifier: Apache-2.0
#include "steps/balloon_drain.h"

#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "firecracker/balloon.h"
#include "firecracker/by_hand.h"
#include "firecracker/guard.h"
#include "firecracker/hinting.h"
#include "firecracker/metrics.h"
#include "firecracker/recover.h"
#include "firecracker/retry.h"
#include "firecracker/vm.h"
#include "steps/vm_memory.h"

#include <string.h>

#define POLL_MIN_NS UINT64_C(1000000)
#define POLL_MAX_NS UINT64_C(20000000)
#define POLL_SHARE 32 /* a poll is late by at most this fraction of the run's age */

#define STOP_MS 3000 /* how long stopping is retried */

struct drain {
	const struct fcp_balloon_drain_settings *settings;
	struct fcp_balloon_drain_result *result;
	struct fcp_firecracker firecracker;
	struct fcp_lock *lock; /* of the VM, held by the caller */
	struct fcp_guard guard;
	uint64_t rss_before_bytes;
	bool restored; /* see is_restored() */
	bool rss_known;
	bool metrics_known;
};

/* FCP_ERR_UNSUPPORTED: no run is possible; FCP_ERR_STATE: a run would never end. */
static int check_hinting(struct drain *drain, struct fcp_error *err)
{
	struct fcp_instance instance;
	struct fcp_balloon balloon;
	bool present;

	if (fcp_vm_instance(&drain->firecracker, &instance, err) != 0)
		return -1;
	if (instance.state != FCP_VM_RUNNING)
		return fcp_error_set(err, FCP_ERR_STATE, 0,
				     "the VM is %s: only a Running guest can hand out its pages",
				     fcp_vm_state_name(instance.state));
	if (fcp_balloon_get(&drain->firecracker, &present, &balloon, err) != 0)
		return -1;
	if (!present)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"the VM has no balloon (balloon-install puts one there before boot)");
	if (!balloon.free_page_hinting)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "the VM's balloon was installed without free page hinting");
	return 0;
}

/*
 * Memory restored from a file is mapped from it, and pages that the guest never touched take no
 * memory: a run has nothing to give back, and Firecracker maps each range anew, which takes many
 * seconds and counts as freed in its metrics. If /proc does not tell, the VM counts as booted.
 */
static bool is_restored(const struct drain *drain)
{
	char path[FCP_PROCESS_PATH_BYTES];

	return fcp_vm_memory_restored_from(&drain->firecracker, path);
}

static bool is_left_out(struct drain *drain)
{
	drain->restored = is_restored(drain);
	if (!drain->restored || drain->settings->restored_too)
		return false;
	fcp_outcome_set(
		&drain->result->outcome, FCP_STATUS_SKIPPED,
		"the VM was restored from a memory file: a run takes long there and gives nothing "
		"back");
	return true;
}

static int start_hinting(struct drain *drain, struct fcp_error *err)
{
	if (fcp_hinting_start(&drain->firecracker, err) != 0) {
		if (err->error_class == FCP_ERR_SERVER && strstr(err->message, "not activated"))
			return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
					     "the guest's balloon driver is not up (yet)");
		/* Refused: it was not started. After any other error it may have been. */
		drain->result->started =
			err->error_class != FCP_ERR_SERVER && err->error_class != FCP_ERR_CONNECT;
		return -1;
	}
	drain->result->started = true;
	return 0;
}

/*
 * The interval between polls grows with the run's age: a short run is noticed at once, and a long
 * one is not polled a thousand times.
 */
static uint64_t poll_wait_ns(uint64_t age_ns)
{
	uint64_t wait_ns = age_ns / POLL_SHARE;

	if (wait_ns < POLL_MIN_NS)
		return POLL_MIN_NS;
	return wait_ns < POLL_MAX_NS ? wait_ns : POLL_MAX_NS;
}

/*
 * Waits until host_cmd is 1. It cannot be an old 1, since our start set it to the id of our run.
 * guest_cmd tells nothing: it equals host_cmd as soon as the guest begins. *done_ is false at the
 * ceiling.
 */
static int wait_until_done(struct drain *drain, bool *done_, struct fcp_error *err)
{
	struct fcp_balloon_drain_result *result = drain->result;
	fcp_deadline ceiling = drain->firecracker.deadline;
	uint64_t start_ns = fcp_now_ns();
	struct fcp_hinting_status status;

	for (;;) {
		uint64_t now_ns, wait_ns;

		if (fcp_hinting_status(&drain->firecracker, &status, err) != 0) {
			/* The ceiling cuts off a slow answer too. */
			*done_ = false;
			return err->error_class == FCP_ERR_TIMEOUT && fcp_deadline_passed(ceiling)
				       ? 0
				       : -1;
		}
		result->polls++;
		result->host_cmd = status.host_cmd;
		result->guest_cmd = status.guest_cmd;
		*done_ = status.host_cmd == FCP_HINTING_DONE;
		now_ns = fcp_now_ns();
		if (*done_ || now_ns >= ceiling) {
			fcp_log_debug(drain->settings->observer, "balloon-drain",
				      "host_cmd %lld, guest_cmd %lld after %u polls",
				      (long long)status.host_cmd, (long long)status.guest_cmd,
				      result->polls);
			return 0;
		}
		if (status.host_cmd == FCP_HINTING_NONE)
			return fcp_error_set(err, FCP_ERR_STATE, 0,
					     "the run vanished: the guest's balloon was reset");
		wait_ns = poll_wait_ns(now_ns - start_ns);
		if (wait_ns > ceiling - now_ns)
			wait_ns = ceiling - now_ns;
		if (fcp_wait_ns(wait_ns, drain->firecracker.cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0,
					     "interrupted while pages were handed out");
	}
}

static int not_stopped(const struct drain *drain, const struct fcp_error *why,
		       struct fcp_error *err)
{
	char command[FCP_BY_HAND_BYTES];

	if (fcp_firecracker_has_ended(why))
		return fcp_error_set(err, FCP_ERR_NOT_RESTORED, 0, "%.300s", why->message);
	fcp_by_hand_stop_hinting(drain->settings->api_sock, command);
	return fcp_error_set(
		err, FCP_ERR_NOT_RESTORED, 0,
		"the hinting run could not be stopped, and the guest lacks the memory that it "
		"handed out; by hand: %s (%.150s)",
		command, why->message);
}

/* The guest takes its pages back. Retried for a while, since nobody else will do it. */
static int stop_hinting(struct drain *drain, struct fcp_error *err)
{
	struct fcp_error why;
	int stopped;

	fcp_phase_begin(drain->settings->observer, "balloon-drain", "stop");
	stopped = fcp_firecracker_retry(&drain->firecracker, fcp_hinting_stop, STOP_MS, &why);
	fcp_phase_end(drain->settings->observer, "balloon-drain", "stop");
	if (stopped != 0)
		return not_stopped(drain, &why, err);
	drain->result->stopped = true;
	return 0;
}

static void measure_before(struct drain *drain)
{
	const char *path = drain->settings->metrics_path;
	struct fcp_metrics ignored;
	struct fcp_error no_matter;

	/* The flush discards the counts from before the run. */
	drain->metrics_known =
		path && !drain->restored &&
		fcp_metrics_flush(&drain->firecracker, path, &ignored, &no_matter) == 0;
	drain->rss_known = fcp_vm_memory_rss(&drain->firecracker, &drain->rss_before_bytes);
}

static void measure_after(struct drain *drain)
{
	struct fcp_balloon_drain_result *result = drain->result;
	const char *path = drain->settings->metrics_path;
	struct fcp_error no_matter;
	struct fcp_metrics metrics;
	uint64_t rss_bytes;

	fcp_firecracker_shield(&drain->firecracker);
	if (drain->rss_known && fcp_vm_memory_rss(&drain->firecracker, &rss_bytes)) {
		result->freed_source = FCP_FREED_RSS;
		result->freed_bytes = rss_bytes < drain->rss_before_bytes
					      ? drain->rss_before_bytes - rss_bytes
					      : 0;
	}
	if (drain->metrics_known &&
	    fcp_metrics_flush(&drain->firecracker, path, &metrics, &no_matter) == 0) {
		result->freed_source = FCP_FREED_METRICS;
		result->freed_bytes = metrics.free_page_hint_freed;
	}
}

/* One run, from start to stop. */
static int hand_out(struct drain *drain, struct fcp_error *err)
{
	struct fcp_balloon_drain_result *result = drain->result;
	uint32_t ceiling_ms = drain->settings->fph_timeout_ms;
	struct fcp_error stop_error;
	bool done = false;
	int ran;

	drain->firecracker.deadline = fcp_deadline_in_ms(ceiling_ms);
	ran = start_hinting(drain, err);
	if (ran == 0)
		ran = wait_until_done(drain, &done, err);
	if (result->started && !done && stop_hinting(drain, &stop_error) != 0) {
		if (ran != 0)
			fcp_error_append(&stop_error, "; before: %.150s", err->message);
		*err = stop_error;
		ran = -1;
	}
	if (ran == 0 && !done)
		fcp_outcome_set(&result->outcome, FCP_STATUS_TIMEOUT,
				"not done within %u ms, stopped", ceiling_ms);
	return ran;
}

/* A guard stops the run if this process is killed. */
static int start_guard(struct drain *drain, struct fcp_error *err)
{
	const struct fcp_guard_settings settings = {
		.api_sock = drain->settings->api_sock,
		.firecracker = &drain->firecracker,
		.fifo_directory = -1,
		.lock = drain->lock,
	};

	if (fcp_guard_start(&settings, &drain->guard, err) != 0)
		return -1;
	return fcp_guard_set(&drain->guard, FCP_UNDO_HINTING, err);
}

/* Stops a run that was left open. */
static int stop_open(struct drain *drain, struct fcp_error *err)
{
	struct fcp_balloon_drain_result *result = drain->result;
	struct fcp_hinting_status status;

	if (fcp_hinting_status(&drain->firecracker, &status, err) != 0) {
		if (err->error_class == FCP_ERR_SERVER)
			err->error_class = FCP_ERR_UNSUPPORTED; /* no balloon, no hinting */
		return -1;
	}
	result->host_cmd = status.host_cmd;
	result->guest_cmd = status.guest_cmd;
	if (status.host_cmd > FCP_HINTING_DONE)
		return stop_hinting(drain, err);
	fcp_outcome_set(&result->outcome, FCP_STATUS_SKIPPED, "no hinting run is open");
	return 0;
}

static int run_drain(struct drain *drain, struct fcp_error *err)
{
	int ran;

	if (drain->settings->stop_only)
		return stop_open(drain, err);
	if (check_hinting(drain, err) != 0)
		return -1;
	if (is_left_out(drain))
		return 0;
	measure_before(drain);
	if (start_guard(drain, err) != 0)
		return -1;
	fcp_phase_begin(drain->settings->observer, "balloon-drain", "hold");
	ran = hand_out(drain, err);
	fcp_guard_end(&drain->guard);
	fcp_phase_end(drain->settings->observer, "balloon-drain", "hold");
	if (drain->result->started)
		measure_after(drain);
	return ran;
}

static bool is_off(const struct fcp_balloon_drain_settings *settings)
{
	return settings->fph_timeout_ms == 0 && !settings->stop_only;
}

int fcp_balloon_drain_locked(const struct fcp_balloon_drain_settings *settings,
			     struct fcp_lock *lock, struct fcp_balloon_drain_result *result,
			     struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "balloon-drain");
	struct drain drain = {.settings = settings,
			      .result = result,
			      .lock = lock,
			      .guard = FCP_GUARD_NONE};
	int ran = -1;

	*result = (struct fcp_balloon_drain_result){.host_cmd = -1, .guest_cmd = -1};
	if (is_off(settings)) {
		fcp_outcome_set(&result->outcome, FCP_STATUS_SKIPPED, "the ceiling is 0 ms: off");
		return fcp_step_finish(&step, &result->outcome, 0, err);
	}
	if (fcp_firecracker_open(settings->api_sock, settings->timeout_ms, settings->cancel_fd,
				 &drain.firecracker, err) == 0) {
		fcp_firecracker_observe(&drain.firecracker, settings->observer);
		if (fcp_firecracker_recover(&drain.firecracker, lock, err) == 0)
			ran = run_drain(&drain, err);
	}
	fcp_text_filter(lock->warning, result->warning, sizeof(result->warning));
	fcp_guard_end(&drain.guard);
	fcp_firecracker_close(&drain.firecracker);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

static int drain_balloon(const struct fcp_balloon_drain_settings *settings,
			 struct fcp_balloon_drain_result *result, struct fcp_error *err)
{
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "balloon-drain");
	FCP_CLEANUP(lock) struct fcp_lock lock = FCP_LOCK_NONE;
	uint64_t start_ns = fcp_now_ns();

	if (is_off(settings) || fcp_lock_vm(settings->api_sock, &wait, &lock, err) == 0)
		return fcp_balloon_drain_locked(settings, &lock, result, err);
	*result = (struct fcp_balloon_drain_result){.host_cmd = -1, .guest_cmd = -1};
	return fcp_outcome_finish(&result->outcome, start_ns, -1, err);
}

int fcp_balloon_drain(const struct fcp_balloon_drain_settings *settings,
		      struct fcp_balloon_drain_result *result, struct fcp_error *err)
{
	struct fcp_balloon_drain_settings own_settings = FCP_BALLOON_DRAIN_SETTINGS_INIT;
	struct fcp_balloon_drain_result own = FCP_BALLOON_DRAIN_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0 ||
	    fcp_reserved_check(own_settings.reserved, err) != 0)
		return -1;
	ran = drain_balloon(&own_settings, &own, err);
	return fcp_call_end(result, &own, sizeof(own), ran);
}
