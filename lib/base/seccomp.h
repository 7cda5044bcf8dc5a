// SPDX-License-Identifier: Apache-2.0
/*
 * Seccomp filters made from tables of rules. A filter holds for the calling thread and the
 * threads and processes that it starts afterwards; it cannot be taken back, and later ones only
 * add to it. See seccomp(2) and Documentation/userspace-api/seccomp_filter.rst.
 */
#ifndef FCP_BASE_SECCOMP_H
#define FCP_BASE_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

enum fcp_seccomp_test {
	FCP_SECCOMP_ALWAYS,
	FCP_SECCOMP_EQUAL,     /* the argument is the value */
	FCP_SECCOMP_NOT_EQUAL, /* the argument is another one */
	FCP_SECCOMP_ANY_OF,    /* the argument has at least one bit of the value */
	FCP_SECCOMP_ALL_OF,    /* the argument has all bits of the value */
};

enum fcp_seccomp_action {
	FCP_SECCOMP_ALLOW,
	FCP_SECCOMP_DENY,    /* EPERM */
	FCP_SECCOMP_UNKNOWN, /* ENOSYS, as on a kernel without the call: callers try an older one */
};

/* Arguments are compared by their lower 32 bits: flags, types and ids of processes, no pointers. */
struct fcp_seccomp_rule {
	uint32_t call; /* SYS_... */
	enum fcp_seccomp_action action;
	enum fcp_seccomp_test test;
	unsigned argument; /* from 0 */
	uint32_t value;
};

struct fcp_seccomp_table {
	const struct fcp_seccomp_rule *rules;
	size_t count;
};

/* Rules, by the call's name without SYS_: always, or if an argument passes a test. */
#define FCP_SECCOMP_RULE(name, action, test, argument, value)                         \
	{                                                                             \
		SYS_##name, FCP_SECCOMP_##action, FCP_SECCOMP_##test, argument, value \
	}
#define FCP_ALLOW(name) FCP_SECCOMP_RULE(name, ALLOW, ALWAYS, 0, 0)
#define FCP_DENY(name) FCP_SECCOMP_RULE(name, DENY, ALWAYS, 0, 0)
#define FCP_ALLOW_IF(name, test, argument, value) \
	FCP_SECCOMP_RULE(name, ALLOW, test, argument, value)
#define FCP_DENY_IF(name, test, argument, value) FCP_SECCOMP_RULE(name, DENY, test, argument, value)
/* Calls whose flags are behind a pointer, which a filter cannot read: the C library goes on with an
 * older one. */
#define FCP_UNKNOWN(name) FCP_SECCOMP_RULE(name, UNKNOWN, ALWAYS, 0, 0)

#define FCP_SECCOMP_TABLE(rules)                          \
	{                                                 \
		rules, sizeof(rules) / sizeof((rules)[0]) \
	}

/* Room for that many rules, of all tables together. */
#define FCP_SECCOMP_RULES_MAX 200

/*
 * The tables are taken one after the other: the first rule of a call that matches decides,
 * otherwise the action of rest. Calls of another architecture end the process. Sets no_new_privs,
 * without which the kernel takes filters of privileged programs only. 0, or an errno: ENOSYS or
 * EINVAL where the kernel has no seccomp, E2BIG when there are too many rules.
 */
int fcp_seccomp_apply(const struct fcp_seccomp_table *tables, size_t count,
		      enum fcp_seccomp_action rest);

#endif
