// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/text.h"

#include "cmd/output/output.h"
#include "cmd/output/shown.h"
#include "cmd/output/size_text.h"
#include "cmd/settings/gate.h"
#include "memory/identity.h"

#include <inttypes.h>
#include <string.h>

/* The reason as printed on stderr (output_end). */
static const char *said_of(const struct fcp_outcome *outcome)
{
	return outcome->status == FCP_STATUS_OK || outcome->status == FCP_STATUS_SKIPPED
		       ? ""
		       : outcome->reason;
}

/* The option that turns on a step of a pause that is off by default. */
static void put_option(FILE *out, const char *step, const struct fcp_outcome *outcome)
{
	if (strcmp(outcome->reason, OFF_BY_DEFAULT) == 0)
		fprintf(out, " (--%s turns it on)",
			strcmp(step, "balloon-drain") == 0 ? "drain" : step);
}

/* "balloon-drain   ok            71.9 ms  "; the caller ends the line. A reason that was already
 * printed is not repeated. */
static void begin_line(FILE *out, const char *step, const struct fcp_outcome *outcome,
		       const char *said)
{
	bool has_reason = outcome->status != FCP_STATUS_OK && !strstr(said, outcome->reason);
	bool skipped = outcome->status == FCP_STATUS_SKIPPED;

	fprintf(out, "%-17s %-*s", step, skipped && !has_reason ? 0 : 11,
		fcp_status_name(outcome->status));
	if (!skipped)
		fprintf(out, " %9.1f ms", outcome->ms);
	if (!has_reason)
		return;
	fprintf(out, "%*s", skipped ? 14 : 2, "");
	put_shown(out, outcome->reason);
	put_option(out, step, outcome);
}

/* The overall reason consists of those of the steps, which are printed beside them. */
static void put_reclaim(FILE *out, const struct fcp_reclaim_result *result, const char *said)
{
	const char *last = "";

	begin_line(out, "reclaim", &result->outcome,
		   result->step_count > 0 ? result->outcome.reason : said);
	fputc('\n', out);
	for (size_t i = 0; i < result->step_count; i++) {
		const struct fcp_outcome *outcome = &result->steps[i]->outcome;
		bool again = strcmp(outcome->reason, last) == 0;
		char name[32];

		snprintf(name, sizeof(name), "  %s", fcp_reclaim_kind_name(result->steps[i]->kind));
		begin_line(out, name, outcome, again ? last : said);
		fputc('\n', out);
		last = outcome->reason;
	}
}

void text_reclaim(FILE *out, const struct fcp_reclaim_result *result)
{
	put_reclaim(out, result, said_of(&result->outcome));
}

void text_balloon_install(FILE *out, const struct fcp_balloon_install_result *result)
{
	begin_line(out, "balloon-install", &result->outcome, said_of(&result->outcome));
	if (result->outcome.status == FCP_STATUS_OK)
		fprintf(out, "  %s: %" PRIu64 " MiB, hinting %s, reporting %s, deflate on OOM %s",
			result->installed ? "installed" : "was there already",
			result->balloon.amount_mib,
			result->balloon.free_page_hinting ? "armed" : "off",
			result->balloon.free_page_reporting ? "on" : "off",
			result->balloon.deflate_on_oom ? "on" : "off");
	fputc('\n', out);
}

static void put_balloon_drain(FILE *out, const struct fcp_balloon_drain_result *result,
			      const char *said)
{
	char bytes[64];

	begin_line(out, "balloon-drain", &result->outcome, said);
	if (result->started && result->freed_source != FCP_FREED_UNKNOWN)
		fprintf(out, "  %s given back (by %s)", human_bytes(result->freed_bytes, bytes),
			result->freed_source == FCP_FREED_METRICS ? "Firecracker's metrics"
								  : "the process's memory");
	else if (result->stopped && !result->started)
		fputs("  the open run was stopped", out);
	fputc('\n', out);
}

void text_balloon_drain(FILE *out, const struct fcp_balloon_drain_result *result)
{
	put_balloon_drain(out, result, said_of(&result->outcome));
}

/* "4.8 MiB (5033164 bytes) of 512.0 MiB (536870912 bytes) written" */
static void write_memory(FILE *out, const struct fcp_memory_report *memory)
{
	char written[64], guest[64], shared[64];

	fprintf(out, "; %s of %s written", human_bytes(memory->written_bytes, written),
		human_bytes(memory->guest_bytes, guest));
	if (memory->share_count > 0)
		fprintf(out, ", %s shared", human_bytes(memory->shared_bytes, shared));
	if (memory->verified)
		fputs(", verified", out);
}

static void put_snapshot(FILE *out, const struct fcp_snapshot_settings *settings,
			 const struct fcp_snapshot_result *result, const char *said)
{
	begin_line(out, "snapshot", &result->outcome, said);
	if (result->created)
		fprintf(out, "  %s: %s, %s", fcp_snapshot_type_name(result->type),
			settings->snapshot_path, settings->mem_file_path);
	if (result->created && result->writer == FCP_WRITER_FCPAUSE)
		write_memory(out, result->memory);
	if (result->outcome.status != FCP_STATUS_SKIPPED)
		fprintf(out, "; VM %s, stood still %.1f ms", fcp_vm_state_name(result->vm_state),
			result->paused_ms);
	fputc('\n', out);
}

void text_snapshot(FILE *out, const struct fcp_snapshot_settings *settings,
		   const struct fcp_snapshot_result *result)
{
	put_snapshot(out, settings, result, said_of(&result->outcome));
}

static void put_madvise_ranges(FILE *out, const struct fcp_madvise_ranges_result *result,
			       const char *said)
{
	const struct fcp_mem_file *file = &result->mem_file;
	uint64_t could = fcp_ranges_bytes(&result->ranges);
	bool held = result->released_bytes == 0 && could != 0; /* --dry-run, --list, a failure */
	bool looked = result->outcome.status != FCP_STATUS_SKIPPED;
	bool shrunk = looked && file->allocated_before_bytes > file->allocated_bytes;
	char bytes[64], before[64], after[64], size[64];

	begin_line(out, "madvise-ranges", &result->outcome, said);
	if (file->logical_bytes != 0 && looked)
		fprintf(out, "  %s %s;", human_bytes(held ? could : result->released_bytes, bytes),
			held ? "can be released" : "released");
	if (file->logical_bytes != 0)
		fprintf(out, "%s on disk %s of %s", looked ? "" : ";",
			human_bytes(file->allocated_bytes, after),
			human_bytes(file->logical_bytes, size));
	if (shrunk)
		fprintf(out, ", before %s", human_bytes(file->allocated_before_bytes, before));
	fputc('\n', out);
}

void text_madvise_ranges(FILE *out, const struct fcp_madvise_ranges_result *result)
{
	put_madvise_ranges(out, result, said_of(&result->outcome));
}

void text_merge(FILE *out, const struct fcp_merge_settings *settings,
		const struct fcp_merge_result *result)
{
	uint64_t cloned = result->base_cloned_bytes, copied = result->base_copied_bytes;
	char shared[64], own[64], size[64];

	for (size_t i = 0; i < result->layer_count; i++) {
		cloned += result->layers[i]->cloned_bytes;
		copied += result->layers[i]->copied_bytes;
	}
	begin_line(out, "merge", &result->outcome, said_of(&result->outcome));
	if (result->created)
		fprintf(out, "  %s: %s shared, %s copied, of %s", settings->out,
			human_bytes(cloned, shared), human_bytes(copied, own),
			human_bytes(result->logical_bytes, size));
	fputc('\n', out);
}

void text_share(FILE *out, const struct fcp_share_settings *settings,
		const struct fcp_share_result *result)
{
	uint64_t shared = result->own_before_bytes - result->own_bytes;
	char more[64], before[64], own[64];

	begin_line(out, "share", &result->outcome, said_of(&result->outcome));
	if (result->replaced)
		fprintf(out, "  %s: %s more shared; of its own %s, before %s",
			settings->mem_file_path, human_bytes(shared, more),
			human_bytes(result->own_bytes, own),
			human_bytes(result->own_before_bytes, before));
	fputc('\n', out);
}

void text_doctor(FILE *out, const struct fcp_doctor_result *result)
{
	for (size_t i = 0; i < result->check_count; i++) {
		const struct fcp_check *check = result->checks[i];

		fprintf(out, "%-8s  %-13s  ", fcp_verdict_name(check->verdict), check->name);
		put_shown(out,
			  check->verdict == FCP_VERDICT_SKIPPED ? "not looked at" : check->found);
		fputc('\n', out);
		if (check->what_to_do)
			fprintf(out, "%25s%s:\n%25s%s\n", "", check->why, "", check->what_to_do);
	}
}

static void put_memory(FILE *out, const struct fcp_status_result *result)
{
	char size[SIZE_TEXT_BYTES];

	fprintf(out, ", %s", size_text(result->memory_bytes, size));
	if (result->base[0]) {
		fputs(" restored from ", out);
		put_shown(out, result->base);
	} else if (result->backing) {
		fprintf(out, " (%s)", result->backing);
	}
	if (result->track_dirty_pages)
		fputs(", dirty pages tracked", out);
}

void text_name(FILE *out, const char *name)
{
	put_shown(out, name);
	fputs(": ", out);
}

void text_status(FILE *out, const struct fcp_status_result *result)
{
	if (result->outcome.status != FCP_STATUS_OK)
		return;
	fputs(fcp_vm_state_name(result->vm_state), out);
	put_memory(out, result);
	if (!result->has_balloon)
		fputs(", no balloon", out);
	else
		fprintf(out, ", balloon %s",
			result->hinting_open		    ? "with an open hinting run"
			: result->balloon.free_page_hinting ? "with hinting armed"
							    : "without hinting");
	fputs("; Firecracker ", out);
	put_shown(out, result->vmm_version);
	if (result->pid > 0)
		fprintf(out, ", process %d", (int)result->pid);
	fputc('\n', out);
}

void text_resume(FILE *out, const struct fcp_resume_result *result)
{
	begin_line(out, "resume", &result->outcome, said_of(&result->outcome));
	if (result->vm_state == FCP_VM_RUNNING && result->outcome.status == FCP_STATUS_OK)
		fprintf(out, "  %s",
			result->loaded	  ? "loaded, it runs"
			: result->resumed ? "it runs"
					  : "it runs already");
	if (result->envd_ms > 0)
		fprintf(out, "; envd answered after %.1f ms", result->envd_ms);
	if (result->thawed)
		fputs("; thawed", out);
	fputc('\n', out);
}

/* A step that is off has no line: most pauses have none of these on. */
static void put_quiesced(FILE *out, const char *step, const struct fcp_outcome *outcome,
			 const char *said)
{
	if (outcome->status == FCP_STATUS_SKIPPED)
		return;
	begin_line(out, step, outcome, said);
	fputc('\n', out);
}

static void put_freeze(FILE *out, const struct fcp_freeze_report *report, const char *said)
{
	if (report->outcome.status == FCP_STATUS_SKIPPED)
		return;
	begin_line(out, "freeze", &report->outcome, said);
	if (report->reported)
		fprintf(out, "  %" PRIu64 " of %" PRIu64 " cgroups are frozen (%s)", report->frozen,
			report->requested, report->mode);
	fputc('\n', out);
}

/* If not, the checks before the first step have ended it. */
static bool any_was_begun(const struct fcp_pause_result *result)
{
	const struct fcp_outcome *const outcomes[] = {
		&result->quiesce->freeze.outcome, &result->quiesce->collapse.outcome,
		&result->reclaim->outcome,	  &result->quiesce->fs_freeze,
		&result->drain->outcome,	  &result->snapshot->outcome,
	};

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (outcomes[i]->status != FCP_STATUS_SKIPPED)
			return true;
	return false;
}

static void put_steps(FILE *out, const struct fcp_pause_settings *settings,
		      const struct fcp_pause_result *result)
{
	const char *said = said_of(&result->outcome);

	put_freeze(out, &result->quiesce->freeze, said);
	put_quiesced(out, "collapse", &result->quiesce->collapse.outcome, said);
	put_reclaim(out, result->reclaim, said);
	put_quiesced(out, "fs-freeze", &result->quiesce->fs_freeze, said);
	put_balloon_drain(out, result->drain, said);
	put_snapshot(out, settings->snapshot, result->snapshot, said);
	put_quiesced(out, "fs-thaw", &result->quiesce->fs_thaw, said);
	put_quiesced(out, "unfreeze", &result->quiesce->unfreeze, said);
	put_madvise_ranges(out, result->trim, said);
}

void text_pause(FILE *out, const struct fcp_pause_settings *settings,
		const struct fcp_pause_result *result)
{
	if (any_was_begun(result))
		put_steps(out, settings, result);
	fprintf(out, "%-17s %-11s %9.1f ms  VM %s, stood still %.1f ms%s\n", "pause",
		fcp_status_name(result->outcome.status), result->outcome.ms,
		fcp_vm_state_name(result->vm_state), result->paused_ms,
		result->quiesce->kept ? "; frozen until resume --thaw" : "");
}

void text_ranges(FILE *out, const struct fcp_madvise_ranges_result *result)
{
	const struct fcp_found_ranges *found = &result->found;
	char file[FCP_IDENTITY_BYTES];

	/* Nothing if the run failed. */
	if (result->file.inode != 0 && result->outcome.status != FCP_STATUS_FAILED &&
	    result->outcome.status != FCP_STATUS_UNSUPPORTED)
		fprintf(out, "# file %s\n", fcp_identity_text(&result->file, file));
	for (size_t i = 0; i < found->count; i++) {
		const struct fcp_found_range *range = &found->items[i];
		const char *name = fcp_find_name(range->found);

		fprintf(out, "%" PRIu64 " %" PRIu64 "%s%s\n", range->start,
			range->end - range->start, name ? " " : "", name ? name : "");
	}
}
