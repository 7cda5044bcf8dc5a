// SPDX-License-Identifier: Apache-2.0
/* What a flush appends to the metrics file. The server's wrapped call appends it. */
#include "firecracker/metrics.h"
#include "fuzz.h"

#include <stdlib.h>
#include <unistd.h>

static struct bytes appended;

int __wrap_fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method,
				const char *path, const char *body, struct fcp_json **reply_,
				struct fcp_error *err);

int __wrap_fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method,
				const char *path, const char *body, struct fcp_json **reply_,
				struct fcp_error *err)
{
	(void)firecracker, (void)method, (void)path, (void)body, (void)reply_, (void)err;
	memfd_of(appended);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fcp_firecracker firecracker = {.cancel_fd = -1};
	struct fcp_metrics metrics = {0};
	struct fcp_error err = {0};

	appended = (struct bytes){data, size};
	memfd_of((struct bytes){0});
	if (fcp_metrics_flush(&firecracker, memfd_path(), &metrics, &err) != 0)
		expect_error(&err);
	else
		expect(size > 0, "metrics of nothing");
	return 0;
}
