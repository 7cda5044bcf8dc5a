// SPDX-License-Identifier: Apache-2.0
#include "firecracker/snapshot.h"

#include "base/cleanup.h"

const char *fcp_snapshot_type_name(enum fcp_snapshot_type type)
{
	switch (type) {
	case FCP_SNAPSHOT_FULL:
		return "Full";
	case FCP_SNAPSHOT_DIFF:
		return "Diff";
	case FCP_SNAPSHOT_AUTO:
		break;
	}
	return "auto";
}

const char *fcp_writer_name(enum fcp_writer writer)
{
	switch (writer) {
	case FCP_WRITER_FCPAUSE:
		return "fcpause";
	case FCP_WRITER_FIRECRACKER:
		return "firecracker";
	case FCP_WRITER_AUTO:
		break;
	}
	return "auto";
}

int fcp_snapshot_create(struct fcp_firecracker *firecracker, enum fcp_snapshot_type type,
			const char *snapshot_path, const char *mem_file_path, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *request = fcp_json_object();
	FCP_CLEANUP(free) char *body = NULL;
	int bad = 0;

	bad |= fcp_json_set_string(request, "snapshot_type", fcp_snapshot_type_name(type));
	bad |= fcp_json_set_string(request, "snapshot_path", snapshot_path);
	bad |= fcp_json_set_string(request, "mem_file_path", mem_file_path);
	body = bad ? NULL : fcp_json_text(request);
	if (!body)
		return fcp_error_nomem(err);
	return fcp_firecracker_call(firecracker, "PUT", "/snapshot/create", body, NULL, err);
}

int fcp_snapshot_load(struct fcp_firecracker *firecracker, const struct fcp_snapshot_load *load,
		      struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *request = fcp_json_object();
	struct fcp_json *backend = fcp_json_object();
	FCP_CLEANUP(free) char *body = NULL;
	int bad = 0;

	bad |= fcp_json_set_string(backend, "backend_type", "File");
	bad |= fcp_json_set_string(backend, "backend_path", load->mem_file_path);
	bad |= fcp_json_set_string(request, "snapshot_path", load->snapshot_path);
	bad |= fcp_json_set(request, "mem_backend", backend);
	if (load->track_dirty_pages)
		bad |= fcp_json_set_bool(request, "track_dirty_pages", true);
	bad |= fcp_json_set_bool(request, "resume_vm", true);
	body = bad ? NULL : fcp_json_text(request);
	if (!body)
		return fcp_error_nomem(err);
	return fcp_firecracker_call(firecracker, "PUT", "/snapshot/load", body, NULL, err);
}
