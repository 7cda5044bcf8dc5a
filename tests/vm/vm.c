// SPDX-License-Identifier: Apache-2.0
#include "vm.h"

#include "base/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOT_MS 120000
#define QMP_MS 30000

/* A line, without its end, within the deadline. */
static bool read_line(int fd, char *line, size_t size, fcp_deadline deadline)
{
	size_t length = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = fcp_deadline_left_ms(deadline);
		char byte;

		if (left == 0 || (poll(&ready, 1, (int)left) < 0 && errno != EINTR))
			return false;
		if (!ready.revents)
			continue;
		if (read(fd, &byte, 1) != 1)
			return false;
		if (byte == '\n')
			break;
		if (byte != '\r' && length + 1 < size)
			line[length++] = byte;
	}
	line[length] = '\0';
	return true;
}

static bool write_line(int fd, const char *text)
{
	size_t length = strlen(text);

	return write(fd, text, length) == (ssize_t)length && write(fd, "\n", 1) == 1;
}

/* The lines of an answer, up to OK or ERR. */
static bool read_answer(struct vm *vm, const char *command, char *answer, size_t size,
			fcp_deadline deadline)
{
	size_t length = 0;
	char line[1024];

	if (size > 0)
		answer[0] = '\0';
	while (read_line(vm->port, line, sizeof(line), deadline)) {
		if (strncmp(line, "OK", 2) == 0)
			return true;
		if (strncmp(line, "ERR", 3) == 0) {
			fprintf(stderr, "# guest: %s: %s\n", command, line);
			return false;
		}
		if (size > 0 && length + strlen(line) + 2 < size)
			length += (size_t)sprintf(answer + length, "%s\n", line);
		else if (size == 0)
			fprintf(stderr, "# guest: %s\n", line);
	}
	fprintf(stderr, "# guest: %s: no answer\n", command);
	return false;
}

bool vm_command(struct vm *vm, const char *command, char *answer, size_t size, unsigned timeout_ms)
{
	return write_line(vm->port, command) &&
	       read_answer(vm, command, answer, size, fcp_deadline_in_ms(timeout_ms));
}

static bool qmp(struct vm *vm, const char *command)
{
	fcp_deadline deadline = fcp_deadline_in_ms(QMP_MS);
	char line[4096];

	snprintf(line, sizeof(line), "{\"execute\":\"%s\"}", command);
	if (!write_line(vm->qmp, line))
		return false;
	while (read_line(vm->qmp, line, sizeof(line), deadline)) {
		if (strncmp(line, "{\"return\"", 9) == 0)
			return true;
		if (strncmp(line, "{\"error\"", 8) == 0)
			break;
	}
	fprintf(stderr, "# qmp: %s failed\n", command);
	return false;
}

bool vm_stop(struct vm *vm)
{
	return qmp(vm, "stop");
}

bool vm_cont(struct vm *vm)
{
	return qmp(vm, "cont");
}

/* What is the same for both machines. */
struct command {
	char backend[768], console[640], qmp[64], port[64];
	const char *words[64];
	unsigned count;
};

static void add_words(struct command *command, const char *const *words)
{
	while (*words)
		command->words[command->count++] = *words++;
}

static void fill_command(struct command *command, const struct vm *vm,
			 const struct vm_settings *settings, int qmp_fd, int port_fd)
{
	snprintf(command->backend, sizeof(command->backend),
		 "memory-backend-file,id=ram,share=on,size=%s,mem-path=%s", settings->memory,
		 vm->memory_path);
	snprintf(command->console, sizeof(command->console), "file,id=console,path=%s",
		 vm->console_path);
	snprintf(command->qmp, sizeof(command->qmp), "socket,id=qmp,fd=%d", qmp_fd);
	snprintf(command->port, sizeof(command->port), "socket,id=port,fd=%d", port_fd);
	add_words(command,
		  (const char *[]){settings->arm64 ? "qemu-system-aarch64" : "qemu-system-x86_64",
				   "-accel",
				   "tcg",
				   "-object",
				   command->backend,
				   "-smp",
				   settings->smp,
				   "-nodefaults",
				   "-display",
				   "none",
				   "-no-reboot",
				   "-chardev",
				   command->console,
				   "-serial",
				   "chardev:console",
				   "-chardev",
				   command->port,
				   "-chardev",
				   command->qmp,
				   "-mon",
				   "chardev=qmp,mode=control",
				   "-kernel",
				   settings->kernel,
				   "-initrd",
				   settings->initrd,
				   NULL});
}

static void exec_x86_64(const struct vm *vm, const struct vm_settings *settings,
			struct command *command)
{
	char append[512], memory[128], dimm[768], device[128];

	snprintf(append, sizeof(append), "console=ttyS0 panic=-1 quiet %s", settings->append);
	snprintf(memory, sizeof(memory), "%s%s", settings->memory,
		 settings->dimm ? ",slots=2,maxmem=600G" : "");
	/* Without one: something that changes nothing in the guest. */
	snprintf(dimm, sizeof(dimm), "memory-backend-ram,id=none,size=4K");
	snprintf(device, sizeof(device), "isa-debug-exit");
	if (settings->dimm) {
		snprintf(dimm, sizeof(dimm),
			 "memory-backend-file,id=dimm,share=on,size=%s,mem-path=%s", settings->dimm,
			 vm->dimm_path);
		snprintf(device, sizeof(device), "pc-dimm,memdev=dimm%s%s",
			 settings->dimm_at ? ",addr=" : "",
			 settings->dimm_at ? settings->dimm_at : "");
	}
	/* The file is laid out like Firecracker's: RAM goes on at 4 GiB from the file's 3 GiB
	 * on. */
	add_words(command, (const char *[]){"-machine", "pc,max-ram-below-4g=3G,memory-backend=ram",
					    "-object", dimm, "-device", device, "-m", memory,
					    "-cpu", settings->cpu ? settings->cpu : "qemu64",
					    "-serial", "chardev:port", "-append", append, NULL});
	execvp(command->words[0], (char *const *)(uintptr_t)command->words);
}

/* RAM begins at 1 GiB; the board has one serial port, the other is a PCI device. */
static void exec_arm64(const struct vm_settings *settings, struct command *command)
{
	char append[512];

	snprintf(append, sizeof(append),
		 "console=ttyAMA0 FCPAUSE_PORT=/dev/ttyS0 panic=-1 quiet %s", settings->append);
	add_words(command,
		  (const char *[]){"-machine",
				   settings->mte
					   ? "virt,gic-version=3,its=off,memory-backend=ram,mte=on"
					   : "virt,gic-version=3,its=off,memory-backend=ram",
				   "-m", settings->memory, "-cpu",
				   settings->cpu ? settings->cpu : "cortex-a72", "-device",
				   "pci-serial,chardev=port", "-append", append, NULL});
	execvp(command->words[0], (char *const *)(uintptr_t)command->words);
}

static void exec_qemu(const struct vm *vm, const struct vm_settings *settings, int qmp_fd,
		      int port_fd)
{
	struct command command = {.count = 0};

	fill_command(&command, vm, settings, qmp_fd, port_fd);
	if (settings->arm64)
		exec_arm64(settings, &command);
	else
		exec_x86_64(vm, settings, &command);
	_exit(127);
}

static bool spawn(struct vm *vm, const struct vm_settings *settings)
{
	int qmp_pair[2], port_pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, qmp_pair) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, port_pair) < 0)
		return false;
	vm->qmp = qmp_pair[0];
	vm->port = port_pair[0];
	fcntl(vm->qmp, F_SETFD, FD_CLOEXEC);
	fcntl(vm->port, F_SETFD, FD_CLOEXEC);
	vm->pid = fork();
	if (vm->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exec_qemu(vm, settings, qmp_pair[1], port_pair[1]);
	}
	close(qmp_pair[1]);
	close(port_pair[1]);
	return vm->pid > 0;
}

bool vm_start(struct vm *vm, const struct vm_settings *settings)
{
	char line[4096];

	*vm = (struct vm){.pid = -1, .qmp = -1, .port = -1, .memory_fd = -1, .dimm_fd = -1};
	snprintf(vm->memory_path, sizeof(vm->memory_path), "%s/memory.%d", settings->directory,
		 getpid());
	snprintf(vm->console_path, sizeof(vm->console_path), "%s/console.%d", settings->directory,
		 getpid());
	snprintf(vm->dimm_path, sizeof(vm->dimm_path), "%s.dimm", vm->memory_path);
	snprintf(vm->packed_path, sizeof(vm->packed_path), "%s.packed", vm->memory_path);
	if (!spawn(vm, settings))
		return false;
	if (!read_line(vm->qmp, line, sizeof(line), fcp_deadline_in_ms(QMP_MS)) ||
	    !qmp(vm, "qmp_capabilities")) {
		fprintf(stderr, "# QEMU did not come up\n");
		return false;
	}
	vm->memory_fd = open(vm->memory_path, O_RDWR | O_CLOEXEC);
	if (settings->dimm)
		vm->dimm_fd = open(vm->dimm_path, O_RDWR | O_CLOEXEC);
	return vm->memory_fd >= 0 && read_answer(vm, "boot", NULL, 0, fcp_deadline_in_ms(BOOT_MS));
}

const char *vm_memory_file(struct vm *vm)
{
	char command[2200];

	if (vm->dimm_fd < 0)
		return vm->memory_path;
	snprintf(command, sizeof(command), "cp --sparse=always '%s' '%s' && cat '%s' >> '%s'",
		 vm->memory_path, vm->packed_path, vm->dimm_path, vm->packed_path);
	return system(command) == 0 ? vm->packed_path : NULL;
}

void vm_end(struct vm *vm)
{
	if (vm->pid > 0) {
		kill(vm->pid, SIGKILL);
		waitpid(vm->pid, NULL, 0);
	}
	if (vm->qmp >= 0)
		close(vm->qmp);
	if (vm->port >= 0)
		close(vm->port);
	if (vm->memory_fd >= 0)
		close(vm->memory_fd);
	if (vm->dimm_fd >= 0)
		close(vm->dimm_fd);
	unlink(vm->memory_path);
	unlink(vm->dimm_path);
	unlink(vm->packed_path);
	unlink(vm->console_path);
}
