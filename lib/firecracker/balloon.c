// SPDX-License-Identifier: Apache-2.0
#include "firecracker/balloon.h"

#include "base/cleanup.h"

#include <string.h>

/* Firecracker 1.16 says "No balloon device found" before boot, "Device not found" afterwards. */
static bool says_none(const struct fcp_error *err)
{
	return err->error_class == FCP_ERR_SERVER && (strstr(err->message, "No balloon device") ||
						      strstr(err->message, "Device not found"));
}

int fcp_balloon_get(struct fcp_firecracker *firecracker, bool *present_,
		    struct fcp_balloon *balloon_, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	struct fcp_balloon balloon = {0};

	if (fcp_firecracker_call(firecracker, "GET", "/balloon", NULL, &reply, err) != 0) {
		if (!says_none(err))
			return -1;
		*present_ = false;
		return 0;
	}
	if (!fcp_json_u64(fcp_json_get(reply, "amount_mib"), &balloon.amount_mib) ||
	    !fcp_json_bool(fcp_json_get(reply, "deflate_on_oom"), &balloon.deflate_on_oom))
		return fcp_error_set(
			err, FCP_ERR_PROTOCOL, 0,
			"GET /balloon: no amount_mib and deflate_on_oom in the answer");
	fcp_json_bool(fcp_json_get(reply, "free_page_hinting"), &balloon.free_page_hinting);
	fcp_json_bool(fcp_json_get(reply, "free_page_reporting"), &balloon.free_page_reporting);
	*balloon_ = balloon;
	*present_ = true;
	return 0;
}

int fcp_balloon_put(struct fcp_firecracker *firecracker, const struct fcp_balloon *balloon,
		    struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *request = fcp_json_object();
	FCP_CLEANUP(free) char *body = NULL;
	int bad = 0;

	bad |= fcp_json_set_u64(request, "amount_mib", balloon->amount_mib);
	bad |= fcp_json_set_bool(request, "deflate_on_oom", balloon->deflate_on_oom);
	bad |= fcp_json_set_bool(request, "free_page_hinting", balloon->free_page_hinting);
	bad |= fcp_json_set_bool(request, "free_page_reporting", balloon->free_page_reporting);
	body = bad ? NULL : fcp_json_text(request);
	if (!body)
		return fcp_error_nomem(err);
	return fcp_firecracker_call(firecracker, "PUT", "/balloon", body, NULL, err);
}
