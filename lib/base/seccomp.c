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

#define RULE_STEPS 6  /* instructions of the longest rule */
#define GROUP_RULES 8 /* and those of its last call: a jump reaches over 255 steps */
#define PROGRAM_STEPS (FCP_SECCOMP_RULES_MAX * (RULE_STEPS + 2) + 8)

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

/* By call; those of one call stay in their order. */
static size_t sort_rules(const struct fcp_seccomp_table *tables, size_t count,
			 const struct fcp_seccomp_rule **sorted_)
{
	size_t rules = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < tables[i].count; j++) {
			const struct fcp_seccomp_rule *rule = &tables[i].rules[j];
			size_t at = rules++;

			if (rules > FCP_SECCOMP_RULES_MAX)
				return rules;
			for (; at > 0 && sorted_[at - 1]->call > rule->call; at--)
				sorted_[at] = sorted_[at - 1];
			sorted_[at] = rule;
		}
	}
	return rules;
}

/*
 * A call passes by the groups before its own in one step each: the kernel runs the filter for every
 * call when it is applied, to know which are always allowed, and that is most of the cost.
 */
static size_t add_group(struct program *program, const struct fcp_seccomp_rule *const *rules,
			size_t count, enum fcp_seccomp_action rest)
{
	struct sock_filter *head = &program->steps[program->count++];
	size_t used = 0;

	while (used < count && (used < GROUP_RULES || rules[used]->call == rules[used - 1]->call))
		add_rule(program, rules[used++]);
	add_return(program, rest);
	if (used < count)
		*head = (struct sock_filter)
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, rules[used]->call,
				 (unsigned char)(&program->steps[program->count] - head - 1), 0);
	else
		*head = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA_CALL);
	return used;
}

int fcp_seccomp_apply(const struct fcp_seccomp_table *tables, size_t count,
		      enum fcp_seccomp_action rest)
{
#ifdef ARCHITECTURE
	const struct fcp_seccomp_rule *sorted[FCP_SECCOMP_RULES_MAX];
	size_t rules = sort_rules(tables, count, sorted);
	struct program program = {.count = 0};
	struct sock_fprog filter;

	if (rules > FCP_SECCOMP_RULES_MAX)
		return E2BIG;
	add_architecture(&program);
	for (size_t at = 0; at < rules;)
		at += add_group(&program, sorted + at, rules - at, rest);
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
