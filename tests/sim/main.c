// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api.h"
#include "envd.h"
#include "hinting.h"
#include "loop.h"
#include "process.h"
#include "services.h"
#include "uffd.h"

static struct vm the_vm;
static struct guest the_guest;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "fcpause-sim: %s: %s\n", what, why);
	exit(1);
}

static int listen_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		die(path, "too long for a socket");
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 128))
		die(path, strerror(errno));
	return fd;
}

static int listen_tcp(long port, int *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&addr, &size))
		die("envd", strerror(errno));
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

static void set_up_signals(sigset_t *ret_waited)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(ret_waited);
	sigaddset(ret_waited, SIGTERM);
	sigaddset(ret_waited, SIGINT);
	sigprocmask(SIG_BLOCK, ret_waited, NULL);
}

static void set_up_vm(const struct sim_options *o)
{
	char message[1024];

	if (vm_init(&the_vm, o))
		die("log", strerror(errno));
	for (size_t i = 0; i < o->fault_count; i++) {
		if (!fault_add(&the_vm.faults, o->faults[i]))
			continue;
		fprintf(stderr, "fcpause-sim: --fault: not a fault: %s\n", o->faults[i]);
		exit(2);
	}
	if (o->balloon && api_install_balloon(&the_vm, o->balloon, message, sizeof(message))) {
		fprintf(stderr, "fcpause-sim: --balloon: %s\n", message);
		exit(2);
	}
	if (o->config_file && api_configure(&the_vm, o->config_file, message, sizeof(message))) {
		fprintf(stderr, "fcpause-sim: --config-file: %s\n", message);
		exit(1);
	}
	if ((o->boot || o->config_file) && vm_boot(&the_vm))
		die("boot", strerror(errno));
	if (hinting_thread_start(&the_vm))
		die("thread", strerror(errno));
}

static void say_ready(const struct sim_options *o, int port)
{
	json_t *ready = json_pack("{s:b, s:i, s:s}", "ready", 1, "pid", (int)getpid(), "api_sock",
				  o->api_sock);
	char url[64];
	char *text;

	if (port) {
		snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
		json_object_set_new(ready, "envd", json_string(url));
	}
	text = json_dumps(ready, JSON_COMPACT);
	puts(text);
	fflush(stdout);
	free(text);
	json_decref(ready);
}

struct servers {
	struct http_server api;
	struct http_server envd;
	sigset_t waited;
};

/* Waits for SIGTERM or SIGINT; ends the servers, then the main thread. */
static void *wait_for_end(void *arg)
{
	struct servers *s = arg;
	int got;

	sigwait(&s->waited, &got);
	if (write(the_vm.stop_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
		perror("fcpause-sim: stopping");
	unlink(the_vm.options.api_sock);
	loop_leave_open(&the_vm);
	http_stop(&s->api);
	http_stop(&s->envd);
	loop_stop(&the_vm);
	return NULL;
}

static void tear_down(void)
{
	hinting_thread_stop(&the_vm);
	process_kill_all(the_guest.jail.init);
	if (!the_vm.options.no_envd)
		guest_stop(&the_guest);
	if (the_vm.state != VM_NOT_STARTED)
		metrics_flush(&the_vm);
	fault_clear(&the_vm.faults);
	vm_destroy(&the_vm);
}

/* Firecracker 1.16 has a page of a memfd like this in each network device: small, shared, and no
 * guest memory, as /proc/PID/maps shows it. */
static void map_device_queue(void)
{
	int fd = memfd_create("iov_deque", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, getpagesize()) ||
	    mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
		    MAP_FAILED)
		die("a device's queue", strerror(errno));
	close(fd);
}

static int start_envd(struct http_server *envd, const struct sim_options *o)
{
	int port, fd = listen_tcp(o->envd_port, &port);

	if (guest_start(&the_guest, &the_vm))
		die("guest", strerror(errno));
	envd_init(&the_guest);
	if (http_start(envd, fd, true))
		die("envd", "cannot start");
	return port;
}

static void set_up_process(const struct sim_options *o, sigset_t *ret_waited)
{
	set_up_signals(ret_waited);
	if (o->die_with_parent)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int main(int argc, char **argv)
{
	static struct servers s = {
		.api = {.vm = &the_vm, .serve = api_serve},
		.envd = {.vm = &the_vm, .serve = envd_serve},
	};
	struct sim_options o;
	pthread_t end;
	int port = 0;

	if (guest_tool_is_called(argv[0]))
		return guest_tool_main(argc, argv);
	if (argc > 1 && !strcmp(argv[1], "services"))
		return services_main(argc - 1, argv + 1);
	options_parse(&o, argc, argv);
	if (o.uffd_handler)
		return uffd_handler_main(o.uffd_handler, o.uffd_mem_file);
	set_up_process(&o, &s.waited);
	set_up_vm(&o);
	map_device_queue();
	loop_begin(&the_vm);
	if (http_start(&s.api, listen_unix(o.api_sock), false))
		die("API", "cannot start");
	if (!o.no_envd)
		port = start_envd(&s.envd, &o);
	if (pthread_create(&end, NULL, wait_for_end, &s))
		die("thread", strerror(errno));
	say_ready(&o, port);
	loop_run(&the_vm);
	pthread_join(end, NULL);
	tear_down();
	return 0;
}
