// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "memory.h"
#include "uffd.h"

struct handler {
	const uint8_t *file;
	size_t file_bytes;
	int uffd;
	int pid_fd; /* readable: Firecracker has ended */
	uint64_t base;
	uint64_t bytes;
	uint64_t offset;
};

static int fail(const char *what)
{
	fprintf(stderr, "fcpause-sim: page-fault handler: %s: %s\n", what, strerror(errno));
	return 1;
}

static int listen_on(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		return -1;
	return fd;
}

static int map_file(struct handler *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	h->file_bytes = (size_t)st.st_size;
	at = mmap(NULL, h->file_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	h->file = at;
	return at == MAP_FAILED ? -1 : 0;
}

static int read_mapping(struct handler *h, const char *text)
{
	json_t *all = json_loads(text, 0, NULL);
	json_int_t base, bytes, offset;
	int ret = json_unpack(all, "[{s:I, s:I, s:I}]", "base_host_virt_addr", &base, "size",
			      &bytes, "offset", &offset);

	json_decref(all);
	if (ret || (uint64_t)offset + (uint64_t)bytes > h->file_bytes) {
		errno = EINVAL;
		return -1;
	}
	h->base = (uint64_t)base;
	h->bytes = (uint64_t)bytes;
	h->offset = (uint64_t)offset;
	return 0;
}

/* One message: the mappings as JSON, and the userfaultfd beside it. */
static int take_over(struct handler *h, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char text[1024] = "";
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) <= 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS) {
		errno = EPROTO;
		return -1;
	}
	memcpy(&h->uffd, CMSG_DATA(c), sizeof(h->uffd));
	h->pid_fd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	return h->pid_fd < 0 ? -1 : read_mapping(h, text);
}

/* EAGAIN: a range is being removed, and that comes first. The fault will come again. */
static void fill_page(const struct handler *h, uint64_t address)
{
	uint64_t page = address & ~(SIM_PAGE_SIZE - 1);
	struct uffdio_copy copy = {.dst = page,
				   .len = SIM_PAGE_SIZE,
				   .src = (uintptr_t)h->file + h->offset + (page - h->base)};
	struct uffdio_range range = {page, SIM_PAGE_SIZE};

	if (ioctl(h->uffd, UFFDIO_COPY, &copy) && errno != ENOENT && errno != ESRCH)
		ioctl(h->uffd, UFFDIO_WAKE, &range);
}

static void serve_event(const struct handler *h)
{
	struct uffd_msg msg;
	struct uffdio_range range;

	while (read(h->uffd, &msg, sizeof(msg)) == (ssize_t)sizeof(msg)) {
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			fill_page(h, msg.arg.pagefault.address);
		if (msg.event != UFFD_EVENT_REMOVE)
			continue;
		/* From now on the kernel gives zeros there. */
		range = (struct uffdio_range){msg.arg.remove.start,
					      msg.arg.remove.end - msg.arg.remove.start};
		ioctl(h->uffd, UFFDIO_UNREGISTER, &range);
	}
}

static int serve(const struct handler *h)
{
	struct pollfd fds[2] = {{.fd = h->uffd, .events = POLLIN},
				{.fd = h->pid_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			return 0;
		serve_event(h);
	}
	return fail("poll");
}

int uffd_handler_main(const char *socket_path, const char *mem_file_path)
{
	struct handler h = {.uffd = -1};
	int listen_fd, fd;

	if (map_file(&h, mem_file_path))
		return fail(mem_file_path);
	listen_fd = listen_on(socket_path);
	if (listen_fd < 0)
		return fail(socket_path);
	puts("{\"ready\":true}");
	fflush(stdout);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || take_over(&h, fd))
		return fail("handshake");
	return serve(&h);
}
