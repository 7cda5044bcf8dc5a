// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine/landlock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From <linux/landlock.h> of Linux 6.12; older headers lack parts of it. */
#define CALL_CREATE_RULESET 444
#define CALL_ADD_RULE 445
#define CALL_RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_OF_ABI_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)	 /* ABI 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)	 /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND_TCP (UINT64_C(1) << 0)	 /* ABI 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0) /* ABI 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

/* Rights that a rule on a non-directory may have. */
#define OF_A_FILE (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t access;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t access;
	uint64_t port;
};

static uint64_t files_of(int abi)
{
	return FS_OF_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
	       (abi >= 5 ? FS_IOCTL_DEV : 0);
}

/* The kernel refuses a size larger than it knows unless the rest is zero. */
int landlock_open(struct landlock *landlock_)
{
	struct ruleset rules = {0};
	long abi = syscall(CALL_CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);
	long fd;

	if (abi < 0)
		return errno;
	rules.fs = files_of((int)abi);
	if (abi >= LANDLOCK_ABI_TCP)
		rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 6)
		rules.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	fd = syscall(CALL_CREATE_RULESET, &rules, sizeof(rules), 0U);
	if (fd < 0)
		return errno;
	*landlock_ = (struct landlock){(int)fd, (int)abi};
	return 0;
}

void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access)
{
	FCP_CLEANUP(fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_rule rule = {FS_READ_DIR, fd};
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return;
	if (access >= LANDLOCK_READ)
		rule.access |= FS_READ_FILE;
	if (access >= LANDLOCK_CHANGE)
		rule.access |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_REMOVE_FILE;
	if (!S_ISDIR(status.st_mode))
		rule.access &= OF_A_FILE;
	rule.access &= files_of(landlock->abi);
	/* Fails for a pipe, which needs no rule because it is opened by its descriptor. */
	syscall(CALL_ADD_RULE, landlock->fd, RULE_PATH_BENEATH, &rule, 0U);
}

void landlock_allow_port(const struct landlock *landlock, uint16_t port)
{
	const struct port_rule rule = {NET_CONNECT_TCP, port};

	if (landlock->abi >= LANDLOCK_ABI_TCP)
		syscall(CALL_ADD_RULE, landlock->fd, RULE_NET_PORT, &rule, 0U);
}

int landlock_enforce(struct landlock *landlock)
{
	int errnum = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(CALL_RESTRICT_SELF, landlock->fd, 0U) != 0)
		errnum = errno;
	close(landlock->fd);
	landlock->fd = -1;
	return errnum;
}
