// SPDX-License-Identifier: Apache-2.0
/* What a pause of a VM could do, and what prevents it. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/list.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "steps/doctor/checks.h"

#include <stdarg.h>
#include <stdlib.h>

const char *fcp_verdict_name(enum fcp_verdict verdict)
{
	static const char *const names[] = {"ok", "no", "skipped"};

	return (unsigned)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "unknown";
}

struct fcp_check *fcp_doctor_add(struct fcp_doctor *doctor, const struct fcp_check_about *about)
{
	struct fcp_doctor_result *result = doctor->result;
	struct fcp_check *check = result->checks[result->check_count++];

	*check = (struct fcp_check){.name = about->name,
				    .why = about->why,
				    .what_to_do = about->what_to_do,
				    .verdict = FCP_VERDICT_SKIPPED};
	return check;
}

void fcp_check_set(struct fcp_check *check, enum fcp_verdict verdict, const char *format, ...)
{
	char text[sizeof(check->found)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fcp_text_filter(text, check->found, sizeof(check->found));
	check->verdict = verdict;
}

static int run_checks(struct fcp_doctor *doctor, struct fcp_error *err)
{
	if (fcp_firecracker_open(doctor->settings->api_sock, doctor->settings->timeout_ms,
				 doctor->settings->cancel_fd, &doctor->firecracker, err) != 0)
		return -1;
	fcp_firecracker_observe(&doctor->firecracker, doctor->settings->observer);
	if (fcp_doctor_vm(doctor, err) != 0 || fcp_doctor_target(doctor, err) != 0)
		return -1;
	return fcp_doctor_envd(doctor, err);
}

/* Advice is given only where it is needed. */
static unsigned worst_verdict(struct fcp_doctor_result *result)
{
	unsigned in_the_way = 0;

	for (size_t i = 0; i < result->check_count; i++) {
		bool no = result->checks[i]->verdict == FCP_VERDICT_NO;

		in_the_way += no;
		if (!no)
			result->checks[i]->what_to_do = NULL;
	}
	return in_the_way;
}

static int examine(const struct fcp_doctor_settings *settings, struct fcp_doctor_result *result,
		   struct fcp_error *err)
{
	struct fcp_doctor doctor = {.settings = settings, .result = result};
	const struct fcp_step step = fcp_step_begin(settings->observer, "doctor");
	unsigned in_the_way;
	int ran;

	*result = (struct fcp_doctor_result){
		.checks = fcp_list_new(FCP_CHECKS_MAX, sizeof(**result->checks))};
	ran = result->checks ? run_checks(&doctor, err) : fcp_error_nomem(err);
	fcp_firecracker_close(&doctor.firecracker);
	in_the_way = worst_verdict(result);
	if (ran == 0 && in_the_way > 0)
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "%u of %zu checks say no",
				in_the_way, result->check_count);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_doctor(const struct fcp_doctor_settings *settings, struct fcp_doctor_result *result,
	       struct fcp_error *err)
{
	struct fcp_doctor_settings own_settings = FCP_DOCTOR_SETTINGS_INIT;
	struct fcp_doctor_result own = FCP_DOCTOR_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = examine(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_doctor_result_clear(&own);
	return ran;
}

void fcp_doctor_result_clear(struct fcp_doctor_result *result)
{
	struct fcp_doctor_result own = FCP_DOCTOR_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	free(own.checks);
}
