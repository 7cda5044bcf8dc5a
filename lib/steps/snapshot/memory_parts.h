// SPDX-License-Identifier: Apache-2.0
/* Shared by the files that implement steps/snapshot/memory.h. */
#ifndef FCP_STEPS_SNAPSHOT_MEMORY_PARTS_H
#define FCP_STEPS_SNAPSHOT_MEMORY_PARTS_H

#include "guest/free_pages.h"
#include "steps/share/files.h"
#include "steps/snapshot/base.h"
#include "steps/snapshot/buffer.h"
#include "steps/snapshot/memory.h"
#include "steps/snapshot/plan.h"

struct fcp_hold;

struct fcp_snapshot_memory {
	struct fcp_snapshot_memory_settings settings;
	struct fcp_guest_ram ram;
	struct fcp_snapshot_base base;
	struct fcp_share_files share_files; /* until they are in the set */
	struct fcp_share_set *share;	    /* NULL: no sharing */
	uint64_t bytes;			    /* of the memory file */
	char *fifo;
	char *fifo_seen;
	struct fcp_hold *hold;
	struct fcp_guest_free found;
	struct fcp_snapshot_plan plan;
	struct fcp_snapshot_buffer buffer; /* not filled: written directly */
};

/*
 * find.c: free pages, from the guest's own allocator. If a gate refuses, they are written, and the
 * result says why. FCP_ERR_UNSUPPORTED: the place of the guest's memory is not certain.
 */
int fcp_snapshot_find_free(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			   struct fcp_error *err);

/* find.c: the pages to read; only while Firecracker is held. */
int fcp_snapshot_find_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err);

/* write.c: writes the changed pages, or copies them to memory if they fit. */
int fcp_snapshot_copy_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err);

/* write.c: from the process or, once copied, from memory. */
int fcp_snapshot_write_changed(const struct fcp_snapshot_memory *memory,
			       struct fcp_memory_report *report, struct fcp_error *err);

/*
 * write.c: what was not read. Free and dropped pages become holes in a file that began as the base;
 * in a layer, dropped ones become zeros.
 */
int fcp_snapshot_settle_rest(const struct fcp_snapshot_memory *memory,
			     struct fcp_memory_report *report, struct fcp_error *err);

/* write.c: the settings for reading the changed pages and writing them. */
struct fcp_writer_settings fcp_snapshot_writer_settings(const struct fcp_snapshot_memory *memory);

/*
 * verify.c: compares all pages of the file but the free ones with the guest's memory, which must be
 * stopped. FCP_ERR_STATE: some differ. Calls _settle_rest first.
 */
int fcp_snapshot_verify(const struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			struct fcp_error *err);

/* ---- share.c ---- */

/* While the guest runs. Errors as fcp_share_files_open(). */
int fcp_snapshot_share_open(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* Still before the pause: freezes the files and the base. Errors as fcp_share_add(). */
int fcp_snapshot_share_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* At the end: reports what was shared, with a warning for what could not be. */
void fcp_snapshot_share_report(const struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result);

void fcp_snapshot_share_free(struct fcp_snapshot_memory *memory);

/* ---- layer.c ---- */

bool fcp_snapshot_is_layer(const struct fcp_snapshot_memory *memory);

/* Makes the file one hole, and gives the base an id. FCP_ERR_UNSUPPORTED as fcp_overlay_try(). */
int fcp_snapshot_layer_begin(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* Writes dropped pages, as zeros, where the base has other bytes. */
int fcp_snapshot_layer_write_dropped(const struct fcp_snapshot_memory *memory,
				     struct fcp_memory_report *report, struct fcp_error *err);

/* At the end: warns if it is not recorded what the file is a layer of. */
void fcp_snapshot_layer_warn(struct fcp_snapshot_result *result);

#endif
