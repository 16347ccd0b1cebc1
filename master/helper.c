#include "helper.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "deaths.h"
#include "log.h"
#include "notify.h"
#include "respawn.h"
#include "spawn.h"

#define PROGRAM "redis-server"
#define STOP_US 5000000

struct helper {
	struct helper_options options;
	pid_t pid; /* 0: not running */
	uint64_t started_us;
	struct respawn respawn;
	struct timer timer; /* the next start, or the end of our patience */
	struct timer ready_timer;
	struct notify notify;
	bool stopping;
	char dir[PATH_MAX];
	char socket[PATH_MAX];
	char log[PATH_MAX];
};

int
helper_url(const char *state_dir, struct redis_url *url)
{
	char absolute[PATH_MAX];

	memset(url, 0, sizeof(*url));
	if (realpath(state_dir, absolute) == NULL)
		return -1;
	if ((size_t)snprintf(url->path, sizeof(url->path), "%s/redis.sock",
		absolute) < sizeof(url->path))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
run(struct helper *h)
{
	/* Redis writes each number of /api/count to the disk before the reply:
	 * a crash repeats no number. */
	const char *const argv[] = {PROGRAM, "--port", "0", "--unixsocket",
	    h->socket, "--unixsocketperm", "700", "--dir", h->dir,
	    "--appendonly", "yes", "--appendfsync", "always", "--save", "",
	    "--daemonize", "no", "--supervised", "systemd", NULL};
	char *copy[sizeof(argv) / sizeof(argv[0])];
	pid_t pid;

	/* exec's prototype lacks the const for historical reasons; exec writes
	 * nothing. */
	memcpy(copy, argv, sizeof(argv));
	pid = spawn_program(copy, h->log, h->notify.address);
	if (pid == -1)
		return -1;
	h->pid = pid;
	h->started_us = clock_ns() / 1000;
	log_info("helper started: %s, pid %d, socket %s, log %s", PROGRAM,
	    (int)pid, h->socket, h->log);
	return 0;
}

static void
schedule(struct helper *h, int wait_status, const char *cause)
{
	struct respawn_facts facts = {
	    wait_status, clock_ns() / 1000 - h->started_us, arc4random()};
	uint64_t delay_us;

	/* No exit status of redis-server means "never again", as a worker's
	 * can. */
	if (!respawn_decide(&h->respawn, &facts, &delay_us))
		delay_us = RESPAWN_LAST_US;
	log_warn("helper died: %s, %s, up %.1f s, next start in %llu ms; see "
		 "%s",
	    PROGRAM, cause, (double)facts.uptime_us / 1e6,
	    (unsigned long long)delay_us / 1000, h->log);
	loop_timer_set(
	    h->options.loop, &h->timer, clock_ns() / 1000 + delay_us);
}

static void
on_timer(void *arg)
{
	struct helper *h = arg;

	if (h->stopping) {
		log_warn("helper killed: %s, pid %d did not stop in %d s",
		    PROGRAM, (int)h->pid, STOP_US / 1000000);
		kill(h->pid, SIGKILL);
		return;
	}
	if (run(h) == 0)
		return;
	h->started_us = clock_ns() / 1000;
	schedule(h, 0, strerror(errno));
}

static int
set_paths(struct helper *h, const char *state_dir)
{
	const struct {
		char *path;
		const char *name;
	} paths[] = {{h->dir, "redis"}, {h->socket, "redis.sock"},
	    {h->log, "redis.log"}};
	char absolute[PATH_MAX];

	/* redis-server changes its directory to --dir first. */
	if (realpath(state_dir, absolute) == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (snprintf(paths[i].path, PATH_MAX, "%s/%s", absolute,
			paths[i].name) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
	return mkdir(h->dir, 0700) == -1 && errno != EEXIST ? -1 : 0;
}

/* By notice or by timeout, whichever comes first. */
static void
on_ready(void *arg)
{
	struct helper *h = arg;

	notify_close(&h->notify);
	loop_timer_clear(h->options.loop, &h->ready_timer);
	h->options.on_ready(h->options.arg);
}

struct helper *
helper_start(const struct helper_options *options)
{
	struct helper *h = calloc(1, sizeof(*h));
	int saved;

	if (h == NULL)
		return NULL;
	h->options = *options;
	timer_init(&h->timer, on_timer, h);
	timer_init(&h->ready_timer, on_ready, h);
	if (notify_open(&h->notify, options->loop, on_ready, h) == 0 &&
	    set_paths(h, options->state_dir) == 0 && run(h) == 0) {
		loop_timer_set(options->loop, &h->ready_timer,
		    h->started_us + HELPER_READY_US);
		return h;
	}
	saved = errno;
	notify_close(&h->notify);
	free(h);
	errno = saved;
	return NULL;
}

bool
helper_reap(struct helper *h, pid_t pid, int wait_status)
{
	char cause[DEATHS_CAUSE_MAX];

	if (pid != h->pid)
		return false;
	h->pid = 0;
	if (!h->stopping) {
		schedule(h, wait_status, deaths_cause(wait_status, cause));
		return true;
	}
	loop_timer_clear(h->options.loop, &h->timer);
	log_debug("helper stopped: %s, %s", PROGRAM,
	    deaths_cause(wait_status, cause));
	h->options.on_stopped(h->options.arg);
	return true;
}

static void
on_nothing_to_stop(void *arg)
{
	struct helper *h = arg;

	h->options.on_stopped(h->options.arg);
}

void
helper_stop(struct helper *h)
{
	uint64_t now_us = clock_ns() / 1000;

	h->stopping = true;
	/* A helper that stops is not started again. */
	loop_timer_clear(h->options.loop, &h->timer);
	if (h->pid == 0) {
		timer_init(&h->timer, on_nothing_to_stop, h);
		loop_timer_set(h->options.loop, &h->timer, now_us);
		return;
	}
	kill(h->pid, SIGTERM);
	loop_timer_set(h->options.loop, &h->timer, now_us + STOP_US);
}

void
helper_free(struct helper *h)
{
	if (h == NULL)
		return;
	notify_close(&h->notify);
	loop_timer_clear(h->options.loop, &h->ready_timer);
	loop_timer_clear(h->options.loop, &h->timer);
	free(h);
}
