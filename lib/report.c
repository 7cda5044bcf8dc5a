// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <string.h>

/* Members that a status cannot fill are null, so that a reader can rely on their presence. */
static int set_nulls(struct fcp_json *object, const char *const *keys, size_t count)
{
	int bad = 0;

	for (size_t i = 0; i < count; i++)
		bad |= fcp_json_set_null(object, keys[i]);
	return bad;
}

/* "" is null. */
static int set_text(struct fcp_json *object, const char *key, const char *text)
{
	return *text ? fcp_json_set_string(object, key, text) : fcp_json_set_null(object, key);
}

int fcp_report_outcome(struct fcp_json *object, const struct fcp_outcome *outcome)
{
	int bad = fcp_json_set_string(object, "status", fcp_status_name(outcome->status));

	if (outcome->status != FCP_STATUS_OK)
		bad |= fcp_json_set_string(object, "reason", outcome->reason);
	return bad | fcp_json_set_ms(object, "ms", outcome->ms);
}

int fcp_report_error(struct fcp_json *object, const struct fcp_error *error)
{
	struct fcp_json *member = fcp_json_object();
	int bad = 0;

	bad |= fcp_json_set_string(member, "class", fcp_error_class_name(error->error_class));
	bad |= fcp_json_set_string(member, "message", error->message);
	if (error->errnum != 0)
		bad |= fcp_json_set_i64(member, "errno", error->errnum);
	if (error->http_status != 0)
		bad |= fcp_json_set_i64(member, "http_status", error->http_status);
	return bad | fcp_json_set(object, "error", member);
}

static int set_exit_code(struct fcp_json *object, int exit_code)
{
	return exit_code < 0 ? fcp_json_set_null(object, "exit_code")
			     : fcp_json_set_i64(object, "exit_code", exit_code);
}

int fcp_report_reclaim(struct fcp_json *object, const struct fcp_reclaim_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *steps = fcp_json_array();

	bad |= set_text(object, "note", result->note);
	for (size_t i = 0; i < result->step_count; i++) {
		struct fcp_json *step = fcp_json_object();

		bad |= fcp_json_set_string(step, "name",
					   fcp_reclaim_kind_name(result->steps[i]->kind));
		bad |= fcp_report_outcome(step, &result->steps[i]->outcome);
		bad |= fcp_json_set_u64(step, "cap_ms", result->steps[i]->cap_ms);
		bad |= set_exit_code(step, result->steps[i]->exit_code);
		bad |= fcp_json_append(steps, step);
	}
	return bad | fcp_json_set(object, "steps", steps);
}

int fcp_report_exec(struct fcp_json *object, const struct fcp_exec_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= set_exit_code(object, result->exit_code);
	bad |= result->signal == 0 ? fcp_json_set_null(object, "signal")
				   : fcp_json_set_i64(object, "signal", result->signal);
	return bad | fcp_json_set_bool(object, "left_running", result->left_running);
}

static int add_balloon(struct fcp_json *object, const struct fcp_balloon *balloon)
{
	struct fcp_json *member = fcp_json_object();
	int bad = fcp_json_set_u64(member, "amount_mib", balloon->amount_mib);

	bad |= fcp_json_set_bool(member, "deflate_on_oom", balloon->deflate_on_oom);
	bad |= fcp_json_set_bool(member, "free_page_hinting", balloon->free_page_hinting);
	bad |= fcp_json_set_bool(member, "free_page_reporting", balloon->free_page_reporting);
	return bad | fcp_json_set(object, "balloon", member);
}

int fcp_report_balloon_install(struct fcp_json *object,
			       const struct fcp_balloon_install_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= fcp_json_set_bool(object, "installed", result->installed);
	return bad |
	       (result->outcome.status == FCP_STATUS_OK ? add_balloon(object, &result->balloon)
							: fcp_json_set_null(object, "balloon"));
}

static int set_cmd(struct fcp_json *object, const char *key, int64_t cmd)
{
	return cmd < 0 ? fcp_json_set_null(object, key) : fcp_json_set_i64(object, key, cmd);
}

int fcp_report_balloon_drain(struct fcp_json *object, const struct fcp_balloon_drain_result *result)
{
	static const char *const freed[] = {"freed_bytes", "freed_source"};
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= fcp_json_set_bool(object, "started", result->started);
	bad |= set_cmd(object, "host_cmd", result->started ? result->host_cmd : -1);
	bad |= set_cmd(object, "guest_cmd", result->started ? result->guest_cmd : -1);
	bad |= fcp_json_set_u64(object, "polls", result->polls);
	bad |= fcp_json_set_bool(object, "stopped", result->stopped);
	if (!result->started || result->freed_source == FCP_FREED_UNKNOWN)
		return bad | set_nulls(object, freed, sizeof(freed) / sizeof(freed[0]));
	bad |= fcp_json_set_u64(object, "freed_bytes", result->freed_bytes);
	return bad |
	       fcp_json_set_string(object, "freed_source",
				   result->freed_source == FCP_FREED_METRICS ? "metrics" : "rss");
}

static int add_metrics(struct fcp_json *object, const struct fcp_metrics *metrics)
{
	struct fcp_json *group = fcp_json_object();
	int bad = 0;

	bad |= fcp_json_set_u64(group, "free_page_hint_count", metrics->free_page_hint_count);
	bad |= fcp_json_set_u64(group, "free_page_hint_freed_bytes", metrics->free_page_hint_freed);
	bad |= fcp_json_set_u64(group, "free_page_hint_fails", metrics->free_page_hint_fails);
	bad |= fcp_json_set_u64(group, "free_page_report_freed_bytes",
				metrics->free_page_report_freed);
	bad |= fcp_json_set_u64(group, "full_create_snapshot_us", metrics->full_create_snapshot_us);
	bad |= fcp_json_set_u64(group, "diff_create_snapshot_us", metrics->diff_create_snapshot_us);
	bad |= fcp_json_set_u64(group, "pause_vm_us", metrics->pause_vm_us);
	bad |= fcp_json_set_u64(group, "resume_vm_us", metrics->resume_vm_us);
	return bad | fcp_json_set(object, "metrics", group);
}

static int add_attributes(struct fcp_json *object, const struct fcp_file_attributes *attributes)
{
	return fcp_json_set_string(object, "holes", fcp_holes_name(attributes->holes)) |
	       set_text(object, "id", attributes->id) | set_text(object, "base", attributes->base);
}

/* What was compared with; fits: is it what the file is recorded to be a layer of? */
static int add_base(struct fcp_json *object, const struct fcp_base_report *base)
{
	struct fcp_json *member = fcp_json_object();
	int bad = fcp_json_set_string(member, "path", base->path);

	bad |= set_text(member, "id", base->id);
	bad |= base->lineage == FCP_LINEAGE_UNKNOWN
		       ? fcp_json_set_null(member, "fits")
		       : fcp_json_set_bool(member, "fits", base->lineage == FCP_LINEAGE_FITS);
	return bad | fcp_json_set(object, "base_file", member);
}

static int add_guest(struct fcp_json *object, const struct fcp_guest_report *guest)
{
	struct fcp_json *member, *blocks, *gates;
	int bad = 0;

	if (!guest)
		return fcp_json_set_null(object, "guest");
	member = fcp_json_object();
	blocks = fcp_json_array();
	gates = fcp_json_array();
	bad |= set_text(member, "release", guest->release);
	for (size_t i = 0; i < guest->order_count; i++)
		bad |= fcp_json_append_u64(blocks, guest->blocks_per_order[i]);
	for (size_t i = 0; i < guest->gate_count; i++) {
		struct fcp_json *gate = fcp_json_object();

		bad |= fcp_json_set_string(gate, "name", guest->gates[i]->name);
		bad |= fcp_json_set_string(gate, "gate", guest->gates[i]->name);
		bad |= fcp_json_set_string(gate, "state",
					   fcp_gate_state_name(guest->gates[i]->state));
		bad |= set_text(gate, "reason", guest->gates[i]->reason);
		bad |= fcp_json_append(gates, gate);
	}
	bad |= fcp_json_set(member, "blocks_per_order", blocks);
	bad |= fcp_json_set(member, "gates", gates);
	return bad | fcp_json_set(object, "guest", member);
}

/* What is behind those that were named is the base. */
static int add_shares(struct fcp_json *object, const char *const *names, size_t named,
		      const char *base, struct fcp_share_report *const *shares, size_t count)
{
	struct fcp_json *list = fcp_json_array();
	int bad = 0;

	for (size_t i = 0; i < count; i++) {
		struct fcp_json *member = fcp_json_object();

		bad |= fcp_json_set_string(member, "path", i < named ? names[i] : base);
		bad |= fcp_json_set_bool(member, "frozen", shares[i]->frozen);
		bad |= shares[i]->frozen
			       ? fcp_json_set_string(member, "index",
						     shares[i]->index_read ? "read" : "built")
			       : fcp_json_set_null(member, "index");
		bad |= fcp_json_set_u64(member, "shared_bytes", shares[i]->shared_bytes);
		bad |= fcp_json_append(list, member);
	}
	return bad | fcp_json_set(object, "shares", list);
}

static int add_memory(struct fcp_json *object, const struct fcp_snapshot_settings *settings,
		      const struct fcp_memory_report *memory)
{
	struct fcp_json *member = fcp_json_object();
	struct fcp_json *base = memory->base[0] ? fcp_json_object() : NULL;
	int bad = 0;

	bad |= fcp_json_set_u64(member, "guest_bytes", memory->guest_bytes);
	bad |= fcp_json_set_u64(member, "changed_bytes", memory->changed_bytes);
	bad |= fcp_json_set_u64(member, "free_bytes", memory->free_bytes);
	bad |= set_text(member, "free_reason", memory->free_reason);
	bad |= fcp_json_set_u64(member, "zero_bytes", memory->zero_bytes);
	bad |= fcp_json_set_u64(member, "base_equal_bytes", memory->base_equal_bytes);
	bad |= fcp_json_set_u64(member, "shared_bytes", memory->shared_bytes);
	bad |= fcp_json_set_u64(member, "written_bytes", memory->written_bytes);
	bad |= fcp_json_set_u64(member, "dropped_bytes", memory->dropped_bytes);
	bad |= fcp_json_set_u64(member, "cloned_bytes", memory->cloned_bytes);
	bad |= fcp_json_set_u64(member, "copied_bytes", memory->copied_bytes);
	bad |= add_shares(member, settings->shares, settings->share_count, memory->base,
			  memory->shares, memory->share_count);
	bad |= fcp_json_set_bool(member, "buffered", memory->buffered);
	bad |= fcp_json_set_bool(member, "verified", memory->verified);
	if (base) {
		bad |= fcp_json_set_string(base, "path", memory->base);
		bad |= set_text(base, "id", memory->base_id);
		bad |= fcp_json_set(member, "base", base);
	} else {
		bad |= fcp_json_set_null(member, "base");
	}
	return bad | fcp_json_set(object, "memory", member);
}

static int add_downtime(struct fcp_json *object, const struct fcp_downtime *downtime)
{
	struct fcp_json *member = fcp_json_object();
	int bad = 0;

	bad |= fcp_json_set_ms(member, "pause", downtime->pause);
	bad |= fcp_json_set_ms(member, "state", downtime->state);
	bad |= fcp_json_set_ms(member, "scan", downtime->scan);
	bad |= fcp_json_set_ms(member, "copy", downtime->copy);
	bad |= fcp_json_set_ms(member, "resume", downtime->resume);
	return bad | fcp_json_set(object, "downtime_ms", member);
}

static int add_writer(struct fcp_json *object, const struct fcp_snapshot_settings *settings,
		      const struct fcp_snapshot_result *result)
{
	bool by_fcpause = result->writer == FCP_WRITER_FCPAUSE;
	int bad = 0;

	bad |= result->writer == FCP_WRITER_AUTO
		       ? fcp_json_set_null(object, "writer")
		       : fcp_json_set_string(object, "writer", fcp_writer_name(result->writer));
	bad |= set_text(object, "writer_reason", result->writer_reason);
	bad |= by_fcpause ? add_memory(object, settings, result->memory)
			  : fcp_json_set_null(object, "memory");
	bad |= add_guest(object, result->guest);
	return bad | (by_fcpause ? add_downtime(object, &result->downtime_ms)
				 : fcp_json_set_null(object, "downtime_ms"));
}

int fcp_report_snapshot(struct fcp_json *object, const struct fcp_snapshot_settings *settings,
			const struct fcp_snapshot_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= result->type == FCP_SNAPSHOT_AUTO
		       ? fcp_json_set_null(object, "type")
		       : fcp_json_set_string(object, "type", fcp_snapshot_type_name(result->type));
	bad |= set_text(object, "type_reason", result->type_reason);
	bad |= fcp_json_set_bool(object, "layer", result->layer);
	bad |= add_attributes(object, &result->attributes);
	bad |= add_writer(object, settings, result);
	bad |= fcp_json_set_bool(object, "hinting_stopped", result->hinting_stopped);
	bad |= result->metrics ? add_metrics(object, result->metrics)
			       : fcp_json_set_null(object, "metrics");
	bad |= fcp_json_set_bool(object, "created", result->created);
	bad |= fcp_json_set_string(object, "vm_state", fcp_vm_state_name(result->vm_state));
	bad |= fcp_json_set_ms(object, "paused_ms", result->paused_ms);
	bad |= fcp_json_set_string(object, "snapshot_path", settings->snapshot_path);
	return bad | fcp_json_set_string(object, "mem_file_path", settings->mem_file_path);
}

int fcp_report_madvise_ranges(struct fcp_json *object,
			      const struct fcp_madvise_ranges_result *result)
{
	static const char *const compared[] = {"base_bytes", "changed_bytes", "base_file"};
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *file;

	bad |= set_text(object, "warning", result->warning);
	bad |= add_attributes(object, &result->attributes);
	bad |= fcp_json_set_u64(object, "free_bytes", result->free_bytes);
	bad |= fcp_json_set_u64(object, "zero_bytes", result->zero_bytes);
	if (result->base.path[0] != '\0') {
		bad |= fcp_json_set_u64(object, "base_bytes", result->base_bytes);
		bad |= fcp_json_set_u64(object, "changed_bytes", result->changed_bytes);
		bad |= add_base(object, &result->base);
	} else {
		bad |= set_nulls(object, compared, sizeof(compared) / sizeof(compared[0]));
	}
	bad |= fcp_json_set_u64(object, "released_bytes", result->released_bytes);
	bad |= fcp_json_set_u64(object, "ranges", result->ranges.count);
	bad |= add_guest(object, result->guest);
	if (result->mem_file.logical_bytes == 0)
		return bad | fcp_json_set_null(object, "mem_file");
	file = fcp_json_object();
	bad |= fcp_json_set_u64(file, "logical_bytes", result->mem_file.logical_bytes);
	bad |= fcp_json_set_u64(file, "allocated_before_bytes",
				result->mem_file.allocated_before_bytes);
	bad |= fcp_json_set_u64(file, "allocated_bytes", result->mem_file.allocated_bytes);
	return bad | fcp_json_set(object, "mem_file", file);
}

static int add_place(struct fcp_json *same, const char *name, const struct fcp_class_bytes *bytes)
{
	struct fcp_json *member = fcp_json_object();
	int bad = fcp_json_set_u64(member, "bytes", bytes->bytes);

	bad |= fcp_json_set_u64(member, "allocated_bytes", bytes->allocated_bytes);
	return bad | fcp_json_set(same, name, member);
}

/* "same": for each place that was looked at what stands there too. */
static int add_same(struct fcp_json *object, const struct fcp_inspect_result *result,
		    const struct fcp_class_bytes *in_base, const struct fcp_class_bytes *in_shares)
{
	struct fcp_json *same = fcp_json_object();
	int bad = 0;

	if (result->compared)
		bad |= add_place(same, "base", in_base);
	if (result->share_count > 0)
		bad |= add_place(same, "share", in_shares);
	return bad | fcp_json_set(object, "same", same);
}

static int add_classes(struct fcp_json *object, const struct fcp_inspect_result *result)
{
	struct fcp_json *classes = fcp_json_object();
	int bad = 0;

	for (size_t i = 0; i < result->class_count; i++) {
		const struct fcp_inspect_class *class = result->classes[i];
		struct fcp_json *member = fcp_json_object();

		bad |= fcp_json_set_u64(member, "bytes", class->all.bytes);
		bad |= fcp_json_set_u64(member, "allocated_bytes", class->all.allocated_bytes);
		if (result->compared || result->share_count > 0)
			bad |= add_same(member, result, &class->in_base, &class->in_shares);
		bad |= fcp_json_set(classes, fcp_page_class_name(class->page_class), member);
	}
	return bad | fcp_json_set(object, "classes", classes);
}

/* What of the file stands elsewhere; null where there is nothing to compare with, or it was not
 * compared. */
static int add_compared(struct fcp_json *object, const struct fcp_inspect_result *result)
{
	int bad = result->base.path[0] ? add_base(object, &result->base)
				       : fcp_json_set_null(object, "base_file");

	bad |= result->compared || result->share_count > 0
		       ? add_same(object, result, &result->in_base, &result->in_shares)
		       : fcp_json_set_null(object, "same");
	bad |= result->compared ? fcp_json_set_u64(object, "layer_bytes", result->layer_bytes)
				: fcp_json_set_null(object, "layer_bytes");
	return bad | (result->share_count > 0
			      ? fcp_json_set_u64(object, "share_bytes", result->share_bytes)
			      : fcp_json_set_null(object, "share_bytes"));
}

int fcp_report_inspect(struct fcp_json *object, const struct fcp_inspect_result *result)
{
	static const char *const found[] = {"holes",	   "id",	  "base",      "mem_file",
					    "guest",	   "classes",	  "base_file", "same",
					    "layer_bytes", "share_bytes", "largest"};
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *file, *guest;

	if (result->outcome.status != FCP_STATUS_OK && result->outcome.status != FCP_STATUS_PARTIAL)
		return bad | set_nulls(object, found, sizeof(found) / sizeof(found[0]));
	bad |= add_attributes(object, &result->attributes);
	file = fcp_json_object();
	bad |= fcp_json_set_u64(file, "logical_bytes", result->logical_bytes);
	bad |= fcp_json_set_u64(file, "allocated_bytes", result->allocated_bytes);
	bad |= fcp_json_set_u64(file, "data_bytes", result->data_bytes);
	bad |= fcp_json_set_u64(file, "hole_bytes", result->logical_bytes - result->data_bytes);
	bad |= fcp_json_set(object, "mem_file", file);
	guest = fcp_json_object();
	bad |= set_text(guest, "release", result->release);
	bad |= fcp_json_set(object, "guest", guest);
	bad |= add_classes(object, result);
	bad |= add_compared(object, result);
	if (result->data_bytes == 0)
		return bad | fcp_json_set_null(object, "largest");
	return bad | fcp_json_set_string(object, "largest", fcp_page_class_name(result->largest));
}

/* {"step": name} for the caller to fill in, appended to steps. */
static struct fcp_json *add_step(struct fcp_json *steps, const char *name, int *bad)
{
	struct fcp_json *step = fcp_json_object();

	*bad |= fcp_json_set_string(step, "name", name);
	*bad |= fcp_json_set_string(step, "step", name);
	*bad |= fcp_json_append(steps, step);
	return step;
}

static int add_merged_layers(struct fcp_json *object, const struct fcp_merge_settings *settings,
			     const struct fcp_merge_result *result)
{
	struct fcp_json *layers = fcp_json_array();
	int bad = 0;

	for (size_t i = 0; i < result->layer_count; i++) {
		const struct fcp_merge_layer *layer = result->layers[i];
		struct fcp_json *member = fcp_json_object();

		bad |= fcp_json_set_string(member, "path", settings->layers[i]);
		bad |= fcp_json_set_u64(member, "data_bytes", layer->data_bytes);
		bad |= fcp_json_set_u64(member, "cloned_bytes", layer->cloned_bytes);
		bad |= fcp_json_set_u64(member, "copied_bytes", layer->copied_bytes);
		bad |= fcp_json_set_u64(member, "zero_bytes", layer->zero_bytes);
		bad |= fcp_json_append(layers, member);
	}
	return bad | fcp_json_set(object, "layers", layers);
}

int fcp_report_merge(struct fcp_json *object, const struct fcp_merge_settings *settings,
		     const struct fcp_merge_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *base = fcp_json_object(), *file = fcp_json_object();

	bad |= fcp_json_set_bool(object, "created", result->created);
	bad |= fcp_json_set_string(object, "out", settings->out);
	bad |= fcp_json_set_string(base, "path", settings->base);
	bad |= fcp_json_set_u64(base, "cloned_bytes", result->base_cloned_bytes);
	bad |= fcp_json_set_u64(base, "copied_bytes", result->base_copied_bytes);
	bad |= fcp_json_set(object, "base", base);
	bad |= add_merged_layers(object, settings, result);
	bad |= fcp_json_set_string(object, "holes", fcp_holes_name(result->attributes.holes));
	bad |= set_text(object, "id", result->attributes.id);
	bad |= fcp_json_set_u64(file, "logical_bytes", result->logical_bytes);
	bad |= fcp_json_set_u64(file, "allocated_bytes", result->allocated_bytes);
	return bad | fcp_json_set(object, "mem_file", file);
}

int fcp_report_share(struct fcp_json *object, const struct fcp_share_settings *settings,
		     const struct fcp_share_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *file = fcp_json_object();

	bad |= fcp_json_set_bool(object, "replaced", result->replaced);
	bad |= fcp_json_set_string(object, "mem_file_path", settings->mem_file_path);
	bad |= add_shares(object, settings->shares, settings->share_count, NULL, result->shares,
			  result->share_count);
	bad |= add_attributes(object, &result->attributes);
	bad |= fcp_json_set_u64(file, "logical_bytes", result->logical_bytes);
	bad |= fcp_json_set_u64(file, "data_bytes", result->data_bytes);
	bad |= fcp_json_set_u64(file, "own_before_bytes", result->own_before_bytes);
	bad |= fcp_json_set_u64(file, "own_bytes", result->own_bytes);
	return bad | fcp_json_set(object, "mem_file", file);
}

int fcp_report_doctor(struct fcp_json *object, const struct fcp_doctor_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *checks = fcp_json_array();

	for (size_t i = 0; i < result->check_count; i++) {
		const struct fcp_check *check = result->checks[i];
		struct fcp_json *member = fcp_json_object();

		bad |= fcp_json_set_string(member, "name", check->name);
		bad |= fcp_json_set_string(member, "verdict", fcp_verdict_name(check->verdict));
		bad |= set_text(member, "found", check->found);
		bad |= fcp_json_set_string(member, "why", check->why);
		bad |= set_text(member, "what_to_do", check->what_to_do ? check->what_to_do : "");
		bad |= fcp_json_append(checks, member);
	}
	return bad | fcp_json_set(object, "checks", checks);
}

int fcp_report_status(struct fcp_json *object, const struct fcp_status_result *result)
{
	static const char *const found[] = {
		"vmm_version",	     "pid",	"memory_bytes",	  "hotplug_bytes", "plugged_bytes",
		"track_dirty_pages", "backing", "backing_reason", "base",	   "balloon",
		"hinting_open",
	};
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= fcp_json_set_string(object, "vm_state", fcp_vm_state_name(result->vm_state));
	if (result->outcome.status != FCP_STATUS_OK)
		return bad | set_nulls(object, found, sizeof(found) / sizeof(found[0]));
	bad |= fcp_json_set_string(object, "vmm_version", result->vmm_version);
	bad |= result->pid > 0 ? fcp_json_set_i64(object, "pid", result->pid)
			       : fcp_json_set_null(object, "pid");
	bad |= fcp_json_set_u64(object, "memory_bytes", result->memory_bytes);
	bad |= fcp_json_set_u64(object, "hotplug_bytes", result->hotplug_bytes);
	bad |= fcp_json_set_u64(object, "plugged_bytes", result->plugged_bytes);
	bad |= fcp_json_set_bool(object, "track_dirty_pages", result->track_dirty_pages);
	bad |= set_text(object, "backing", result->backing ? result->backing : "");
	bad |= set_text(object, "backing_reason", result->backing_reason);
	bad |= set_text(object, "base", result->base);
	bad |= result->has_balloon ? add_balloon(object, &result->balloon)
				   : fcp_json_set_null(object, "balloon");
	return bad | fcp_json_set_bool(object, "hinting_open", result->hinting_open);
}

int fcp_report_resume(struct fcp_json *object, const struct fcp_resume_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);

	bad |= fcp_json_set_string(object, "vm_state", fcp_vm_state_name(result->vm_state));
	bad |= fcp_json_set_bool(object, "loaded", result->loaded);
	bad |= fcp_json_set_bool(object, "resumed", result->resumed);
	bad |= fcp_json_set_ms(object, "resume_ms", result->resume_ms);
	bad |= fcp_json_set_bool(object, "thawed", result->thawed);
	return bad | (result->envd_ms > 0 ? fcp_json_set_ms(object, "envd_ms", result->envd_ms)
					  : fcp_json_set_null(object, "envd_ms"));
}

struct figure {
	const char *key;
	uint64_t value;
};

/* Numbers, or null where they are not known. */
static int set_figures(struct fcp_json *object, bool known, const struct figure *figures,
		       size_t count)
{
	int bad = 0;

	for (size_t i = 0; i < count; i++)
		bad |= known ? fcp_json_set_u64(object, figures[i].key, figures[i].value)
			     : fcp_json_set_null(object, figures[i].key);
	return bad;
}

static int report_freeze(struct fcp_json *object, const struct fcp_freeze_report *report)
{
	const struct figure figures[] = {
		{"visited", report->visited},	    {"allowlisted", report->allowlisted},
		{"pre_frozen", report->pre_frozen}, {"requested", report->requested},
		{"frozen", report->frozen},	    {"not_frozen", report->not_frozen},
		{"failed", report->failed},	    {"unobservable", report->unobservable},
		{"sweep_ms", report->sweep_ms},	    {"wait_ms", report->wait_ms},
	};
	int bad = fcp_report_outcome(object, &report->outcome);

	bad |= set_text(object, "mode", report->mode);
	bad |= report->reported ? fcp_json_set_bool(object, "truncated", report->truncated)
				: fcp_json_set_null(object, "truncated");
	return bad |
	       set_figures(object, report->reported, figures, sizeof(figures) / sizeof(figures[0]));
}

static int report_collapse(struct fcp_json *object, const struct fcp_collapse_report *report)
{
	const struct figure figures[] = {
		{"regions", report->regions},	  {"chunks", report->chunks},
		{"collapsed", report->collapsed}, {"already_huge", report->already_huge},
		{"skipped", report->skipped},	  {"elapsed_ms", report->elapsed_ms},
	};

	return fcp_report_outcome(object, &report->outcome) |
	       set_figures(object, report->reported, figures, sizeof(figures) / sizeof(figures[0]));
}

static struct fcp_json *add_member(struct fcp_json *object, const char *key, int *bad)
{
	struct fcp_json *member = fcp_json_object();

	*bad |= fcp_json_set(object, key, member);
	return *bad ? NULL : member;
}

static int report_quiesce(struct fcp_json *object, const struct fcp_quiesce_result *result)
{
	int bad = 0;
	struct fcp_json *quiesce = add_member(object, "quiesce", &bad), *fs_freeze;

	bad |= report_freeze(add_member(quiesce, "freeze", &bad), &result->freeze);
	bad |= report_collapse(add_member(quiesce, "collapse", &bad), &result->collapse);
	fs_freeze = add_member(quiesce, "fs_freeze", &bad);
	bad |= fcp_report_outcome(fs_freeze, &result->fs_freeze);
	bad |= fcp_json_set_bool(fs_freeze, "by_exec", result->fs_by_exec);
	bad |= fcp_report_outcome(add_member(quiesce, "fs_thaw", &bad), &result->fs_thaw);
	bad |= fcp_report_outcome(add_member(quiesce, "unfreeze", &bad), &result->unfreeze);
	return bad | fcp_json_set_bool(quiesce, "kept", result->kept);
}

int fcp_report_pause(struct fcp_json *object, const struct fcp_pause_settings *settings,
		     const struct fcp_pause_result *result)
{
	int bad = fcp_report_outcome(object, &result->outcome);
	struct fcp_json *steps = fcp_json_array();

	bad |= fcp_json_set_string(object, "vm_state", fcp_vm_state_name(result->vm_state));
	bad |= fcp_json_set_ms(object, "paused_ms", result->paused_ms);
	bad |= fcp_report_reclaim(add_step(steps, "reclaim", &bad), result->reclaim);
	bad |= fcp_report_balloon_drain(add_step(steps, "balloon-drain", &bad), result->drain);
	bad |= fcp_report_snapshot(add_step(steps, "snapshot", &bad), settings->snapshot,
				   result->snapshot);
	bad |= fcp_report_madvise_ranges(add_step(steps, "madvise-ranges", &bad), result->trim);
	bad |= fcp_json_set(object, "steps", steps);
	return bad | report_quiesce(object, result->quiesce);
}
