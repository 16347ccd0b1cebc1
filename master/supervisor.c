#include "supervisor.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "check.h"
#include "clock.h"
#include "helper.h"
#include "instance.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "signals.h"
#include "spawn.h"
#include "watchdog.h"
#include "workers.h"

/* Workers end by themselves at drain_timeout: the master's limit comes
 * later. */
#define DRAIN_SLACK_US 500000
/* From "stop at once" to SIGKILL. */
#define AT_ONCE_US 1000000

enum phase {
	PHASE_RUNNING,
	PHASE_DRAINING,
	PHASE_STOPPING, /* at once */
	PHASE_KILLING,
	PHASE_HELPER, /* only the helper is left */
	PHASE_DONE,
};

/* Only ever forward. */
static const struct machine_state phases[] = {
    [PHASE_RUNNING] = {"running", MACHINE_TO(PHASE_DRAINING) |
				      MACHINE_TO(PHASE_STOPPING) |
				      MACHINE_TO(PHASE_HELPER)},
    [PHASE_DRAINING] = {"draining", MACHINE_TO(PHASE_STOPPING) |
					MACHINE_TO(PHASE_KILLING) |
					MACHINE_TO(PHASE_HELPER)},
    [PHASE_STOPPING] = {"stopping",
	MACHINE_TO(PHASE_KILLING) | MACHINE_TO(PHASE_HELPER)},
    [PHASE_KILLING] = {"killing", MACHINE_TO(PHASE_HELPER)},
    [PHASE_HELPER] = {"stopping the helper", MACHINE_TO(PHASE_DONE)},
    [PHASE_DONE] = {"done", 0},
};

struct supervisor {
	const struct config *config;
	struct loop *loop;
	enum phase phase;
	int status;
	uint64_t started_ns;
	struct deaths deaths;
	struct instance instance;
	struct workers *workers;
	struct helper *helper; /* NULL: none */
	struct admin *admin;   /* NULL: none */
	struct watchdog watchdog;
	struct signals signals;
	struct timer deadline; /* of the phase */
};

static void
set_phase(struct supervisor *s, enum phase next)
{
	MACHINE_ENTER(phases, s->phase, next, "master");
}

static void
set_deadline(struct supervisor *s, uint64_t us)
{
	loop_timer_set(s->loop, &s->deadline, clock_ns() / 1000 + us);
}

static void
drain(struct supervisor *s, const char *signal)
{
	log_info("stopping: %s, %u workers drain for at most %.1f s", signal,
	    workers_alive(s->workers),
	    (double)s->config->drain_timeout_us / 1e6);
	set_phase(s, PHASE_DRAINING);
	set_deadline(s, s->config->drain_timeout_us + DRAIN_SLACK_US);
	workers_stop(s->workers, SIGTERM);
}

static void
stop_at_once(struct supervisor *s, const char *signal)
{
	log_info("stopping: %s, %u workers at once", signal,
	    workers_alive(s->workers));
	set_phase(s, PHASE_STOPPING);
	set_deadline(s, AT_ONCE_US);
	workers_stop(s->workers, SIGINT);
}

static void
on_deadline(void *arg)
{
	struct supervisor *s = arg;

	log_warn("stopping: %u workers are late and killed",
	    workers_alive(s->workers));
	set_phase(s, PHASE_KILLING);
	workers_stop(s->workers, SIGKILL);
}

static void
on_helper_stopped(void *arg)
{
	struct supervisor *s = arg;

	set_phase(s, PHASE_DONE);
	loop_stop(s->loop);
}

static void
on_none_left(void *arg)
{
	struct supervisor *s = arg;

	if (s->phase == PHASE_HELPER)
		return;
	if (s->phase == PHASE_RUNNING) {
		log_error("stopping: every worker says that the configuration "
			  "is wrong");
		s->status = LOG_EXIT_CONFIG;
	}
	loop_timer_clear(s->loop, &s->deadline);
	watchdog_stop(&s->watchdog);
	set_phase(s, PHASE_HELPER);
	if (s->helper != NULL)
		helper_stop(s->helper);
	else
		on_helper_stopped(s);
}

static uint64_t
cpu_us(const struct rusage *used)
{
	return (uint64_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) *
		   1000000 +
	       (uint64_t)(used->ru_utime.tv_usec + used->ru_stime.tv_usec);
}

static void
reap(struct supervisor *s)
{
	for (;;) {
		int status;
		struct rusage used;
		pid_t pid = wait4(-1, &status, WNOHANG, &used);

		if (pid <= 0)
			return;
		if (workers_reap(s->workers, pid, status, cpu_us(&used)))
			continue;
		if (s->helper != NULL && helper_reap(s->helper, pid, status))
			continue;
		/* As PID 1 we inherit the orphans of the container. */
		log_debug("reaped: pid %d, no child of ours", (int)pid);
	}
}

/* After a rotation. The master, which has the workers' user, opens the file
 * first: a failure gives one line, not one per worker. */
static void
reopen_log(struct supervisor *s)
{
	const char *path = s->config->log.access;
	int fd;

	if (path == NULL || strcmp(path, "stdout") == 0) {
		log_info("USR1: there is no log file to open anew");
		return;
	}
	fd = log_open_file(path);
	if (fd == -1) {
		log_error("USR1: can't open %s anew: %s, the access log goes "
			  "on in the old file",
		    path, strerror(errno));
		return;
	}
	close(fd);
	log_info("USR1: %s is opened anew", path);
	workers_reopen_log(s->workers);
}

static void
on_signal(void *arg, int signal)
{
	struct supervisor *s = arg;
	const char *name = sigabbrev_np(signal);

	switch (signal) {
	case SIGCHLD:
		reap(s);
		break;
	case SIGTERM:
	case SIGQUIT:
		if (s->phase == PHASE_RUNNING)
			drain(s, name);
		else if (s->phase == PHASE_DRAINING)
			stop_at_once(s, name);
		break;
	case SIGINT:
		if (s->phase < PHASE_STOPPING)
			stop_at_once(s, name);
		break;
	case SIGUSR1:
		reopen_log(s);
		break;
	case SIGHUP:
		log_warn("HUP: reload is not available, restart to read %s "
			 "again",
		    s->config->path);
		break;
	default:
		log_warn("%s: not available, ignored", name);
		break;
	}
}

static void
init(struct supervisor *s, const struct listeners *listeners,
    struct scoreboard *scoreboard)
{
	sigset_t set;
	struct workers_options options = {
	    .config = s->config,
	    .scoreboard = scoreboard,
	    .listeners = listeners,
	    .deaths = &s->deaths,
	    .on_none_left = on_none_left,
	    .arg = s,
	};

	s->started_ns = clock_ns();
	s->loop = loop_new();
	if (s->loop == NULL)
		fatal("can't make an event loop: %s", strerror(errno));
	loop_share(s->loop);
	timer_init(&s->deadline, on_deadline, s);
	spawn_signals(&set);
	if (signals_open(&s->signals, s->loop, &set, on_signal, s) == -1)
		fatal("can't watch signals: %s", strerror(errno));
	options.loop = s->loop;
	s->workers = workers_new(&options);
	if (s->workers == NULL)
		fatal("no memory for %u workers", listeners->workers);
	watchdog_init(&s->watchdog, s->loop, s->config, scoreboard);
	s->instance = (struct instance){
	    s->config, scoreboard, &s->deaths, listeners->workers};
	if (listeners->admin_fd == -1)
		return;
	s->admin = admin_new(s->loop, &s->instance, listeners->admin_fd);
	if (s->admin == NULL)
		fatal("no memory for the admin endpoint");
}

static void
log_start(const struct config *config, unsigned workers)
{
	char addresses[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < config->listen_count; i++) {
		int n = snprintf(addresses + len, sizeof(addresses) - len,
		    "%s%s", i == 0 ? "" : " ", config->listen[i].text);

		if (n < 0 || (size_t)n >= sizeof(addresses) - len)
			break;
		len += (size_t)n;
	}
	log_info("started: drover %s, instance %s, cluster %s, %u workers, on "
		 "%s, admin %s, pid %d",
	    INSTANCE_VERSION, config->instance, config->cluster, workers,
	    addresses, config->admin.enabled ? config->admin.text : "off",
	    (int)getpid());
}

static void
start_workers(void *arg)
{
	struct supervisor *s = arg;

	/* We may have been told to stop while we waited for the helper. */
	if (s->phase != PHASE_RUNNING)
		return;
	workers_start(s->workers);
	watchdog_start(&s->watchdog, s->workers);
}

static void
start(struct supervisor *s)
{
	struct helper_options options = {
	    .loop = s->loop,
	    .state_dir = s->config->state_dir,
	    .on_ready = start_workers,
	    .on_stopped = on_helper_stopped,
	    .arg = s,
	};

	if (s->config->redis.spawn) {
		s->helper = helper_start(&options);
		if (s->helper == NULL)
			fatal("%s:%u: redis.spawn: can't run redis-server: %s",
			    s->config->path, s->config->lines.spawn,
			    strerror(errno));
	}
	log_start(s->config, s->instance.workers);
	if (s->helper == NULL)
		start_workers(s);
}

static void
fini(struct supervisor *s)
{

	admin_free(s->admin);
	watchdog_stop(&s->watchdog);
	helper_free(s->helper);
	workers_free(s->workers);
	signals_close(&s->signals);
	loop_free(s->loop);
}

int
supervisor_run(const struct config *config, const struct listeners *listeners,
    struct scoreboard *scoreboard)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int status;

	if (s == NULL)
		fatal("no memory for the master");
	s->config = config;
	init(s, listeners, scoreboard);
	start(s);
	if (loop_run(s->loop) == -1) {
		log_error("epoll: %s", strerror(errno));
		s->status = EXIT_FAILURE;
	}
	log_info("stopped: instance %s, up %.1f s", config->instance,
	    (double)(clock_ns() - s->started_ns) / 1e9);
	status = s->status;
	fini(s);
	free(s);
	return status;
}
