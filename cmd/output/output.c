// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/output.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "cmd/output/advice.h"
#include "cmd/settings/settings.h"
#include "cmd/signals.h"
#include "report.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char hinting_race[] =
	"free page hinting is a developer preview of Firecracker: a page that the guest has just "
	"taken back "
	"can be discarded";

const char *human_bytes(uint64_t bytes, char text[64])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, 64, "%" PRIu64 " bytes", bytes);
	else
		snprintf(text, 64, "%.1f %ciB (%" PRIu64 " bytes)", value, units[unit], bytes);
	return text;
}

static int exit_code_of_error(const struct fcp_error *err)
{
	switch (err->error_class) {
	case FCP_ERR_USAGE:
		return EXIT_USAGE;
	case FCP_ERR_UNSUPPORTED:
		return EXIT_UNSUPPORTED;
	case FCP_ERR_NOT_RESTORED:
		return EXIT_LEFT;
	case FCP_ERR_LOCKED:
		return EXIT_LOCKED;
	default:
		return EXIT_FAILED;
	}
}

int exit_code_of(const struct fcp_outcome *outcome, const struct fcp_error *err)
{
	switch (outcome->status) {
	case FCP_STATUS_OK:
	case FCP_STATUS_SKIPPED:
		return EXIT_DONE;
	case FCP_STATUS_PARTIAL:
	case FCP_STATUS_TIMEOUT:
		return EXIT_PARTLY;
	case FCP_STATUS_UNSUPPORTED:
		return EXIT_UNSUPPORTED;
	case FCP_STATUS_FAILED:
		break;
	}
	return err ? exit_code_of_error(err) : EXIT_FAILED;
}

/* The id and version of the VM that was asked, if any. */
static int add_vm(struct fcp_json *object, const struct invocation *invocation)
{
	const struct vm_names *vm = signals_vm(invocation->signals);
	int bad = vm && vm->id[0] ? fcp_json_set_string(object, "vm_id", vm->id)
				  : fcp_json_set_null(object, "vm_id");

	return bad | (vm && vm->vmm_version[0]
			      ? fcp_json_set_string(object, "vmm_version", vm->vmm_version)
			      : fcp_json_set_null(object, "vmm_version"));
}

/* The members that the reports of all commands have. */
static struct fcp_json *new_object(const struct invocation *invocation, int *bad)
{
	struct fcp_json *object = fcp_json_object();
	char host[HOST_NAME_MAX + 1] = "";

	*bad |= fcp_json_set_string(object, "schema", "fcpause/1");
	*bad |= invocation->command
			? fcp_json_set_string(object, "command", invocation->command->name)
			: fcp_json_set_null(object, "command");
	*bad |= fcp_json_set_string(object, "version", fcp_version());
	*bad |= gethostname(host, sizeof(host) - 1) == 0 ? fcp_json_set_string(object, "host", host)
							 : fcp_json_set_null(object, "host");
	*bad |= invocation->start_time[0]
			? fcp_json_set_string(object, "start_time", invocation->start_time)
			: fcp_json_set_null(object, "start_time");
	return object;
}

/* One line on stderr. */
static void complain(const struct invocation *invocation, const char *kind, const char *text)
{
	const struct log log = invocation_log(invocation);

	log_line(&log, strncmp(kind, "warning: ", 9) == 0 ? LEVEL_WARNING : LEVEL_ERROR, kind,
		 text);
}

bool output_begin(struct output *output, const struct invocation *invocation)
{
	*output = (struct output){.invocation = invocation};
	signals_stop_progress(invocation->signals);
	output->text = open_memstream(&output->buffer, &output->buffer_bytes);
	if (!output->text) {
		complain(invocation, "", "no memory");
		return false;
	}
	output->object = new_object(invocation, &output->bad);
	output->bad |= add_vm(output->object, invocation);
	return true;
}

void output_warn(struct output *output, const char *warning)
{
	if (warning[0] && output->warning_count < OUTPUT_WARNINGS)
		output->warnings[output->warning_count++] = warning;
}

static int add_warnings(const struct output *output, const struct ending *ending)
{
	const struct invocation *invocation = output->invocation;
	const struct fcp_flags *flags = invocation->flags.flags;
	struct fcp_json *warnings = fcp_json_array();
	int bad = 0;

	for (size_t i = 0; i < invocation->unknown.count; i++)
		bad |= fcp_json_append_string(warnings, invocation->unknown.warnings[i]);
	for (size_t i = 0; flags && i < flags->warning_count; i++)
		bad |= fcp_json_append_string(warnings, flags->warnings[i]);
	if (invocation->flags.note[0])
		bad |= fcp_json_append_string(warnings, invocation->flags.note);
	if (invocation->hinting)
		bad |= fcp_json_append_string(warnings, hinting_race);
	for (size_t i = 0; i < output->warning_count; i++)
		bad |= fcp_json_append_string(warnings, output->warnings[i]);
	if (ending->exit_code != EXIT_DONE && invocation->values[OPT_BEST_EFFORT].on)
		bad |= fcp_json_append_string(warnings, ending->outcome->reason);
	return bad | fcp_json_set(output->object, "warnings", warnings);
}

/* exec returns the exit code of its command; one code is reserved for its own failures. */
static int final_code(const struct invocation *invocation, int exit_code)
{
	return exit_code != EXIT_DONE && invocation->command && invocation->command->failure
		       ? invocation->command->failure
		       : exit_code;
}

/* ---- printing ---- */

/* A result that cannot be printed is a failure, but exit code 1 would mean that there is no
 * snapshot. */
static int not_printed(int exit_code, bool kept)
{
	if (exit_code != EXIT_DONE)
		return exit_code;
	return kept ? EXIT_PARTLY : EXIT_FAILED;
}

static int print(const struct invocation *invocation, const char *text, int exit_code, bool kept)
{
	char why[160];

	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return exit_code;
	snprintf(why, sizeof(why), "stdout: %s%s", strerror(errno),
		 kept ? "; the snapshot is good" : "");
	complain(invocation, "", why);
	return not_printed(exit_code, kept);
}

static int print_object(const struct invocation *invocation, const struct fcp_json *object,
			int exit_code, bool kept)
{
	FCP_CLEANUP(free) char *text = object ? fcp_json_text(object) : NULL;
	FCP_CLEANUP(free) char *line = NULL;

	if (!text || asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
		complain(invocation, "", "no memory for the JSON");
		return not_printed(exit_code, kept);
	}
	return print(invocation, line, exit_code, kept);
}

static void complain_with_advice(const struct invocation *invocation, const char *kind,
				 const struct fcp_error *err, const char *reason)
{
	FCP_CLEANUP(free) char *text = NULL;

	if (asprintf(&text, "%s%s", reason, advice_for(invocation, err, reason)) < 0)
		text = NULL;
	complain(invocation, kind, text ? text : reason);
}

static void print_warnings(const struct output *output)
{
	const struct invocation *invocation = output->invocation;
	const struct fcp_flags *flags = invocation->flags.flags;

	if (invocation->values[OPT_QUIET].on)
		return;
	for (size_t i = 0; i < output->warning_count; i++)
		complain_with_advice(invocation, "warning: ", NULL, output->warnings[i]);
	for (size_t i = 0; i < invocation->unknown.count; i++)
		complain(invocation, "warning: ", invocation->unknown.warnings[i]);
	for (size_t i = 0; flags && i < flags->warning_count; i++)
		complain(invocation, "warning: ", flags->warnings[i]);
	if (invocation->flags.note[0])
		complain(invocation, "warning: ", invocation->flags.note);
	if (invocation->hinting && invocation->values[OPT_VERBOSE].on)
		complain(invocation, "warning: ", hinting_race);
}

/* --best-effort forgives failed steps, but not a bad command line, a VM left in another state, or a
 * signal, after which a chain of commands must stop. */
static bool forgiven(const struct invocation *invocation, const struct ending *ending)
{
	return invocation->values[OPT_BEST_EFFORT].on && ending->exit_code != EXIT_USAGE &&
	       ending->exit_code != EXIT_LEFT &&
	       !(ending->err && ending->err->error_class == FCP_ERR_INTERRUPTED);
}

/* Errors are always printed; --quiet suppresses forgiven ones. */
static void print_reason(const struct invocation *invocation, const struct ending *ending)
{
	bool forgive = forgiven(invocation, ending);
	char kind[64];

	if (ending->outcome->reason[0] == '\0' || (invocation->values[OPT_QUIET].on && forgive))
		return;
	if (!ending->err && ending->exit_code == EXIT_DONE)
		return;
	/* The exit code says the same, as with any command. */
	if (ending->reason_is_code && !forgive)
		return;
	snprintf(kind, sizeof(kind), "%s%s: ", forgive ? "warning: " : "",
		 fcp_status_name(ending->outcome->status));
	complain_with_advice(invocation, kind, ending->err, ending->outcome->reason);
}

int output_end(struct output *output, const struct ending *ending)
{
	const struct invocation *invocation = output->invocation;
	int exit_code = forgiven(invocation, ending) ? EXIT_DONE : ending->exit_code;

	print_warnings(output);
	print_reason(invocation, ending);
	output->bad |= fclose(output->text);
	if (invocation->values[OPT_JSON].on) {
		if (invocation->flags.size)
			output->bad |= fcp_json_set_string(output->object, "flags_source",
							   fcp_flags_source_name(
								   invocation->flags.source));
		if (invocation->values[OPT_SETTINGS].on)
			output->bad |= settings_report(output->object, invocation);
		output->bad |= add_warnings(output, ending);
		if (ending->err)
			output->bad |= fcp_report_error(output->object, ending->err);
		exit_code = print_object(invocation, output->bad ? NULL : output->object, exit_code,
					 output->kept);
	} else if ((output->text_is_asked || !invocation->values[OPT_QUIET].on) && !ending->told) {
		exit_code = print(invocation, output->buffer, exit_code, output->kept);
	}
	fcp_json_free(output->object);
	free(output->buffer);
	if (exit_code == ending->exit_code && ending->code_of_command != 0)
		return ending->code_of_command;
	return final_code(invocation, exit_code);
}

int output_end_step(struct output *output, const struct fcp_outcome *outcome, int ran,
		    const struct fcp_error *err)
{
	const struct fcp_error *why = ran < 0 ? err : NULL;

	/* A failed step has no more to print than the error on stderr. */
	return output_end(output, &(struct ending){.outcome = outcome,
						   .err = why,
						   .exit_code = exit_code_of(outcome, why),
						   .told = why != NULL});
}

int output_error(const struct invocation *invocation, const struct fcp_error *err)
{
	int exit_code = exit_code_of_error(err);
	FCP_CLEANUP(json) struct fcp_json *object = NULL;
	int bad = 0;

	complain_with_advice(invocation, "", err, err->message);
	if (!invocation->values[OPT_JSON].on)
		return final_code(invocation, exit_code);
	object = new_object(invocation, &bad);
	bad |= add_vm(object, invocation);
	bad |= fcp_json_set_string(object, "status", fcp_status_name(FCP_STATUS_FAILED));
	bad |= fcp_json_set_string(object, "reason", err->message);
	bad |= fcp_report_error(object, err);
	return final_code(invocation,
			  print_object(invocation, bad ? NULL : object, exit_code, false));
}
