// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/inspect_text.h"

#include "base/shell.h"
#include "cmd/map/map.h"
#include "cmd/output/shown.h"
#include "cmd/output/size_text.h"

#include <inttypes.h>
#include <string.h>

#define PASTABLE_BYTES 512

/* ---- the answer ---- */

/* The path in a form that can be pasted into a shell, or "FILE". */
static const char *pastable(const char *path, char word[PASTABLE_BYTES])
{
	return path[0] != '-' && fcp_shell_quote(path, word, PASTABLE_BYTES) == 0 ? word : "FILE";
}

/* Holes where the guest may use memory can mean that the file is a layer. Unless that is recorded,
 * madvise-ranges requires --holes. */
static bool may_be_layer(const struct fcp_inspect_result *result)
{
	const struct fcp_class_bytes *free_pages = &result->classes[FCP_PAGE_FREE]->all;
	uint64_t hole_bytes = result->logical_bytes - result->data_bytes;

	return result->attributes.holes == FCP_HOLES_UNSPECIFIED &&
	       hole_bytes > free_pages->bytes - free_pages->allocated_bytes;
}

static const char *const advice[FCP_PAGE_CLASSES] = {
	[FCP_PAGE_CACHE] =
		"`fcpause reclaim` before the pause makes it free, but for what is mapped.",
	[FCP_PAGE_SHMEM] = "files and shared memory of the guest; only it can remove them.",
	[FCP_PAGE_ANONYMOUS] = "the guest's programs use it; only they can give it back.",
	[FCP_PAGE_SLAB] = "`fcpause reclaim` before the pause makes part of it free (drop_caches).",
	[FCP_PAGE_TABLES] = "the guest's kernel needs it for the programs that run.",
	[FCP_PAGE_KERNEL_IMAGE] = "the guest's kernel needs it.",
	[FCP_PAGE_RESERVED] = "the guest's kernel needs it; a guest with less memory needs less.",
	[FCP_PAGE_UNKNOWN] = "the guest's kernel uses it.",
};

static void advise(const struct fcp_inspect_result *result, const char *path, char *text,
		   size_t bytes)
{
	bool layer = may_be_layer(result);
	char word[PASTABLE_BYTES];

	if (result->largest == FCP_PAGE_FREE)
		snprintf(text, bytes,
			 "`fcpause madvise-ranges --mem-file-path %s --find free` releases it.",
			 pastable(path, word));
	else if (result->largest == FCP_PAGE_ZERO && result->attributes.holes == FCP_HOLES_BASE)
		snprintf(text, bytes, "a Diff layer needs them where its base has other bytes.");
	else if (result->largest == FCP_PAGE_ZERO)
		snprintf(text, bytes,
			 "`fcpause madvise-ranges --mem-file-path %s --find zero%s` releases it%s.",
			 pastable(path, word), layer ? " --holes zero" : "",
			 layer ? ", unless the file is a Diff layer" : "");
	else if (result->outcome.status != FCP_STATUS_OK)
		snprintf(text, bytes,
			 "the guest cannot be read, so nobody can tell what it is for.");
	else
		snprintf(text, bytes, "%s", advice[result->largest]);
}

const char *inspect_answer(const struct fcp_inspect_result *result, const char *path,
			   char text[INSPECT_ANSWER_BYTES])
{
	uint64_t most = result->classes[result->largest]->all.allocated_bytes;
	char release[INSPECT_ANSWER_BYTES - 128], size[SIZE_TEXT_BYTES];

	if (result->data_bytes == 0) {
		snprintf(text, INSPECT_ANSWER_BYTES, "Nothing of it is on disk: it is one hole.");
		return text;
	}
	advise(result, path, release, sizeof(release));
	snprintf(text, INSPECT_ANSWER_BYTES, "Largest on disk: %s, %s (%.0f %%): %s",
		 map_looks[result->largest].name, size_text((int64_t)most, size),
		 share_of(most, result->data_bytes), release);
	return text;
}

const char *inspect_releasable(const struct fcp_inspect_result *result, const char *path,
			       char text[INSPECT_ANSWER_BYTES])
{
	uint64_t free_bytes = result->classes[FCP_PAGE_FREE]->all.allocated_bytes;
	uint64_t zero_bytes = result->classes[FCP_PAGE_ZERO]->all.allocated_bytes;
	uint64_t bytes = free_bytes + zero_bytes;
	const char *what = "pages of zeros";
	bool layer = may_be_layer(result);
	char size[SIZE_TEXT_BYTES], word[PASTABLE_BYTES];

	text[0] = '\0';
	if (result->attributes.holes == FCP_HOLES_BASE)
		bytes = free_bytes, zero_bytes = 0;
	if (bytes == 0 || bytes == result->classes[result->largest]->all.allocated_bytes)
		return text;
	if (free_bytes > 0)
		what = zero_bytes > 0 ? "free pages and pages of zeros" : "free pages";
	snprintf(text, INSPECT_ANSWER_BYTES,
		 "Can be released now: %s (%.0f %%), %s: "
		 "`fcpause madvise-ranges --mem-file-path %s%s`%s.",
		 size_text((int64_t)bytes, size), share_of(bytes, result->data_bytes), what,
		 pastable(path, word), layer ? " --holes zero" : "",
		 layer ? ", unless the file is a Diff layer" : "");
	return text;
}

/* ---- lines ---- */

/* "  memory 3f…; its holes are the base's bytes, of memory 8a…" */
static void put_lineage(FILE *out, const struct fcp_inspect_result *result)
{
	static const char *const holes[] = {
		[FCP_HOLES_UNSPECIFIED] = "what its holes mean is not recorded",
		[FCP_HOLES_ZERO] = "its holes are zeros",
		[FCP_HOLES_BASE] = "its holes are the base's bytes",
	};
	static const char *const fits[] = {
		[FCP_LINEAGE_UNKNOWN] = "whether it is this layer's is not recorded",
		[FCP_LINEAGE_FITS] = "this layer's",
		[FCP_LINEAGE_OTHER] = "another than this layer's",
	};
	const struct fcp_file_attributes *recorded = &result->attributes;
	const struct fcp_base_report *base = &result->base;

	fprintf(out, "  memory %s; %s", recorded->id[0] ? recorded->id : "without a recorded id",
		holes[recorded->holes]);
	if (recorded->holes == FCP_HOLES_BASE)
		fprintf(out, ", of memory %s",
			recorded->base[0] ? recorded->base : "that is not recorded");
	fputc('\n', out);
	if (!base->path[0])
		return;
	fputs("  base ", out);
	put_shown(out, base->path);
	fprintf(out, ": memory %s", base->id[0] ? base->id : "without a recorded id");
	if (recorded->holes == FCP_HOLES_BASE)
		fprintf(out, ", %s", fits[base->lineage]);
	fputs(result->compared ? "\n" : ": not compared\n", out);
}

static void put_file(FILE *out, const struct fcp_inspect_result *result, const char *path)
{
	char size[SIZE_TEXT_BYTES], data[SIZE_TEXT_BYTES];

	put_shown(out, path);
	fprintf(out, ": %s (%" PRIu64 " bytes), on disk %s (%" PRIu64 " bytes); ",
		size_text((int64_t)result->logical_bytes, size), result->logical_bytes,
		size_text((int64_t)result->allocated_bytes, data), result->allocated_bytes);
	if (result->release[0])
		fprintf(out, "guest: Linux %s\n", result->release);
	else
		fprintf(out, "%s\n", result->outcome.reason);
	put_lineage(out, result);
}

/* Of a guest that cannot be read only zeros are told apart: no rows of nothing for the rest. */
static bool has_row(const struct fcp_inspect_result *result, size_t page_class)
{
	return result->release[0] || result->classes[page_class]->all.bytes > 0;
}

/* "   136.5 MiB    143130624  26.7 %" */
static void put_amount(FILE *out, uint64_t bytes, uint64_t all)
{
	char text[SIZE_TEXT_BYTES];

	fprintf(out, " %11s %12" PRIu64 " %5.1f %%", size_text((int64_t)bytes, text), bytes,
		share_of(bytes, all));
}

static void put_row(FILE *out, const char *name, const struct fcp_class_bytes *amount,
		    const struct fcp_class_bytes *all)
{
	fprintf(out, "%-12s", name);
	put_amount(out, amount->bytes, all->bytes);
	put_amount(out, amount->allocated_bytes, all->allocated_bytes);
	fputc('\n', out);
}

static void put_stored(FILE *out, const char *name, uint64_t bytes, uint64_t all)
{
	fprintf(out, "%-12s", name);
	put_amount(out, bytes, all);
	fputc('\n', out);
}

/* How much of the rows above is in other files too, and how much would then have to be stored. */
static void put_same(FILE *out, const struct fcp_inspect_result *result,
		     const struct fcp_class_bytes *all)
{
	if (result->compared)
		put_row(out, map_looks[MAP_IN_BASE].name, &result->in_base, all);
	if (result->share_count > 0)
		put_row(out, map_looks[MAP_IN_SHARES].name, &result->in_shares, all);
	if (result->compared)
		put_stored(out, "layer stores", result->layer_bytes, all->bytes);
	if (result->share_count > 0)
		put_stored(out, "share stores", result->share_bytes, all->bytes);
}

static void put_table(FILE *out, const struct fcp_inspect_result *result)
{
	const struct fcp_class_bytes all = {result->logical_bytes, result->data_bytes};

	fprintf(out, "%-12s %32s %32s\n", "", "in memory", "on disk");
	for (size_t i = 0; i < FCP_PAGE_CLASSES; i++)
		if (has_row(result, i))
			put_row(out, map_looks[i].name, &result->classes[i]->all, &all);
	put_row(out, "all", &all, &all);
	put_same(out, result, &all);
}

/* ---- two files ---- */

/* "    136.5 MiB   143130624" */
static void put_size(FILE *out, int64_t bytes)
{
	char text[SIZE_TEXT_BYTES];

	fprintf(out, " %10s %11" PRId64, size_text(bytes, text), bytes);
}

static void put_change(FILE *out, int64_t bytes)
{
	char text[SIZE_TEXT_BYTES], signed_text[SIZE_TEXT_BYTES + 1];

	snprintf(signed_text, sizeof(signed_text), "%s%s", bytes > 0 ? "+" : "",
		 size_text(bytes, text));
	fprintf(out, bytes ? " %10s %+11" PRId64 : " %10s %11" PRId64, signed_text, bytes);
}

static void put_difference(FILE *out, const char *name, uint64_t before, uint64_t after)
{
	fprintf(out, "%-12s", name);
	put_size(out, (int64_t)before);
	put_size(out, (int64_t)after);
	put_change(out, (int64_t)(after - before));
	fputc('\n', out);
}

static void put_heading(FILE *out, const char *name)
{
	fprintf(out, "%-12s %22s %22s %22s\n", name, "before", "after", "difference");
}

static uint64_t amount_of(const struct fcp_class_bytes *amount, bool on_disk)
{
	return on_disk ? amount->allocated_bytes : amount->bytes;
}

static bool both_have_base(const struct fcp_inspect_result *before,
			   const struct fcp_inspect_result *after)
{
	return before->compared && after->compared;
}

static bool both_have_shares(const struct fcp_inspect_result *before,
			     const struct fcp_inspect_result *after)
{
	return before->share_count > 0 && after->share_count > 0;
}

/* The rows of one table: the sizes on disk, or in memory, of the classes that there are. */
static void put_differences(FILE *out, const struct fcp_inspect_result *before,
			    const struct fcp_inspect_result *after, bool on_disk)
{
	put_heading(out, on_disk ? "on disk" : "in memory");
	for (size_t i = 0; i < FCP_PAGE_CLASSES; i++)
		if (before->classes[i]->all.bytes > 0 || after->classes[i]->all.bytes > 0)
			put_difference(out, map_looks[i].name,
				       amount_of(&before->classes[i]->all, on_disk),
				       amount_of(&after->classes[i]->all, on_disk));
	put_difference(out, "all", on_disk ? before->data_bytes : before->logical_bytes,
		       on_disk ? after->data_bytes : after->logical_bytes);
	if (both_have_base(before, after))
		put_difference(out, map_looks[MAP_IN_BASE].name,
			       amount_of(&before->in_base, on_disk),
			       amount_of(&after->in_base, on_disk));
	if (both_have_shares(before, after))
		put_difference(out, map_looks[MAP_IN_SHARES].name,
			       amount_of(&before->in_shares, on_disk),
			       amount_of(&after->in_shares, on_disk));
}

static void put_both(FILE *out, const struct fcp_inspect_result *before,
		     const struct fcp_inspect_result *after)
{
	put_differences(out, before, after, true);
	fputc('\n', out);
	put_differences(out, before, after, false);
	if (both_have_base(before, after))
		put_difference(out, "layer stores", before->layer_bytes, after->layer_bytes);
	if (both_have_shares(before, after))
		put_difference(out, "share stores", before->share_bytes, after->share_bytes);
}

void inspect_text(FILE *out, const struct map_files *files, const struct terminal *terminal)
{
	size_t last = files->count - 1;
	char answer[INSPECT_ANSWER_BYTES];

	for (size_t i = 0; i < files->count; i++)
		put_file(out, files->results[i], files->paths[i]);
	fputc('\n', out);
	if (files->count == 1)
		put_table(out, files->results[0]);
	else
		put_both(out, files->results[0], files->results[1]);
	fputc('\n', out);
	map_text(out, files, terminal);
	fputc('\n', out);
	if (inspect_releasable(files->results[last], files->paths[last], answer)[0])
		fprintf(out, "%s\n", answer);
	fprintf(out, "%s\n", inspect_answer(files->results[last], files->paths[last], answer));
}
