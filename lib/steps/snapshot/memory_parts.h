// SPDX-License-Identifier: Apache-2.0
/* Between the files that make up steps/snapshot/memory.h. */
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
	struct fcp_share_set *share;	    /* NULL: nothing is to be shared */
	uint64_t bytes;			    /* of the memory file */
	char *fifo;
	char *fifo_seen;
	struct fcp_hold *hold;
	struct fcp_guest_free found;
	struct fcp_snapshot_plan plan;
	struct fcp_snapshot_buffer buffer; /* not filled: written at once */
};

/* snapshot_find.c: free pages, by the guest's own allocator. What a gate refuses is written, and the
 * result says why. FCP_ERR_UNSUPPORTED: where the guest's memory lies is not known for sure. */
int fcp_snapshot_find_free(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			   struct fcp_error *err);

/* snapshot_find.c: which pages have to be read; only once Firecracker is held. */
int fcp_snapshot_find_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err);

/* snapshot_write.c: writes the changed pages, or copies them to memory if they fit. */
int fcp_snapshot_copy_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err);

/* snapshot_write.c: from the process, or once they are copied from memory. */
int fcp_snapshot_write_changed(const struct fcp_snapshot_memory *memory,
			       struct fcp_memory_report *report, struct fcp_error *err);

/* snapshot_write.c: what was not read: free and dropped pages become holes where the file began as the
 * base; in a layer, dropped ones become zeros. */
int fcp_snapshot_settle_rest(const struct fcp_snapshot_memory *memory,
			     struct fcp_memory_report *report, struct fcp_error *err);

/* snapshot_write.c: what reads the changed pages, and where they go. */
struct fcp_writer_settings fcp_snapshot_writer_settings(const struct fcp_snapshot_memory *memory);

/* snapshot_verify.c: all pages of the file but free ones, against the memory that stands still.
 * FCP_ERR_STATE: some differ. Settles the rest first. */
int fcp_snapshot_verify(const struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			struct fcp_error *err);

/* ---- snapshot_share.c ---- */

/* While the guest runs. Errors as of fcp_share_files_open(). */
int fcp_snapshot_share_open(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* Still before the pause: freezes the files and the base. Errors as of fcp_share_add(). */
int fcp_snapshot_share_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* At the end: what was shared, and a warning where something could not be. */
void fcp_snapshot_share_report(const struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result);

void fcp_snapshot_share_free(struct fcp_snapshot_memory *memory);

/* ---- snapshot_layer.c ---- */

bool fcp_snapshot_is_layer(const struct fcp_snapshot_memory *memory);

/* The file as one hole, and the base with an id. FCP_ERR_UNSUPPORTED as of fcp_overlay_try(). */
int fcp_snapshot_layer_begin(struct fcp_snapshot_memory *memory, struct fcp_error *err);

/* Dropped pages, as zeros where the base has other bytes. */
int fcp_snapshot_layer_write_dropped(const struct fcp_snapshot_memory *memory,
				     struct fcp_memory_report *report, struct fcp_error *err);

/* At the end: when what it is a layer of is not recorded. */
void fcp_snapshot_layer_warn(struct fcp_snapshot_result *result);

#endif
