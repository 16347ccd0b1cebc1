#include "process.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 64
#define STAT_BYTES 1024 /* 52 numbers of at most 20 digits fill less */
/* Fields of /proc/PID/stat, counted from the third, the first behind the name:
 * utime, stime, starttime, vsize, rss. */
#define STAT_UTIME 11
#define STAT_STIME 12
#define STAT_STARTTIME 19
#define STAT_VSIZE 20
#define STAT_RSS 21
#define STAT_FIELDS 22

/* Reads the fields up to the last useful one. */
static int
read_stat(pid_t pid, unsigned long long fields[STAT_FIELDS])
{
	char path[PATH_BYTES], text[STAT_BYTES];
	const char *at;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	/* The name is in brackets, and may contain brackets. */
	at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ')
		return -1;
	at += 2;
	for (int i = 0; i < STAT_FIELDS; i++) {
		/* The first field is a letter, some are negative. */
		if (i > 0 && sscanf(at, "%llu", &fields[i]) != 1)
			return -1;
		at = strchr(at, ' ');
		if (at == NULL)
			return -1;
		at++;
	}
	return 0;
}

/* CLOCK_REALTIME when the machine booted. Read once: the difference of the two
 * clocks changes a little between readings. */
static uint64_t
boot_ms(void)
{
	static uint64_t ms;
	struct timespec real, boot;

	if (ms == 0) {
		clock_gettime(CLOCK_REALTIME, &real);
		clock_gettime(CLOCK_BOOTTIME, &boot);
		ms = (uint64_t)(real.tv_sec - boot.tv_sec) * 1000 +
		     (uint64_t)((real.tv_nsec - boot.tv_nsec) / 1000000);
	}
	return ms;
}

static void
take_stat(struct process *p, pid_t pid)
{
	unsigned long long fields[STAT_FIELDS];
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	if (read_stat(pid, fields) == -1)
		return;
	p->cpu_us = (fields[STAT_UTIME] + fields[STAT_STIME]) * 1000000 / hz;
	p->started_ms = boot_ms() + fields[STAT_STARTTIME] * 1000 / hz;
	p->virtual_bytes = fields[STAT_VSIZE];
	p->resident_bytes = fields[STAT_RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Before Linux 6.2 the folder's size does not give the count. */
static uint64_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	uint64_t count = 0;

	if (dir == NULL)
		return PROCESS_UNKNOWN;
	for (const struct dirent *e; (e = readdir(dir)) != NULL;)
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void
take_fds(struct process *p, pid_t pid)
{
	char path[PATH_BYTES];
	struct rlimit limit;
	struct stat st;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0)
		p->max_fds = limit.rlim_cur;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (stat(path, &st) == 0 && st.st_size > 0) {
		p->open_fds = (uint64_t)st.st_size;
		return;
	}
	p->open_fds = count_entries(path);
	/* Less the descriptor that the folder was read by. */
	if (pid == getpid() && p->open_fds != PROCESS_UNKNOWN)
		p->open_fds--;
}

void
process_read(struct process *p, pid_t pid)
{
	memset(p, 0xff, sizeof(*p));
	take_stat(p, pid);
	take_fds(p, pid);
}
