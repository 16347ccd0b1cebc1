#include "workers.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "log.h"
#include "machine.h"
#include "respawn.h"
#include "spawn.h"

/* The pause before a failed fork is tried again. */
#define FORK_AGAIN_US 1000000
/* Messages read from one worker per wake-up. */
#define WORDS_MAX 16

enum worker_phase {
	WORKER_WAITING,  /* not running: a start is due, or never comes */
	WORKER_STARTING, /* running, not ready yet */
	WORKER_AT_BARRIER,
	WORKER_JOINED, /* shares the neighbours' listeners */
};

static const struct machine_state phases[] = {
    [WORKER_WAITING] = {"waiting", MACHINE_TO(WORKER_STARTING)},
    [WORKER_STARTING] = {"starting",
	MACHINE_TO(WORKER_AT_BARRIER) | MACHINE_TO(WORKER_WAITING)},
    [WORKER_AT_BARRIER] = {"at barrier",
	MACHINE_TO(WORKER_JOINED) | MACHINE_TO(WORKER_WAITING)},
    [WORKER_JOINED] = {"joined", MACHINE_TO(WORKER_WAITING)},
};

struct worker_slot {
	struct workers *all;
	unsigned slot;
	enum worker_phase phase;
	pid_t pid; /* 0: not running */
	bool given_up;
	uint64_t started_us;
	struct respawn respawn;
	struct timer start_timer;
	struct loop_watch pipe;
};

struct workers {
	struct workers_options options;
	bool stopping;
	bool barrier_open;
	uint64_t started_us;
	struct timer barrier_timer;
	struct loop_deferred none_left;
	unsigned count;
	struct worker_slot list[];
};

static uint64_t
now_us(void)
{
	return clock_ns() / 1000;
}

static void
set_phase(struct worker_slot *w, enum worker_phase next)
{
	MACHINE_ENTER(phases, w->phase, next, "worker %u", w->slot + 1);
}

/* A full pipe: the worker has read nothing for hundreds of words. A dying
 * worker has closed its end, and its death is logged elsewhere. */
static void
tell(struct worker_slot *w, const char *words, size_t len)
{
	if (send(w->pipe.fd, words, len, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		return;
	if (errno == EAGAIN)
		log_warn(
		    "worker %u: can't be told '%c': the worker reads nothing",
		    w->slot + 1, words[0]);
	else
		log_debug("worker %u: can't be told '%c': %s", w->slot + 1,
		    words[0], strerror(errno));
}

/* A newcomer has to stand first in the queue of its own listener. The other
 * workers leave the queue and join again behind the newcomer. */
static void
tell_rejoin(const struct worker_slot *newcomer)
{
	struct workers *ws = newcomer->all;
	char words[2] = {WORKER_REJOIN, (char)newcomer->slot};

	for (unsigned i = 0; i < ws->count; i++) {
		struct worker_slot *w = &ws->list[i];

		if (w != newcomer && w->phase == WORKER_JOINED)
			tell(w, words, sizeof(words));
	}
}

static void
join(struct worker_slot *w)
{
	char word = WORKER_BARRIER;

	set_phase(w, WORKER_JOINED);
	tell(w, &word, 1);
}

static void
open_barrier(struct workers *ws)
{
	unsigned ready = 0;

	ws->barrier_open = true;
	loop_timer_clear(ws->options.loop, &ws->barrier_timer);
	for (unsigned i = 0; i < ws->count; i++) {
		if (ws->list[i].phase != WORKER_AT_BARRIER)
			continue;
		join(&ws->list[i]);
		ready++;
	}
	if (ready == 0)
		return;
	log_info("ready: %u of %u workers after %.1f ms", ready, ws->count,
	    (double)(now_us() - ws->started_us) / 1e3);
}

/* The first generation meets at the barrier; the dead are not waited for. */
static void
check_barrier(struct workers *ws)
{
	if (ws->barrier_open)
		return;
	for (unsigned i = 0; i < ws->count; i++)
		if (ws->list[i].phase == WORKER_STARTING)
			return;
	open_barrier(ws);
}

static void
on_barrier_timer(void *arg)
{
	open_barrier(arg);
}

static void
on_ready(struct worker_slot *w)
{
	if (w->phase != WORKER_STARTING)
		return;
	set_phase(w, WORKER_AT_BARRIER);
	if (!w->all->barrier_open) {
		check_barrier(w->all);
		return;
	}
	join(w);
	tell_rejoin(w);
	log_info("worker %u ready: pid %d, after %.1f ms", w->slot + 1,
	    (int)w->pid, (double)(now_us() - w->started_us) / 1e3);
}

static void
close_pipe(struct worker_slot *w)
{
	int fd = w->pipe.fd;

	if (fd == -1)
		return;
	loop_watch_del(w->all->options.loop, &w->pipe);
	close(fd);
}

static void
on_pipe(void *arg, uint32_t events)
{
	struct worker_slot *w = arg;
	char words[8];

	(void)events;
	for (int i = 0; i < WORDS_MAX && w->pipe.fd != -1; i++) {
		ssize_t len =
		    recv(w->pipe.fd, words, sizeof(words), MSG_DONTWAIT);

		if (len == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		/* SIGCHLD will tell of the worker's end. */
		if (len <= 0)
			close_pipe(w);
		else if (words[0] == WORKER_READY)
			on_ready(w);
	}
}

static void
start(struct worker_slot *w)
{
	struct workers *ws = w->all;
	struct worker_boot boot = {
	    .config = ws->options.config,
	    .scoreboard = ws->options.scoreboard,
	    .slot = w->slot,
	    .workers = ws->count,
	    .listeners = ws->options.listeners->fds,
	};
	int fd;

	w->pid = spawn_worker(&boot, ws->options.listeners, &fd);
	if (w->pid == -1) {
		log_error("worker %u can't be forked: %s, again in %d ms",
		    w->slot + 1, strerror(errno), FORK_AGAIN_US / 1000);
		w->pid = 0;
		loop_timer_set(ws->options.loop, &w->start_timer,
		    now_us() + FORK_AGAIN_US);
		return;
	}
	w->started_us = now_us();
	set_phase(w, WORKER_STARTING);
	/* Without a pipe the worker counts as ready when it dies, or never. */
	if (loop_watch_add(ws->options.loop, &w->pipe, fd, EPOLLIN) == -1) {
		log_error("worker %u can't be watched: %s, killed", w->slot + 1,
		    strerror(errno));
		close(fd);
		kill(w->pid, SIGKILL);
	}
}

static void
on_start_timer(void *arg)
{
	start(arg);
}

static void
on_none_left(void *arg)
{
	struct workers *ws = arg;

	ws->options.on_none_left(ws->options.arg);
}

struct workers *
workers_new(const struct workers_options *options)
{
	unsigned count = options->listeners->workers;
	struct workers *ws =
	    calloc(1, sizeof(*ws) + count * sizeof(ws->list[0]));

	if (ws == NULL)
		return NULL;
	ws->options = *options;
	ws->count = count;
	timer_init(&ws->barrier_timer, on_barrier_timer, ws);
	loop_deferred_init(&ws->none_left, on_none_left, ws);
	for (unsigned i = 0; i < count; i++) {
		struct worker_slot *w = &ws->list[i];

		w->all = ws;
		w->slot = i;
		timer_init(&w->start_timer, on_start_timer, w);
		loop_watch_init(&w->pipe, on_pipe, w);
	}
	return ws;
}

void
workers_free(struct workers *ws)
{
	if (ws == NULL)
		return;
	for (unsigned i = 0; i < ws->count; i++) {
		close_pipe(&ws->list[i]);
		loop_timer_clear(ws->options.loop, &ws->list[i].start_timer);
	}
	loop_timer_clear(ws->options.loop, &ws->barrier_timer);
	loop_defer_cancel(ws->options.loop, &ws->none_left);
	free(ws);
}

void
workers_start(struct workers *ws)
{
	ws->started_us = now_us();
	loop_timer_set(ws->options.loop, &ws->barrier_timer,
	    ws->started_us + WORKERS_BARRIER_US);
	for (unsigned i = 0; i < ws->count; i++)
		start(&ws->list[i]);
}

static void
describe_death(
    const struct worker_slot *w, int wait_status, struct death *death)
{
	struct scoreboard_slot *slot =
	    &w->all->options.scoreboard->slots[w->slot];

	*death = (struct death){
	    .slot = w->slot,
	    .pid = w->pid,
	    .wait_status = wait_status,
	    .uptime_us = now_us() - w->started_us,
	    .when = time(NULL),
	};
	/* The worker may have died before taking the slot from its
	 * predecessor. */
	if (atomic_load(&slot->pid) != w->pid)
		return;
	death->in_flight = atomic_load(&slot->in_flight);
	if (atomic_load(&slot->busy_since_ns) != 0)
		scoreboard_activity(slot, death->activity);
}

static void
log_death(const struct death *death, const char *next)
{
	bool busy = death->activity[0] != '\0';
	char cause[DEATHS_CAUSE_MAX];

	log_warn("worker %u died: pid %d, %s, up %.1f s%s%s, %u requests in "
		 "flight, %s",
	    death->slot + 1, (int)death->pid,
	    deaths_cause(death->wait_status, cause),
	    (double)death->uptime_us / 1e6, busy ? ", on " : "",
	    death->activity, death->in_flight, next);
}

/* Starts the worker again, now, later or never, and logs the choice. */
static void
answer_death(struct worker_slot *w, const struct death *death)
{
	struct respawn_facts facts = {
	    death->wait_status, death->uptime_us, arc4random()};
	uint64_t delay_us;
	char next[64];

	if (w->all->stopping) {
		log_death(death, "not started again: stopping");
	} else if (!respawn_decide(&w->respawn, &facts, &delay_us)) {
		w->given_up = true;
		log_death(death, "not started again: wrong configuration");
	} else if (delay_us == 0) {
		/* The successor comes first, then the log line. */
		start(w);
		log_death(death, "started again");
	} else {
		loop_timer_set(
		    w->all->options.loop, &w->start_timer, now_us() + delay_us);
		snprintf(next, sizeof(next), "next start in %llu ms",
		    (unsigned long long)delay_us / 1000);
		log_death(death, next);
	}
}

static bool
is_none_left(const struct workers *ws)
{
	for (unsigned i = 0; i < ws->count; i++)
		if (ws->list[i].pid != 0 ||
		    (!ws->stopping && !ws->list[i].given_up))
			return false;
	return true;
}

static struct worker_slot *
find(struct workers *ws, pid_t pid)
{
	for (unsigned i = 0; i < ws->count; i++)
		if (ws->list[i].pid == pid)
			return &ws->list[i];
	return NULL;
}

bool
workers_reap(struct workers *ws, pid_t pid, int wait_status, uint64_t cpu_us)
{
	struct worker_slot *w = find(ws, pid);
	struct scoreboard_slot *slot;
	struct death death;

	if (w == NULL)
		return false;
	describe_death(w, wait_status, &death);
	slot = &ws->options.scoreboard->slots[w->slot];
	atomic_store(&slot->state, SLOT_DEAD);
	counter_add(&slot->past_cpu_us, cpu_us);
	close_pipe(w);
	set_phase(w, WORKER_WAITING);
	w->pid = 0;
	if (ws->stopping && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == 0) {
		log_debug("worker %u stopped: pid %d, up %.1f s", w->slot + 1,
		    (int)pid, (double)death.uptime_us / 1e6);
	} else {
		deaths_add(ws->options.deaths, &death);
		answer_death(w, &death);
	}
	check_barrier(ws);
	if (is_none_left(ws))
		loop_defer(ws->options.loop, &ws->none_left);
	return true;
}

void
workers_reopen_log(struct workers *ws)
{
	char word = WORKER_REOPEN;

	/* A worker that is starting may have opened the old file already: the
	 * word waits in the pipe. */
	for (unsigned i = 0; i < ws->count; i++)
		if (ws->list[i].pipe.fd != -1)
			tell(&ws->list[i], &word, 1);
}

void
workers_stop(struct workers *ws, int signal)
{
	ws->stopping = true;
	ws->barrier_open = true;
	loop_timer_clear(ws->options.loop, &ws->barrier_timer);
	for (unsigned i = 0; i < ws->count; i++) {
		struct worker_slot *w = &ws->list[i];

		loop_timer_clear(ws->options.loop, &w->start_timer);
		if (w->pid != 0 && kill(w->pid, signal) == -1)
			log_error("worker %u: can't send signal %d: %s",
			    w->slot + 1, signal, strerror(errno));
	}
	if (is_none_left(ws))
		loop_defer(ws->options.loop, &ws->none_left);
}

pid_t
workers_pid(const struct workers *ws, unsigned slot)
{
	return ws->list[slot].pid;
}

unsigned
workers_alive(const struct workers *ws)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < ws->count; i++)
		alive += ws->list[i].pid != 0;
	return alive;
}
