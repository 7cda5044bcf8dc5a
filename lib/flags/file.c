// SPDX-License-Identifier: Apache-2.0
#include "flags/file.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1 << 20)

/* The file's text, owned; NULL with *err. */
static char *read_file(const char *path, size_t *bytes_, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FCP_CLEANUP(free) char *text = NULL;
	struct stat file;
	ssize_t length;

	if (fd < 0 || fstat(fd, &file) != 0) {
		fcp_error_set(err, FCP_ERR_INPUT, errno, "flags file %s", path);
		return NULL;
	}
	if (!S_ISREG(file.st_mode) || file.st_size > FILE_MAX_BYTES) {
		fcp_error_set(err, FCP_ERR_INPUT, 0,
			      "flags file %s: not a regular file of 1 MiB or less", path);
		return NULL;
	}
	text = malloc((size_t)file.st_size + 1);
	length = text ? read(fd, text, (size_t)file.st_size) : -1;
	if (length < 0) {
		fcp_error_set(err, FCP_ERR_INPUT, errno, "flags file %s", path);
		return NULL;
	}
	*bytes_ = (size_t)length;
	return fcp_steal_pointer(&text);
}

static void on_flag(const char *name, const struct fcp_json *value, void *arg)
{
	fcp_flag_take(name, value, NULL, arg);
}

int fcp_flags_file_read(const char *path, struct fcp_flag_reader *reader, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *text = NULL;
	FCP_CLEANUP(json) struct fcp_json *json = NULL;
	const struct fcp_json *values;
	size_t bytes, mark;

	if (!path)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no flags file given");
	text = read_file(path, &bytes, err);
	/*
	 * The byte order mark that editors of Windows put before UTF-8 (RFC 8259: may be ignored).
	 */
	mark = text && bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (!text || fcp_json_parse(text + mark, bytes - mark, path, &json, err) != 0) {
		err->error_class = FCP_ERR_INPUT;
		return -1;
	}
	values = fcp_json_get(json, "flagValues");
	if (!fcp_json_is_object(values))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "flags file %s: no \"flagValues\" object in it", path);
	fcp_json_each(values, on_flag, reader);
	return 0;
}
