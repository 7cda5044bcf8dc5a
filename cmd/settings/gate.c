// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/gate.h"

#include <stdio.h>

/* What is said at one origin, by the toggle or by its figure. */
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

/* The figure that counts: one that was said and is not 0, the flag's, or the default. */
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

/* A flag that names steps turns off those that it does not name. */
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

int gate(struct invocation *invocation, struct fcp_error *err)
{
	const char *path = invocation->values[OPT_FLAGS].text;
	const struct fcp_flags *flags = &invocation->flags;
	enum fcp_flags_use use = invocation->values[OPT_USE].number ? FCP_USE_BUILD : FCP_USE_PAUSE;

	invocation->flags = (struct fcp_flags)FCP_FLAGS_INIT;
	if (path && fcp_flags_read(path, use, invocation->values[OPT_STRICT_FLAGS].on,
				   &invocation->flags, err) != 0)
		return -1;
	decide(invocation, OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS, &flags->reclaim_on_pause,
	       invocation->id == COMMAND_RECLAIM);
	decide(invocation, OPT_DRAIN, OPT_FPH_TIMEOUT_MS, &flags->free_page_hinting,
	       invocation->id == COMMAND_BALLOON_DRAIN);
	/* 0: the library makes it the sum of the caps and some slack. */
	take_figure(invocation, OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS, &flags->reclaim_on_pause, 0);
	take_figure(invocation, OPT_DRAIN, OPT_FPH_TIMEOUT_MS, &flags->free_page_hinting,
		    FCP_FPH_TIMEOUT_MS);
	take_caps(invocation, &flags->reclaim_on_pause);
	return 0;
}

const char *gate_off_reason(const struct invocation *invocation, enum option_id toggle)
{
	bool reclaim = toggle == OPT_RECLAIM;

	switch (invocation->values[toggle].origin) {
	case ORIGIN_CLI:
		return "off by the command line";
	case ORIGIN_ENVIRONMENT:
		return "off by the environment";
	case ORIGIN_FLAGS:
		return reclaim ? "flag reclaim-on-pause is off" : "flag free-page-hinting is off";
	case ORIGIN_DEFAULT:
		break;
	}
	return OFF_BY_DEFAULT;
}
