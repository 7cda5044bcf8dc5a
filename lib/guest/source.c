// SPDX-License-Identifier: Apache-2.0
/* Memory that is read by the caller's callbacks. They are foreign code: what they say is
 * checked. */
#include "base/error.h"
#include "guest/memory_source.h"

#include <errno.h>
#include <sys/stat.h>

int fcp_guest_source_bytes(const struct fcp_memory_source *source, const char *name,
			   uint64_t *bytes_, struct fcp_error *err)
{
	struct stat status;

	if (source->read) {
		*bytes_ = source->bytes;
		return 0;
	}
	if (fstat(source->fd, &status) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", name);
	if (!S_ISREG(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s: not a regular file", name);
	*bytes_ = (uint64_t)status.st_size;
	return 0;
}

int fcp_guest_source_read(const struct fcp_memory_source *source, uint64_t at, void *buffer,
			  size_t bytes, struct fcp_error *err)
{
	int errnum = source->read(at, buffer, bytes, source->arg);

	if (errnum == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_IO, errnum > 0 ? errnum : 0,
			     "guest memory: the callback cannot read %zu bytes at %#llx", bytes,
			     (unsigned long long)at);
}

int fcp_guest_source_data(const struct fcp_memory_source *source, uint64_t offset,
			  struct fcp_range *extent_, struct fcp_error *err)
{
	struct fcp_range data = {offset, source->bytes};
	int errnum = source->next_data ? source->next_data(offset, &data, source->arg) : 0;

	if (errnum != 0)
		return fcp_error_set(err, FCP_ERR_IO, errnum > 0 ? errnum : 0,
				     "guest memory: the callback finds no data from %#llx on",
				     (unsigned long long)offset);
	if (data.start == data.end)
		data = (struct fcp_range){source->bytes, source->bytes};
	if (data.start < offset || data.start > data.end || data.end > source->bytes)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"guest memory: the callback was asked for data from %#llx on, and "
			"names %#llx to %#llx of %#llx bytes",
			(unsigned long long)offset, (unsigned long long)data.start,
			(unsigned long long)data.end, (unsigned long long)source->bytes);
	*extent_ = data;
	return 0;
}
