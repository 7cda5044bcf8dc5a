// SPDX-License-Identifier: Apache-2.0
#include "base/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000U /* the x32 ABI: the same calls under other numbers */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define RULE_STEPS 6 /* instructions of the longest rule */
#define PROGRAM_STEPS (FCP_SECCOMP_RULES_MAX * RULE_STEPS + 8)

#define DATA_CALL offsetof(struct seccomp_data, nr)
#define DATA_ARCHITECTURE offsetof(struct seccomp_data, arch)
/* The lower half: both architectures are little-endian. */
#define DATA_ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

struct program {
	struct sock_filter steps[PROGRAM_STEPS];
	unsigned short count;
};

static void add_load(struct program *program, size_t offset)
{
	program->steps[program->count++] =
		(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void add_return(struct program *program, enum fcp_seccomp_action action)
{
	static const uint32_t values[] = {
		[FCP_SECCOMP_ALLOW] = SECCOMP_RET_ALLOW,
		[FCP_SECCOMP_DENY] = SECCOMP_RET_ERRNO | EPERM,
		[FCP_SECCOMP_UNKNOWN] = SECCOMP_RET_ERRNO | ENOSYS,
	};

	program->steps[program->count++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, values[action]);
}

/* Goes on when it is so, otherwise over as many instructions; or the other way round. */
static void add_jump(struct program *program, unsigned short test, uint32_t value, unsigned over,
		     bool negated)
{
	unsigned char skip = (unsigned char)over;

	program->steps[program->count++] =
		(struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), value,
					     negated ? skip : 0, negated ? 0 : skip);
}

/* The call's number is loaded before and after a rule. */
static void add_rule(struct program *program, const struct fcp_seccomp_rule *rule)
{
	bool masked = rule->test == FCP_SECCOMP_ALL_OF;

	if (rule->test == FCP_SECCOMP_ALWAYS) {
		add_jump(program, BPF_JEQ, rule->call, 1, false);
		add_return(program, rule->action);
		return;
	}
	add_jump(program, BPF_JEQ, rule->call, masked ? 5 : 4, false);
	add_load(program, DATA_ARGUMENT(rule->argument));
	if (masked)
		program->steps[program->count++] =
			(struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->value);
	add_jump(program, rule->test == FCP_SECCOMP_ANY_OF ? BPF_JSET : BPF_JEQ, rule->value, 1,
		 rule->test == FCP_SECCOMP_NOT_EQUAL);
	add_return(program, rule->action);
	add_load(program, DATA_CALL);
}

#ifdef ARCHITECTURE
static void add_architecture(struct program *program)
{
	add_load(program, DATA_ARCHITECTURE);
	add_jump(program, BPF_JEQ, ARCHITECTURE, 1, true);
	program->steps[program->count++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	add_load(program, DATA_CALL);
#ifdef X32_CALLS
	add_jump(program, BPF_JGE, X32_CALLS, 1, false);
	add_return(program, FCP_SECCOMP_UNKNOWN);
#endif
}
#endif

int fcp_seccomp_apply(const struct fcp_seccomp_table *tables, size_t count,
		      enum fcp_seccomp_action rest)
{
#ifdef ARCHITECTURE
	struct program program;
	struct sock_fprog filter;
	size_t rules = 0;

	program.count = 0;
	add_architecture(&program);
	for (size_t i = 0; i < count; i++) {
		rules += tables[i].count;
		if (rules > FCP_SECCOMP_RULES_MAX)
			return E2BIG;
		for (size_t j = 0; j < tables[i].count; j++)
			add_rule(&program, &tables[i].rules[j]);
	}
	add_return(&program, rest);
	filter = (struct sock_fprog){program.count, program.steps};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
		return errno;
	return 0;
#else
	(void)tables;
	(void)count;
	(void)rest;
	return ENOSYS;
#endif
}
