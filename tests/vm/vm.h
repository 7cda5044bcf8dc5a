// SPDX-License-Identifier: Apache-2.0
/*
 * A guest under QEMU (TCG) whose memory is a file that we share: tests/vm/guest.c is its /init, we
 * talk to it over its second serial port, and to QEMU over QMP. Both are socket pairs that QEMU
 * inherits, so that there is nothing to wait for but their bytes. Every wait has a deadline.
 */
#ifndef TESTS_VM_VM_H
#define TESTS_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vm_settings {
	const char *kernel, *initrd;
	const char *directory; /* for the memory file and the console's log */
	const char *memory;    /* "512M" */
	const char *dimm;      /* "256M": plugged in beside it, as a file of its own; or NULL */
	const char *dimm_at;   /* its address in the guest; NULL: QEMU's choice */
	bool arm64;	       /* else x86_64 */
	bool mte;	       /* of arm64: with memory tagging */
	const char *cpu;       /* "qemu64", "max"; NULL: a common one */
	const char *smp;
	const char *append; /* to the command line; "" */
};

struct vm {
	pid_t pid;
	int qmp, port;
	int memory_fd, dimm_fd; /* -1: no such */
	char memory_path[512], dimm_path[520], packed_path[520], console_path[512];
};

/* Starts QEMU and waits until the guest answers. false (and a line on stderr) when it does not. */
bool vm_start(struct vm *vm, const struct vm_settings *settings);

/* Ends QEMU and removes the files. */
void vm_end(struct vm *vm);

/*
 * Gives the guest a command. answer (of size bytes, or NULL) takes all lines of the answer but the
 * last. false when the guest says ERR, or nothing within timeout_ms; both go to stderr.
 */
bool vm_command(struct vm *vm, const char *command, char *answer, size_t size, unsigned timeout_ms);

/*
 * The memory file as Firecracker writes it: boot memory, then what can be plugged in. Of a guest
 * with a DIMM a copy of both, made anew each time. NULL when it cannot be made.
 */
const char *vm_memory_file(struct vm *vm);

/* QMP `stop` and `cont`. */
bool vm_stop(struct vm *vm);
bool vm_cont(struct vm *vm);

#endif
