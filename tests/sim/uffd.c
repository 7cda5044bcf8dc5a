// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "memory.h"
#include "uffd.h"

static int fail(char *ret_message, size_t size, const char *what)
{
	snprintf(ret_message, size, "%s: %s (os error %d)", what, strerror(errno), errno);
	return -1;
}

static int connect_to_handler(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int saved_errno = errno;

		close(fd);
		errno = saved_errno;
		return -1;
	}
	return fd;
}

static ssize_t send_with_fd(int socket_fd, const char *text, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
}

static int shake_hands(int uffd, void *base, size_t bytes, const char *socket_path,
		       char *ret_message, size_t size)
{
	char text[256];
	int fd = connect_to_handler(socket_path);
	ssize_t sent;

	if (fd < 0)
		return fail(ret_message, size, "Failed to connect to UDS Unix stream");
	snprintf(text, sizeof(text),
		 "[{\"base_host_virt_addr\":%llu,\"size\":%zu,\"offset\":0,"
		 "\"page_size\":%lu,\"page_size_kib\":%lu}]",
		 (unsigned long long)(uintptr_t)base, bytes, SIM_PAGE_SIZE, SIM_PAGE_SIZE);
	sent = send_with_fd(fd, text, uffd);
	if (sent < 0)
		fail(ret_message, size, "Failed to sends file descriptor");
	close(fd);
	return sent < 0 ? -1 : 0;
}

int uffd_hand_over(void *base, size_t bytes, const char *socket_path, char *ret_message,
		   size_t message_size)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE};
	struct uffdio_register reg = {.range = {(uintptr_t)base, bytes},
				      .mode = UFFDIO_REGISTER_MODE_MISSING};
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0)
		return fail(ret_message, message_size, "Failed to UFFD object");
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		fail(ret_message, message_size,
		     "Failed to register memory address range with the "
		     "userfaultfd object");
	else if (!shake_hands(uffd, base, bytes, socket_path, ret_message, message_size))
		return uffd;
	close(uffd);
	return -1;
}
