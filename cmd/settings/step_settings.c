// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/step_settings.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"
#include "cmd/parsing/values.h"
#include "cmd/settings/gate.h"
#include "cmd/signals.h"
#include "memory/found.h"

#include <string.h>

static int add_step(struct invocation *invocation, const char *name,
		    struct fcp_reclaim_settings *settings, struct fcp_error *err)
{
	enum fcp_reclaim_kind kind;
	char where[64];

	if (!fcp_reclaim_kind_find(name, &kind))
		return unknown_step(said_by(invocation, OPT_STEPS, where), name, err);
	for (size_t i = 0; i < settings->step_count; i++)
		if (settings->steps[i].kind == kind)
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: %s is there twice",
					     said_by(invocation, OPT_STEPS, where), name);
	invocation->steps[settings->step_count++] =
		(struct fcp_reclaim_step){kind, invocation->caps[kind].ms};
	return 0;
}

int reclaim_settings(struct invocation *invocation, struct fcp_reclaim_settings *settings_,
		     struct fcp_error *err)
{
	FCP_CLEANUP(free) char *copy = strdup(invocation->values[OPT_STEPS].text);
	char *rest = copy;

	if (!copy)
		return fcp_error_nomem(err);
	*settings_ = (struct fcp_reclaim_settings){
		.size = sizeof(struct fcp_reclaim_settings),
		.envd = text_of(invocation, OPT_ENVD),
		.envd_token_file = text_of(invocation, OPT_ENVD_TOKEN_FILE),
		.steps = invocation->steps,
		/* By default, the guest need not support every step. */
		.unsupported_is_ok = invocation->values[OPT_STEPS].origin == ORIGIN_DEFAULT,
		.timeout_ms = (uint32_t)invocation->values[OPT_RECLAIM_TIMEOUT_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
	for (char *name; (name = strsep(&rest, ",")) != NULL;)
		if (add_step(invocation, name, settings_, err) != 0)
			return -1;
	return 0;
}

void drain_settings(const struct invocation *invocation,
		    struct fcp_balloon_drain_settings *settings_)
{
	*settings_ = (struct fcp_balloon_drain_settings){
		.size = sizeof(struct fcp_balloon_drain_settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.metrics_path = text_of(invocation, OPT_METRICS_PATH),
		.fph_timeout_ms = (uint32_t)invocation->values[OPT_FPH_TIMEOUT_MS].number,
		.stop_only = invocation->values[OPT_STOP].on,
		/* A flag applies to all VMs and does not drain restored ones; an explicit request
		 * does. */
		.restored_too = invocation->values[OPT_DRAIN].origin != ORIGIN_FLAGS,
		.timeout_ms = (uint32_t)invocation->values[OPT_TIMEOUT_MS].number,
		.wait_lock_ms = (uint32_t)invocation->values[OPT_WAIT_LOCK_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
}

void quiesce_settings(const struct invocation *invocation, struct fcp_quiesce_settings *settings_)
{
	const struct value *values = invocation->values;

	*settings_ = (struct fcp_quiesce_settings){
		.size = sizeof(struct fcp_quiesce_settings),
		.envd = text_of(invocation, OPT_ENVD),
		.envd_token_file = text_of(invocation, OPT_ENVD_TOKEN_FILE),
		.freeze = values[OPT_FREEZE].on,
		.collapse = values[OPT_COLLAPSE].on,
		.fs_freeze = values[OPT_FS_FREEZE].on,
		/* The choices stand in the enum's order. */
		.freeze_mode = (enum fcp_freeze_mode)values[OPT_FREEZE_MODE].number,
		.freeze_max_cgroups = (uint32_t)values[OPT_FREEZE_MAX_CGROUPS].number,
		.freeze_timeout_ms = (uint32_t)values[OPT_FREEZE_TIMEOUT_MS].number,
		.collapse_timeout_ms = (uint32_t)values[OPT_COLLAPSE_TIMEOUT_MS].number,
		.fs_freeze_timeout_ms = (uint32_t)values[OPT_FS_FREEZE_TIMEOUT_MS].number,
		.freeze_off_reason = gate_off_reason(invocation, OPT_FREEZE),
		.collapse_off_reason = gate_off_reason(invocation, OPT_COLLAPSE),
		.fs_freeze_off_reason = gate_off_reason(invocation, OPT_FS_FREEZE),
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
}

static const char no_need[] = "pages cannot be left out (free and zero ones can)";

/* can: the FCP_FIND_... that the command supports; why: the message for the others. */
static int read_find(const struct invocation *invocation, unsigned can, const char *why,
		     unsigned *find_, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *copy = strdup(text_of(invocation, OPT_FIND));
	char *rest = copy, where[64];
	unsigned find = 0;

	if (!copy)
		return fcp_error_nomem(err);
	for (char *word; (word = strsep(&rest, ",")) != NULL;) {
		unsigned found = fcp_find_parse(word);

		if (found == 0)
			return unknown_find(said_by(invocation, OPT_FIND, where), word, err);
		if ((found & can) == 0)
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: '%s' %s",
					     said_by(invocation, OPT_FIND, where), word, why);
		if ((find & found) != 0)
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: %s is there twice",
					     said_by(invocation, OPT_FIND, where), word);
		find |= found;
	}
	*find_ = find;
	return 0;
}

static uint64_t buffer_bytes_of(const struct invocation *invocation)
{
	uint64_t mib = invocation->values[OPT_BUFFER_MIB].number;

	return mib == UINT64_MAX ? FCP_BUFFER_AUTO : mib * FCP_MIB;
}

static int check_layer(const struct invocation *invocation, struct fcp_error *err)
{
	const struct value *values = invocation->values;

	if (!values[OPT_LAYER].on)
		return 0;
	if (values[OPT_WRITER].number == FCP_WRITER_FIRECRACKER)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"--layer is written by fcpause: it excludes --writer firecracker");
	if (values[OPT_TYPE].number != FCP_SNAPSHOT_AUTO)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"--layer excludes --type, which is about what Firecracker writes");
	return 0;
}

static int check_min_run(const struct invocation *invocation, struct fcp_error *err)
{
	uint64_t bytes = invocation->values[OPT_MIN_RUN].number;

	if (bytes % FCP_PAGE_BYTES == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "--min-run: %lu is no multiple of a page (4096)",
			     (unsigned long)bytes);
}

static int check_shares(const struct invocation *invocation, struct fcp_error *err)
{
	if (invocation->shares.count > FCP_SHARES_MAX)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--share: there are more than %d",
				     FCP_SHARES_MAX);
	return check_min_run(invocation, err);
}

int snapshot_settings(const struct invocation *invocation, struct fcp_snapshot_settings *settings_,
		      struct fcp_error *err)
{
	unsigned find = 0;

	if (read_find(invocation, FCP_FIND_FREE | FCP_FIND_ZERO, no_need, &find, err) != 0 ||
	    check_layer(invocation, err) != 0 || check_shares(invocation, err) != 0)
		return -1;
	*settings_ = (struct fcp_snapshot_settings){
		.size = sizeof(struct fcp_snapshot_settings),
		.api_sock = text_of(invocation, OPT_API_SOCK),
		.snapshot_path = text_of(invocation, OPT_SNAPSHOT_PATH),
		.mem_file_path = text_of(invocation, OPT_MEM_FILE_PATH),
		/* The choices are in the order of the enums. */
		.type = (enum fcp_snapshot_type)invocation->values[OPT_TYPE].number,
		.writer = (enum fcp_writer)invocation->values[OPT_WRITER].number,
		.base = text_of(invocation, OPT_BASE),
		.leave_out = find & FCP_FIND_FREE,
		.buffer_bytes = buffer_bytes_of(invocation),
		.verify = invocation->values[OPT_VERIFY].on,
		.layer = invocation->values[OPT_LAYER].on,
		.shares = invocation->shares.files,
		.share_count = invocation->shares.count,
		.share_min_run_bytes = invocation->values[OPT_MIN_RUN].number,
		.resume = invocation->values[OPT_RESUME].on,
		.force = invocation->values[OPT_FORCE].on,
		.chroot_base = text_of(invocation, OPT_CHROOT_BASE),
		.metrics_path = text_of(invocation, OPT_METRICS_PATH),
		.timeout_ms = (uint32_t)invocation->values[OPT_TIMEOUT_MS].number,
		.wait_lock_ms = (uint32_t)invocation->values[OPT_WAIT_LOCK_MS].number,
		.snapshot_timeout_ms = (uint32_t)invocation->values[OPT_SNAPSHOT_TIMEOUT_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
		.confine = invocation->values[OPT_SANDBOX].on,
	};
	return 0;
}

int share_settings(const struct invocation *invocation, struct fcp_share_settings *settings_,
		   struct fcp_error *err)
{
	if (need_text(invocation, OPT_MEM_FILE_PATH, err) != 0 ||
	    check_shares(invocation, err) != 0)
		return -1;
	if (invocation->shares.count == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--share FILE is needed, once or more");
	*settings_ = (struct fcp_share_settings){
		.size = sizeof(struct fcp_share_settings),
		.mem_file_path = text_of(invocation, OPT_MEM_FILE_PATH),
		.shares = invocation->shares.files,
		.share_count = invocation->shares.count,
		.min_run_bytes = invocation->values[OPT_MIN_RUN].number,
		.wait_lock_ms = (uint32_t)invocation->values[OPT_WAIT_LOCK_MS].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
	};
	return 0;
}

/* The value of --holes. */
static enum fcp_holes holes_setting(const struct invocation *invocation)
{
	const struct value *value = &invocation->values[OPT_HOLES];

	if (value->origin == ORIGIN_DEFAULT)
		return FCP_HOLES_UNSPECIFIED;
	return value->number == 0 ? FCP_HOLES_ZERO : FCP_HOLES_BASE;
}

int inspect_settings(const struct invocation *invocation, struct fcp_inspect_settings *settings_,
		     struct fcp_error *err)
{
	if (check_shares(invocation, err) != 0)
		return -1;
	*settings_ = (struct fcp_inspect_settings){
		.size = sizeof(struct fcp_inspect_settings),
		.base = text_of(invocation, OPT_BASE),
		.holes = holes_setting(invocation),
		.shares = invocation->shares.files,
		.share_count = invocation->shares.count,
		.share_min_run_bytes = invocation->values[OPT_MIN_RUN].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
		.confine = invocation->values[OPT_SANDBOX].on,
	};
	return 0;
}

static int check_units(const struct invocation *invocation, struct fcp_error *err)
{
	uint64_t align_bytes = invocation->values[OPT_ALIGN].number;

	if (check_min_run(invocation, err) != 0)
		return -1;
	if (takes_option(invocation, OPT_ALIGN) &&
	    (align_bytes < FCP_PAGE_BYTES || align_bytes > FCP_ALIGN_MAX ||
	     (align_bytes & (align_bytes - 1)) != 0))
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "--align: %lu is no power of two from 4096 (a page) to 1 GiB",
				     (unsigned long)align_bytes);
	return 0;
}

int madvise_ranges_settings(const struct invocation *invocation,
			    struct fcp_madvise_ranges_settings *settings_, struct fcp_error *err)
{
	const unsigned listed =
		invocation->values[OPT_LIST].on ? FCP_FIND_BASE | FCP_FIND_CHANGED : 0;
	const char *why =
		"pages must not be released, as the guest needs them: they can only be listed "
		"(--list)";
	unsigned find = 0;

	if (read_find(invocation, FCP_FIND_FREE | FCP_FIND_ZERO | listed,
		      takes_option(invocation, OPT_LIST) ? why : no_need, &find, err) != 0 ||
	    check_units(invocation, err) != 0)
		return -1;
	*settings_ = (struct fcp_madvise_ranges_settings){
		.size = sizeof(struct fcp_madvise_ranges_settings),
		.mem_file_path = text_of(invocation, OPT_MEM_FILE_PATH),
		.holes = holes_setting(invocation),
		.find = find,
		.min_run_bytes = invocation->values[OPT_MIN_RUN].number,
		.wait_lock_ms = (uint32_t)invocation->values[OPT_WAIT_LOCK_MS].number,
		.align_bytes = invocation->values[OPT_ALIGN].number,
		.observer = signals_observer(invocation->signals),
		.cancel_fd = invocation->cancel_fd,
		.confine = invocation->values[OPT_SANDBOX].on,
	};
	return 0;
}
