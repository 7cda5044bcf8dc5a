// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine/parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Dropping a permitted capability drops the ambient one too. No program is executed, so the
 * bounding set does not matter. */
int confine_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) != 0)
		return errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t mask = (uint32_t)(kept >> (32 * i));

		sets[i].permitted &= mask;
		sets[i].effective &= mask;
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, sets) == 0 ? 0 : errno;
}
