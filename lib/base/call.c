// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"

#include "base/error.h"

#include <string.h>

/* What every result begins with. */
struct result_head {
	size_t size;
	struct fcp_outcome outcome;
};

static size_t size_of(const void *versioned)
{
	size_t size;

	memcpy(&size, versioned, sizeof(size));
	return size;
}

static int check_struct_size(const char *what, size_t size, size_t least, struct fcp_error *err)
{
	if (size >= least && size <= FCP_STRUCT_BYTES_MAX)
		return 0;
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "%s: their size is not set: %zu bytes (see FCP_..._INIT in fcpause.h)",
			     what, size);
}

static int unknown_setting(struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "settings: one is set that libfcpause " FCP_VERSION
			     " does not know: the program needs a newer one");
}

static int check_unknown(const char *members, size_t count, struct fcp_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (members[i] != 0)
			return unknown_setting(err);
	return 0;
}

int fcp_reserved_check(uint32_t reserved, struct fcp_error *err)
{
	return reserved == 0 ? 0 : unknown_setting(err);
}

int fcp_settings_take(void *settings, const void *given, struct fcp_error *err)
{
	size_t own_size = size_of(settings), size;

	if (!given)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "settings: NULL");
	size = size_of(given);
	if (check_struct_size("settings", size, sizeof(size), err) != 0 ||
	    (size > own_size &&
	     check_unknown((const char *)given + own_size, size - own_size, err) != 0))
		return -1;
	memcpy((char *)settings + sizeof(size), (const char *)given + sizeof(size),
	       (size < own_size ? size : own_size) - sizeof(size));
	return 0;
}

int fcp_call_begin(void *settings, const void *given, const void *result, struct fcp_error *err)
{
	if (!result)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "result: NULL");
	if (check_struct_size("results", size_of(result), sizeof(struct result_head), err) != 0)
		return -1;
	return fcp_settings_take(settings, given, err);
}

/* Both structs have the size that goes with them, whatever they begin with. */
static void move_members(void *to, size_t to_bytes, void *from, size_t from_bytes)
{
	const size_t begin = sizeof(size_t);
	size_t bytes = to_bytes < from_bytes ? to_bytes : from_bytes;

	memset((char *)to + bytes, 0, to_bytes - bytes);
	memcpy((char *)to + begin, (const char *)from + begin, bytes - begin);
	memset((char *)from + begin, 0, bytes - begin);
}

int fcp_call_end(void *result, void *own, size_t bytes, int ran)
{
	struct result_head head;

	memcpy(&head, own, sizeof(head));
	move_members(result, size_of(result), own, bytes);
	/*
	 * A step that began with zeros has no size: to free the rest, its _clear function needs it.
	 */
	memcpy(own, &bytes, sizeof(bytes));
	return ran < 0 ? -1 : (int)head.outcome.status;
}

int fcp_output_begin(const void *output, struct fcp_error *err)
{
	if (!output)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "result: NULL");
	return check_struct_size("results", size_of(output), sizeof(size_t), err);
}

void fcp_output_end(void *output, void *own, size_t bytes)
{
	move_members(output, size_of(output), own, bytes);
	memcpy(own, &bytes, sizeof(bytes));
}

void fcp_result_take_back(void *own, size_t bytes, void *result)
{
	size_t size = size_of(result);

	if (size >= sizeof(size) && size <= FCP_STRUCT_BYTES_MAX)
		move_members(own, bytes, result, size);
}
