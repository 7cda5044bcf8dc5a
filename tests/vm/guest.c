// SPDX-License-Identifier: Apache-2.0
/*
 * guest: /init of the guest under test. Obeys commands that come over /dev/ttyS1 (or the device
 * that is called FCPAUSE_PORT on the kernel's command line, which is init's environment), one a
 * line, and answers each with lines and a last one, `OK ...` or `ERR ...`. Linked statically,
 * nothing else is in the initramfs but a busybox to look around with by hand.
 *
 *   load SEED MIB   keeps MIB in tmpfs files and 8 MiB of anonymous memory, frees twice as much
 *   check           reads all of it back again
 *   buddy           /proc/buddyinfo
 *   churn N         N processes allocate, fill, check and free memory until `calm`
 *   calm            ends them: `OK ROUNDS`, or ERR when one of them found a page changed
 *   fill MIB        takes all memory there is, MIB at most, writes to every page, reads it back
 *   log             what the kernel log has to complain of
 *   say TEXT        writes it to the kernel's log, _ as a space
 *   kexec           starts /kexec/vmlinuz with /kexec/initrd, whose /init answers in its place
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MIB (1ul << 20)
#define PAGE 4096ul
#define WORDS (PAGE / sizeof(uint64_t))
#define FILE_BYTES (256ul << 10)
#define ANON_BYTES (8 * MIB)
/* What `fill` leaves: this and a 32nd of all, well above the watermarks (see lower_watermark()). */
#define RESERVE_KIB (20ul << 10)
#define RESERVE_SHARE 32

static FILE *port;
static uint64_t load_seed;
static unsigned file_count;
static uint64_t *anon;

/* Shared with the children of `churn`. */
static volatile struct {
	int stop;
	unsigned long rounds;
	unsigned long changed;
} * churn;
static pid_t churners[16];
static unsigned churner_count;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* A page whose every word can be told from its tag: any change shows. */
static void fill_page(uint64_t *page, uint64_t tag)
{
	for (unsigned i = 0; i < WORDS; i++)
		page[i] = (tag + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static bool page_holds(const uint64_t *page, uint64_t tag)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (page[i] != ((tag + i) * UINT64_C(0x9e3779b97f4a7c15) | 1))
			return false;
	return true;
}

static uint64_t *take(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static bool write_file(unsigned number)
{
	uint64_t page[WORDS];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/keep/%u", number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return false;
	for (unsigned i = 0; i < FILE_BYTES / PAGE; i++) {
		fill_page(page, load_seed + number * 100003ul + i * 7);
		if (write(fd, page, PAGE) != PAGE)
			return close(fd), false;
	}
	return close(fd) == 0;
}

static bool check_file(unsigned number)
{
	uint64_t page[WORDS];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/keep/%u", number);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	for (unsigned i = 0; i < FILE_BYTES / PAGE; i++)
		if (read(fd, page, PAGE) != PAGE ||
		    !page_holds(page, load_seed + number * 100003ul + i * 7))
			return close(fd), false;
	return close(fd) == 0;
}

/* Memory and files that are used and given back, so that free pages hold old bytes. */
static void litter(unsigned long bytes)
{
	uint64_t state = load_seed | 1;
	uint64_t *memory = take(bytes);
	int fd = open("/tmp/litter", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (unsigned long at = 0; memory && at < bytes; at += PAGE)
		fill_page(memory + at / sizeof(*memory), next_random(&state));
	for (unsigned long at = 0; fd >= 0 && memory && at < bytes / 2; at += PAGE)
		if (write(fd, memory + at / sizeof(*memory), PAGE) != PAGE)
			break;
	/* Every other piece first: the free memory is left in pieces. */
	for (unsigned long at = 0; memory && at < bytes; at += 64 * PAGE)
		madvise(memory + at / sizeof(*memory), 32 * PAGE, MADV_DONTNEED);
	if (memory)
		munmap(memory, bytes);
	if (fd >= 0)
		close(fd);
	unlink("/tmp/litter");
}

static void load(uint64_t seed, unsigned long mib)
{
	load_seed = seed;
	mkdir("/tmp/keep", 0700);
	file_count = (unsigned)(mib * MIB / FILE_BYTES);
	for (unsigned i = 0; i < file_count; i++)
		if (!write_file(i)) {
			fprintf(port, "ERR file %u: %s\n", i, strerror(errno));
			return;
		}
	if (!anon)
		anon = take(ANON_BYTES);
	for (unsigned long i = 0; i < ANON_BYTES / PAGE; i++)
		fill_page(anon + i * WORDS, seed + i * 13);
	litter(2 * mib * MIB);
	fprintf(port, "OK\n");
}

static bool kept(void)
{
	for (unsigned i = 0; i < file_count; i++)
		if (!check_file(i)) {
			fprintf(port, "ERR file %u changed\n", i);
			return false;
		}
	for (unsigned long i = 0; anon && i < ANON_BYTES / PAGE; i++)
		if (!page_holds(anon + i * WORDS, load_seed + i * 13)) {
			fprintf(port, "ERR anonymous page %lu changed\n", i);
			return false;
		}
	return true;
}

static void show(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		fputs(line, port);
	if (file)
		fclose(file);
	fprintf(port, "OK\n");
}

/* A figure of /proc/meminfo, in KiB: "MemFree:". */
static unsigned long meminfo_kib(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0) {
			kib = strtoul(line + strlen(name), NULL, 10);
			break;
		}
	if (file)
		fclose(file);
	return kib;
}

static unsigned long free_kib(void)
{
	return meminfo_kib("MemFree:");
}

/* In a child of its own, so that all goes back at its end. Exit 0, 1 changed. */
static int fill_and_check(unsigned long limit)
{
	uint64_t *chunks[8192];
	unsigned long reserve = RESERVE_KIB + meminfo_kib("MemTotal:") / RESERVE_SHARE;
	unsigned count = 0;

	limit = limit < 8192 ? limit : 8192;
	while (count < limit && free_kib() > reserve && (chunks[count] = take(MIB))) {
		for (unsigned i = 0; i < MIB / PAGE; i++)
			fill_page(chunks[count] + i * WORDS, count * 1009ul + i);
		count++;
	}
	for (unsigned chunk = 0; chunk < count; chunk++)
		for (unsigned i = 0; i < MIB / PAGE; i++)
			if (!page_holds(chunks[chunk] + i * WORDS, chunk * 1009ul + i))
				return 1;
	return 0;
}

static void fill(unsigned long limit)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(fill_and_check(limit));
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		fprintf(port, "ERR fill: status %d\n", status);
	else
		fprintf(port, "OK\n");
}

/* One process of `churn`: keeps some pieces of random sizes, checks each before it goes. */
static void churn_on(uint64_t state, unsigned long keep_bytes)
{
	struct piece {
		uint64_t *memory;
		unsigned long pages;
		uint64_t tag;
	} pieces[64] = {{0}};
	unsigned long most = keep_bytes / 64 / PAGE;

	while (!churn->stop) {
		struct piece *piece = &pieces[next_random(&state) % 64];

		for (unsigned long i = 0; piece->memory && i < piece->pages; i++)
			if (!page_holds(piece->memory + i * WORDS, piece->tag + i))
				churn->changed++;
		if (piece->memory)
			munmap(piece->memory, piece->pages * PAGE);
		piece->pages = 1 + next_random(&state) % (2 * most);
		piece->tag = next_random(&state);
		piece->memory = take(piece->pages * PAGE);
		for (unsigned long i = 0; piece->memory && i < piece->pages; i++)
			fill_page(piece->memory + i * WORDS, piece->tag + i);
		churn->rounds++;
	}
	_exit(0);
}

static void churn_start(unsigned count)
{
	unsigned long bytes = free_kib() * 1024 / 2 / count;

	churn->stop = 0;
	churn->rounds = churn->changed = 0;
	for (churner_count = 0; churner_count < count && churner_count < 16; churner_count++) {
		pid_t child = fork();

		if (child == 0)
			churn_on(load_seed * 31 + churner_count + 1, bytes);
		churners[churner_count] = child;
	}
	fprintf(port, "OK\n");
}

static void churn_stop(void)
{
	bool well = true;

	churn->stop = 1;
	for (unsigned i = 0; i < churner_count; i++) {
		int status = -1;

		well &= waitpid(churners[i], &status, 0) > 0 && status == 0;
	}
	churner_count = 0;
	if (!well || churn->changed > 0)
		fprintf(port, "ERR churn: %lu pages changed, children %s\n", churn->changed,
			well ? "well" : "died");
	else
		fprintf(port, "OK %lu\n", churn->rounds);
}

static void show_log(void)
{
	static const char *const complaints[] = {"BUG",
						 "Oops",
						 "WARNING:",
						 "corrupt",
						 "Bad page",
						 "bad page",
						 "general protection",
						 "Call Trace",
						 "Out of memory",
						 "page allocation failure",
						 "stall"};
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	unsigned found = 0;
	char line[4096];
	ssize_t length;

	while ((length = read(fd, line, sizeof(line) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		line[length] = '\0';
		for (unsigned i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
			if (strstr(line, complaints[i])) {
				fprintf(port, "%.*s\n", (int)strcspn(line, "\n"), line);
				found++;
				break;
			}
	}
	close(fd);
	if (found > 0)
		fprintf(port, "ERR %u complaints\n", found);
	else
		fprintf(port, "OK\n");
}

#ifdef __aarch64__
/* Debian's arm64 kernels have no kexec_file_load(2): what kexec-tools does, as far as it is
 * needed. */

#define KEXEC_ARM64 (183ul << 16)
#define SECOND_KERNEL 0x50000000ul /* 256 MiB into RAM, clear of what QEMU loads */
#define SECOND_TREE (SECOND_KERNEL + 64 * MIB)
#define ENTRY (SECOND_TREE + 2 * MIB)

struct segment {
	const void *bytes;
	size_t length;
	unsigned long address;
	size_t room;
};

static bool read_segment(const char *path, unsigned long address, struct segment *segment)
{
	char *bytes = (char *)take(64 * MIB);
	int fd = open(path, O_RDONLY);
	size_t length = 0;
	ssize_t got = 0;

	while (fd >= 0 && bytes && (got = read(fd, bytes + length, 64 * MIB - length)) > 0)
		length += (size_t)got;
	*segment = (struct segment){bytes, length, address, (length + PAGE - 1) / PAGE * PAGE};
	return got == 0 && length > 0 && close(fd) == 0;
}

/* /chosen's address of the initrd: the second kernel's goes to the same place. */
static unsigned long tree_number(const char *path)
{
	unsigned char bytes[8];
	unsigned long number = 0;
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	for (size_t i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	if (file)
		fclose(file);
	return number;
}

static bool load_kernel(void)
{
	static const char start[] = "/proc/device-tree/chosen/linux,initrd-start";
	static const char end[] = "/proc/device-tree/chosen/linux,initrd-end";
	/* x0 = the tree, x1 to x3 = 0, and off to the kernel. */
	static const struct {
		uint32_t code[8];
		uint64_t tree, kernel;
	} entry = {{0x58000100, 0x58000124, 0xd2800001, 0xd2800002, 0xd2800003, 0xd61f0080,
		    0xd503201f, 0xd503201f},
		   SECOND_TREE,
		   SECOND_KERNEL};
	struct segment segments[4] = {
		{&entry, sizeof(entry), ENTRY, PAGE},
	};

	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	if (!read_segment("/kexec/vmlinuz", SECOND_KERNEL, &segments[1]) ||
	    !read_segment("/sys/firmware/fdt", SECOND_TREE, &segments[2]) ||
	    !read_segment("/kexec/initrd", tree_number(start), &segments[3]))
		return false;
	/* The image's size with .bss, from its header; the initrd was larger the first time. */
	memcpy(&segments[1].room, (const char *)segments[1].bytes + 16, sizeof(uint64_t));
	segments[1].room = (segments[1].room + PAGE - 1) / PAGE * PAGE;
	segments[3].room = (tree_number(end) - tree_number(start) + PAGE - 1) / PAGE * PAGE;
	return syscall(SYS_kexec_load, ENTRY, 4ul, segments, KEXEC_ARM64) == 0;
}
#else
static bool load_kernel(void)
{
	int kernel = open("/kexec/vmlinuz", O_RDONLY), initrd = open("/kexec/initrd", O_RDONLY);
	FILE *file = fopen("/proc/cmdline", "re");
	char line[1024] = "";

	if (file && fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	return kernel >= 0 && initrd >= 0 &&
	       syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, 0ul) == 0;
}
#endif

/* No answer when it goes well: this kernel is gone then. */
static void start_kernel(void)
{
	if (!load_kernel() || syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
				      LINUX_REBOOT_CMD_KEXEC, NULL) < 0)
		fprintf(port, "ERR kexec: %s\n", strerror(errno));
}

static void say(const char *text)
{
	FILE *file = fopen("/dev/kmsg", "we");
	int status = -1;

	for (; file && *text; text++)
		fputc(*text == '_' ? ' ' : *text, file);
	if (file)
		status = fclose(file);
	fprintf(port, status == 0 ? "OK\n" : "ERR say\n");
}

static void obey(const char *line)
{
	unsigned long seed, mib, count;

	if (sscanf(line, "load %lu %lu", &seed, &mib) == 2)
		load(seed, mib);
	else if (sscanf(line, "churn %lu", &count) == 1 && count > 0)
		churn_start((unsigned)count);
	else if (strcmp(line, "calm") == 0)
		churn_stop();
	else if (strcmp(line, "check") == 0) {
		if (kept())
			fprintf(port, "OK\n");
	} else if (strcmp(line, "buddy") == 0)
		show("/proc/buddyinfo");
	else if (sscanf(line, "fill %lu", &mib) == 1)
		fill(mib);
	else if (strcmp(line, "log") == 0)
		show_log();
	else if (strncmp(line, "say ", 4) == 0)
		say(line + 4);
	else if (strcmp(line, "kexec") == 0)
		start_kernel();
	else
		fprintf(port, "ERR unknown command\n");
	fflush(port);
}

/* For the sake of huge pages the kernel would keep 44 MiB of 1 GiB free, and kill somebody below.
 */
static void lower_watermark(void)
{
	FILE *file = fopen("/proc/sys/vm/min_free_kbytes", "we");

	if (file) {
		fputs("4096\n", file);
		fclose(file);
	}
}

static FILE *open_port(void)
{
	const char *device = getenv("FCPAUSE_PORT");
	int fd = open(device ? device : "/dev/ttyS1", O_RDWR | O_NOCTTY);
	struct termios raw;

	if (fd < 0 || tcgetattr(fd, &raw) < 0)
		return NULL;
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	return fdopen(fd, "r+");
}

int main(void)
{
	char line[256];

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, "size=90%");
	lower_watermark();
	churn = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	port = open_port();
	if (!port || churn == MAP_FAILED) {
		fprintf(stderr, "guest: no port\n");
		return 1;
	}
	/* Nothing is sent to us before: the driver empties the port as it comes up. */
	fprintf(port, "OK up\n");
	fflush(port);
	while (fgets(line, sizeof(line), port)) {
		line[strcspn(line, "\n")] = '\0';
		fseek(port, 0, SEEK_CUR);
		obey(line);
	}
	reboot(RB_POWER_OFF);
	return 0;
}
