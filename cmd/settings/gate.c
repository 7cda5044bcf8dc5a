// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/gate.h"

#include "cmd/signals.h"

#include <stdio.h>

/* Does one origin set the step, by the toggle or by its figure? */
static bool said(const struct invocation *invocation, enum option_id toggle, enum option_id figure,
		 enum origin origin, bool *on_)
{
	const struct value *is_on = &invocation->values[toggle];
	const struct value *ms = &invocation->values[figure];
	bool by_toggle = is_on->origin == origin, by_figure = ms->origin == origin;

	if (!by_toggle && !by_figure)
		return false;
	*on_ = !(by_toggle && !is_on->on) && !(by_figure && ms->number == 0);
	return true;
}

static void decide(struct invocation *invocation, enum option_id toggle, enum option_id figure,
		   const struct fcp_flag *flag, bool alone)
{
	struct value *value = &invocation->values[toggle];
	bool on;

	if (said(invocation, toggle, figure, ORIGIN_CLI, &on))
		*value = (struct value){.origin = ORIGIN_CLI, .on = on};
	else if (said(invocation, toggle, figure, ORIGIN_ENVIRONMENT, &on))
		*value = (struct value){.origin = ORIGIN_ENVIRONMENT, .on = on};
	else if (invocation->values[OPT_FLAGS].text)
		*value = (struct value){.origin = ORIGIN_FLAGS, .on = flag->on};
	else
		*value = (struct value){.origin = ORIGIN_DEFAULT, .on = alone};
}

/* The figure to use: one that was given and is not 0, otherwise the flag's, otherwise the
 * default. */
static void take_figure(struct invocation *invocation, enum option_id toggle, enum option_id figure,
			const struct fcp_flag *flag, uint64_t otherwise)
{
	struct value *ms = &invocation->values[figure];

	if (ms->origin != ORIGIN_DEFAULT && ms->number != 0)
		return;
	if (invocation->values[toggle].origin == ORIGIN_FLAGS && flag->timeout_ms != 0)
		*ms = (struct value){.origin = ORIGIN_FLAGS, .number = flag->timeout_ms};
	else
		*ms = (struct value){.origin = ORIGIN_DEFAULT, .number = otherwise};
}

/* A flag that names steps turns off all others. */
static uint32_t cap_by_flag(const struct fcp_flag *flag, enum fcp_reclaim_kind kind)
{
	for (size_t i = 0; i < flag->cap_count; i++)
		if (flag->caps[i].kind == kind)
			return flag->caps[i].cap_ms;
	return 0;
}

static void take_caps(struct invocation *invocation, const struct fcp_flag *flag)
{
	bool from_flag =
		invocation->values[OPT_RECLAIM].origin == ORIGIN_FLAGS && flag->cap_count > 0;

	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++) {
		enum fcp_reclaim_kind kind = (enum fcp_reclaim_kind)i;

		if (invocation->caps[i].origin != ORIGIN_DEFAULT)
			continue;
		invocation->caps[i].origin = from_flag ? ORIGIN_FLAGS : ORIGIN_DEFAULT;
		invocation->caps[i].ms =
			from_flag ? cap_by_flag(flag, kind) : fcp_reclaim_default_cap_ms(kind);
	}
}

static int take_flags(struct invocation *invocation, struct fcp_error *err)
{
	const struct file_list *context = files_of(invocation, OPT_FLAGS_CONTEXT);
	const struct value *values = invocation->values;
	const struct fcp_flags_settings settings = {
		.size = sizeof(settings),
		.source = text_of(invocation, OPT_FLAGS),
		.key_file = text_of(invocation, OPT_FLAGS_KEY_FILE),
		.context = context->files,
		.context_count = context->count,
		.cache_file = text_of(invocation, OPT_FLAGS_CACHE),
		.cache_is_kept = values[OPT_DRY_RUN].on,
		.strict = values[OPT_STRICT_FLAGS].on,
		.use = values[OPT_USE].number ? FCP_USE_BUILD : FCP_USE_PAUSE,
		.timeout_ms = (uint32_t)values[OPT_FLAGS_TIMEOUT_MS].number,
		.cancel_fd = invocation->cancel_fd,
		.observer = signals_observer(invocation->signals),
	};

	if (!settings.source)
		return 0;
	invocation->flags.size = sizeof(invocation->flags);
	if (fcp_flags_take(&settings, &invocation->flags, err) >= 0)
		return 0;
	/* The error has the text of the first warning. */
	invocation->flags = (struct fcp_flags_result){0};
	return -1;
}

static void take_state(struct invocation *invocation, enum option_id toggle,
		       enum fcp_flag_state state)
{
	struct value *value = &invocation->values[toggle];

	if (state != FCP_FLAG_UNSET && value->origin == ORIGIN_DEFAULT)
		*value = (struct value){.origin = ORIGIN_FLAGS, .on = state == FCP_FLAG_ON};
}

/* A figure of the flags counts where nobody else has named one. */
static void take_number(struct invocation *invocation, enum option_id figure, uint32_t number)
{
	struct value *value = &invocation->values[figure];

	if (number != 0 && value->origin == ORIGIN_DEFAULT)
		*value = (struct value){.origin = ORIGIN_FLAGS, .number = number};
}

static void gate_guest_side(struct invocation *invocation)
{
	const struct fcp_flags_result *flags = &invocation->flags;
	struct value *mode = &invocation->values[OPT_FREEZE_MODE];

	take_state(invocation, OPT_FREEZE, flags->freeze);
	take_state(invocation, OPT_COLLAPSE, flags->collapse);
	take_number(invocation, OPT_FREEZE_TIMEOUT_MS, flags->freeze_timeout_ms);
	take_number(invocation, OPT_FREEZE_MAX_CGROUPS, flags->freeze_max_cgroups);
	take_number(invocation, OPT_COLLAPSE_TIMEOUT_MS, flags->collapse_timeout_ms);
	if (flags->freeze_hierarchy != FCP_FLAG_UNSET && mode->origin == ORIGIN_DEFAULT) {
		mode->origin = ORIGIN_FLAGS;
		mode->number = flags->freeze_hierarchy == FCP_FLAG_ON;
		mode->text = options[OPT_FREEZE_MODE].choices[mode->number];
	}
}

int gate(struct invocation *invocation, struct fcp_error *err)
{
	static const struct fcp_flags none = FCP_FLAGS_INIT;
	const struct fcp_flags *flags;

	if (take_flags(invocation, err) != 0)
		return -1;
	flags = invocation->flags.flags ? invocation->flags.flags : &none;
	decide(invocation, OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS, &flags->reclaim_on_pause,
	       invocation->id == COMMAND_RECLAIM);
	decide(invocation, OPT_DRAIN, OPT_FPH_TIMEOUT_MS, &flags->free_page_hinting,
	       invocation->id == COMMAND_BALLOON_DRAIN);
	/* 0: the library uses the sum of the caps plus some slack. */
	take_figure(invocation, OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS, &flags->reclaim_on_pause, 0);
	take_figure(invocation, OPT_DRAIN, OPT_FPH_TIMEOUT_MS, &flags->free_page_hinting,
		    FCP_FPH_TIMEOUT_MS);
	take_caps(invocation, &flags->reclaim_on_pause);
	if (takes_option(invocation, OPT_FREEZE))
		gate_guest_side(invocation);
	return 0;
}

int gate_balloon(struct invocation *invocation, struct fcp_error *err)
{
	const struct value *reporting = &invocation->values[OPT_FREE_PAGE_REPORTING];
	struct value *hinting = &invocation->values[OPT_FREE_PAGE_HINTING];

	if (take_flags(invocation, err) != 0)
		return -1;
	take_state(invocation, OPT_FREE_PAGE_REPORTING, invocation->flags.free_page_reporting);
	take_state(invocation, OPT_FREE_PAGE_HINTING, invocation->flags.arm_hinting);
	/* Reporting requires hinting to be armed, and the two flags are independent. */
	if (reporting->on && hinting->origin == ORIGIN_FLAGS)
		hinting->on = true;
	return 0;
}

const char *gate_off_reason(const struct invocation *invocation, enum option_id toggle)
{
	static const char *const by_flags[OPTIONS] = {
		[OPT_RECLAIM] = "flag reclaim-on-pause is off",
		[OPT_DRAIN] = "flag free-page-hinting is off",
		[OPT_FREEZE] = "flag freeze-user-cgroup is off",
		[OPT_COLLAPSE] = "flag collapse-envd-heap is off",
	};

	switch (invocation->values[toggle].origin) {
	case ORIGIN_CLI:
		return "off by the command line";
	case ORIGIN_ENVIRONMENT:
		return "off by the environment";
	case ORIGIN_FLAGS:
		return by_flags[toggle];
	case ORIGIN_DEFAULT:
		break;
	}
	return OFF_BY_DEFAULT;
}
