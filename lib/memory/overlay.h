// SPDX-License-Identifier: Apache-2.0
/* A layer over its base: the layer's data, and the base's bytes in its holes. */
#ifndef FCP_MEMORY_OVERLAY_H
#define FCP_MEMORY_OVERLAY_H

#include "base/error.h"
#include "base/meter.h"

struct fcp_overlay {
	int base_fd;
	int layer_fd;	  /* of the same size; its offset moves */
	const char *name; /* of the layer, for messages */
};

/* Reads start .. end of the memory that the two make up. Any thread. FCP_ERR_IO. */
int fcp_overlay_read(const struct fcp_overlay *overlay, struct fcp_range range,
		     unsigned char *buffer_, struct fcp_error *err);

struct fcp_overlay_apply {
	int layer_fd;
	const char *layer;	       /* for messages, as out */
	const struct fcp_ranges *data; /* the parts of the layer that are not holes, sorted */
	int out_fd;		       /* the file below, of the same size; open for writing */
	const char *out;
	struct fcp_meter *meter; /* counts the layer's data; or NULL */
	int cancel_fd;
};

/*
 * Can out share the layer's storage? Tried with the first page of the data, which is then in out:
 * call it before fcp_overlay_apply().
 */
bool fcp_overlay_can_share(const struct fcp_overlay_apply *apply);

struct fcp_overlay_applied {
	uint64_t data_bytes;   /* of the layer */
	uint64_t cloned_bytes; /* of them, those whose storage both files share */
	uint64_t copied_bytes;
	uint64_t zero_bytes; /* whole pages of zeros, punched out */
};

/*
 * Applies the layer's data to out: by FICLONERANGE if the file system can, else by copying. Takes 1
 * MiB of memory. FCP_ERR_IO with ENOSPC, FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY; after a failure it is
 * applied in part.
 */
int fcp_overlay_apply(const struct fcp_overlay_apply *apply, struct fcp_overlay_applied *applied_,
		      struct fcp_error *err);

/*
 * Can the empty file fd hold a layer of this size? The file system must tell holes from data by
 * pages, and keep a page of zeros as data. Afterwards the file is one hole of full size.
 * FCP_ERR_UNSUPPORTED, FCP_ERR_IO.
 */
int fcp_overlay_try(int fd, const char *name, uint64_t bytes, struct fcp_error *err);

#endif
