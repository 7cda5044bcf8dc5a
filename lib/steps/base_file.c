// SPDX-License-Identifier: Apache-2.0
#include "steps/base_file.h"

#include "memory/attributes.h"
#include "memory/identity.h"

#include <stdio.h>

static int check_base_file(const struct fcp_base_of *of, const struct fcp_input_file *base,
			   struct fcp_error *err)
{
	struct fcp_file_identity own;

	if (fcp_identity_read(of->file->fd, of->file->name, &own, err) != 0)
		return -1;
	if (own.device == base->identity.device && own.inode == base->identity.inode)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s and its base %.200s are the same file", of->file->name,
				     base->file.name);
	if (base->bytes != of->bytes)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%.200s: the base has %llu bytes, and %.200s %llu: it is not the base",
			base->file.name, (unsigned long long)base->bytes, of->file->name,
			(unsigned long long)of->bytes);
	return fcp_input_file_check_whole(base, err);
}

int fcp_base_file_open(const char *path, const struct fcp_base_of *of, struct fcp_input_file *base_,
		       struct fcp_base_report *report_, struct fcp_error *err)
{
	if (fcp_input_file_open(path, of->file->cancel_fd, base_, err) != 0 ||
	    check_base_file(of, base_, err) != 0)
		return -1;
	*report_ = (struct fcp_base_report){
		.lineage = fcp_attributes_lineage(&base_->attributes, of->attributes)};
	snprintf(report_->path, sizeof(report_->path), "%s", path);
	snprintf(report_->id, sizeof(report_->id), "%s", base_->attributes.id);
	return 0;
}

int fcp_base_file_other(const struct fcp_base_of *of, const struct fcp_base_report *report,
			struct fcp_error *err)
{
	return fcp_error_set(
		err, FCP_ERR_INPUT, 0,
		"%.200s is a layer of memory %s, and %.200s is memory %s: another base",
		of->file->name, of->attributes->base, report->path, report->id);
}
