// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"
#include "base/error.h"
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/gate.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "cmd/telemetry/telemetry.h"
#include "report.h"

#include <string.h>

/* The settings of the chain and of its steps. */
struct chain_settings {
	struct fcp_pause_settings pause;
	struct fcp_reclaim_settings reclaim;
	struct fcp_balloon_drain_settings drain;
	struct fcp_snapshot_settings snapshot;
	struct fcp_madvise_ranges_settings trim;
	struct fcp_quiesce_settings quiesce;
};

static bool asked_for(const struct invocation *invocation, enum option_id toggle)
{
	const struct value *value = &invocation->values[toggle];

	return value->on && value->origin > ORIGIN_FLAGS;
}

static int read_settings(struct invocation *invocation, struct chain_settings *settings,
			 struct fcp_error *err)
{
	const struct value *values = invocation->values;

	if (gate(invocation, err) != 0 || need_text(invocation, OPT_API_SOCK, err) != 0 ||
	    need_text(invocation, OPT_SNAPSHOT_PATH, err) != 0 ||
	    need_text(invocation, OPT_MEM_FILE_PATH, err) != 0 ||
	    reclaim_settings(invocation, &settings->reclaim, err) != 0 ||
	    madvise_ranges_settings(invocation, &settings->trim, err) != 0 ||
	    snapshot_settings(invocation, &settings->snapshot, err) != 0)
		return -1;
	/* An explicit option for the guest needs an address; a flag is meant for many VMs and may
	 * not have one. */
	if ((asked_for(invocation, OPT_RECLAIM) || asked_for(invocation, OPT_FREEZE) ||
	     asked_for(invocation, OPT_COLLAPSE) || asked_for(invocation, OPT_FS_FREEZE)) &&
	    need_text(invocation, OPT_ENVD, err) != 0)
		return -1;
	quiesce_settings(invocation, &settings->quiesce);
	drain_settings(invocation, &settings->drain);
	/* Without a trim, free pages stay in the memory file. */
	if (!values[OPT_TRIM].on)
		settings->snapshot.leave_out = 0;
	settings->pause = (struct fcp_pause_settings){
		.size = sizeof(settings->pause),
		.snapshot = &settings->snapshot,
		.reclaim = values[OPT_RECLAIM].on ? &settings->reclaim : NULL,
		.drain = values[OPT_DRAIN].on ? &settings->drain : NULL,
		.trim = values[OPT_TRIM].on ? &settings->trim : NULL,
		.reclaim_off_reason = gate_off_reason(invocation, OPT_RECLAIM),
		.drain_off_reason = gate_off_reason(invocation, OPT_DRAIN),
		.trim_off_reason = gate_off_reason(invocation, OPT_TRIM),
		.quiesce = &settings->quiesce,
	};
	invocation->hinting = values[OPT_DRAIN].on;
	return 0;
}

/* A good snapshot is a success, unless --strict was given or a signal interrupted the run. */
static int exit_code(const struct invocation *invocation, const struct fcp_pause_result *result,
		     const struct fcp_error *err)
{
	int code = exit_code_of(&result->outcome, err);

	if (code != EXIT_PARTLY || invocation->values[OPT_STRICT].on ||
	    fcp_cancelled(invocation->cancel_fd))
		return code;
	return EXIT_DONE;
}

/* The overall reason consists of those of the steps that fell short; one line each is more
 * readable. */
#define BEST_EFFORT_STEPS 5

struct short_steps {
	char warnings[BEST_EFFORT_STEPS][sizeof(((struct fcp_outcome *)0)->reason) + 32];
};

static void warn_of_short_steps(struct output *output, const struct fcp_pause_result *result,
				struct short_steps *steps)
{
	const struct {
		const char *name;
		const struct fcp_outcome *outcome;
	} all[BEST_EFFORT_STEPS] = {
		{"freeze", &result->quiesce->freeze.outcome},
		{"collapse", &result->quiesce->collapse.outcome},
		{"reclaim", &result->reclaim->outcome},
		{"balloon-drain", &result->drain->outcome},
		{"madvise-ranges", &result->trim->outcome},
	};

	for (size_t i = 0; i < BEST_EFFORT_STEPS; i++) {
		const char *reason = all[i].outcome->reason;

		if (all[i].outcome->status == FCP_STATUS_OK ||
		    all[i].outcome->status == FCP_STATUS_SKIPPED ||
		    !strstr(result->outcome.reason, reason))
			continue;
		snprintf(steps->warnings[i], sizeof(steps->warnings[i]), "%s: %s", all[i].name,
			 reason);
		output_warn(output, steps->warnings[i]);
	}
}

static int finish(const struct invocation *invocation, const struct fcp_pause_settings *settings,
		  const struct fcp_pause_result *result, const struct fcp_error *err)
{
	int code = exit_code(invocation, result, err);
	struct short_steps steps;
	struct output output;

	/* Out of memory: there is nothing to tell of the steps. */
	if (!result->reclaim || !result->drain || !result->snapshot || !result->trim ||
	    !result->quiesce)
		return output_error(invocation, err);
	if (!output_begin(&output, invocation))
		return result->snapshot->created ? EXIT_PARTLY : EXIT_FAILED;
	output_warn(&output, result->snapshot->warning);
	output_warn(&output, result->trim->warning);
	if (result->outcome.status == FCP_STATUS_PARTIAL && code == EXIT_DONE)
		warn_of_short_steps(&output, result, &steps);
	output.bad |= fcp_report_pause(output.object, settings, result);
	text_pause(output.text, settings, result);
	metrics_of_pause(&invocation->telemetry->metrics, result);
	output.kept = result->snapshot->created;
	return output_end(&output, &(struct ending){.outcome = &result->outcome,
						    .err = err,
						    .exit_code = code});
}

#define PLANNED_STEPS 7

/* What is frozen is told only where it is: most pauses freeze nothing. */
static size_t plan_steps(const struct fcp_pause_settings *settings,
			 struct planned steps[PLANNED_STEPS])
{
	const struct fcp_quiesce_settings *quiesce = settings->quiesce;
	const struct {
		struct planned step;
		bool told;
	} all[PLANNED_STEPS] = {
		{{"freeze", NULL}, quiesce->freeze},
		{{"collapse", NULL}, quiesce->collapse},
		{{"reclaim", settings->reclaim ? NULL : settings->reclaim_off_reason}, true},
		{{"fs-freeze", NULL}, quiesce->fs_freeze},
		{{"balloon-drain", settings->drain ? NULL : settings->drain_off_reason}, true},
		{{"snapshot", NULL}, true},
		{{"madvise-ranges", settings->trim ? NULL : settings->trim_off_reason}, true},
	};
	size_t count = 0;

	for (size_t i = 0; i < PLANNED_STEPS; i++)
		if (all[i].told)
			steps[count++] = all[i].step;
	return count;
}

int command_pause(struct invocation *invocation)
{
	struct chain_settings chain;
	const struct fcp_pause_settings *settings = &chain.pause;
	struct fcp_pause_result result = FCP_PAUSE_RESULT_INIT;
	struct fcp_error err;
	struct planned steps[PLANNED_STEPS];
	size_t count;
	int code, ran;

	if (read_settings(invocation, &chain, &err) != 0)
		return output_error(invocation, &err);
	count = plan_steps(settings, steps);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, steps, count);
	plan_tell(invocation, steps, count);
	ran = fcp_pause(settings, &result, &err);
	code = finish(invocation, settings, &result, ran < 0 ? &err : NULL);
	fcp_pause_result_clear(&result);
	return code;
}
