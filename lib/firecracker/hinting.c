// SPDX-License-Identifier: Apache-2.0
#include "firecracker/hinting.h"

#include "base/cleanup.h"

int fcp_hinting_status(struct fcp_firecracker *firecracker, struct fcp_hinting_status *status_,
		       struct fcp_error *err)
{
	static const char path[] = "/balloon/hinting/status";
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	struct fcp_hinting_status status = {.guest_cmd = -1};

	if (fcp_firecracker_call(firecracker, "GET", path, NULL, &reply, err) != 0)
		return -1;
	if (!fcp_json_i64(fcp_json_get(reply, "host_cmd"), &status.host_cmd))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "GET %s: no host_cmd in the answer",
				     path);
	fcp_json_i64(fcp_json_get(reply, "guest_cmd"), &status.guest_cmd);
	*status_ = status;
	return 0;
}

int fcp_hinting_start(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	return fcp_firecracker_call(firecracker, "PATCH", "/balloon/hinting/start",
				    "{\"acknowledge_on_stop\":true}", NULL, err);
}

int fcp_hinting_stop(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	return fcp_firecracker_call(firecracker, "PATCH", "/balloon/hinting/stop", NULL, NULL, err);
}
