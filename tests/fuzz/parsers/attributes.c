// SPDX-License-Identifier: Apache-2.0
/* What is recorded with a memory file: four values, each up to a newline. */
#include "fuzz.h"
#include "memory/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static struct bytes values[4];

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);

/* As the kernel does: all of the value, or ERANGE. */
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	static const char *const names[] = {"holes", "id", "base", "mtime"};

	(void)fd;
	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(name + strlen("user.fcpause."), names[i]) != 0 || values[i].left == 0)
			continue;
		if (values[i].left > size) {
			errno = ERANGE;
			return -1;
		}
		memcpy(value, values[i].at, values[i].left);
		return (ssize_t)values[i].left;
	}
	errno = ENODATA;
	return -1;
}

static void check_id(const char *id)
{
	size_t length = strnlen(id, FCP_ID_BYTES);

	expect(length == 0 || length == 36, "an id that is no UUID");
	expect(strspn(id, "0123456789abcdef-") == length, "an id of other letters");
}

/* Is no time recorded, or the file's own? */
static bool is_of_now(int fd)
{
	struct stat status;
	char now[64];

	if (fstat(fd, &status) != 0)
		return false;
	snprintf(now, sizeof(now), "%lld.%09ld", (long long)status.st_mtim.tv_sec,
		 status.st_mtim.tv_nsec);
	return values[3].left == 0 ||
	       (values[3].left == strlen(now) && memcmp(values[3].at, now, values[3].left) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	struct fcp_file_attributes attributes, other = {.id = "", .base = ""};
	int fd = memfd_of((struct bytes){0});

	for (unsigned i = 0; i < 4; i++)
		values[i] = take_until(&input, '\n');
	fcp_attributes_read(fd, &attributes);
	check_id(attributes.id);
	check_id(attributes.base);
	expect(attributes.holes == FCP_HOLES_ZERO || attributes.holes == FCP_HOLES_BASE ||
		       attributes.holes == FCP_HOLES_UNSPECIFIED,
	       "holes of no meaning");
	expect(is_of_now(fd) || (attributes.holes == FCP_HOLES_UNSPECIFIED && !attributes.id[0] &&
				 !attributes.base[0]),
	       "attributes of another time");
	expect(fcp_attributes_lineage(&other, &attributes) == FCP_LINEAGE_UNKNOWN,
	       "a lineage without an id");
	return 0;
}
