/*
 * workers - the worker processes, one per slot. Starts workers and restarts the
 * dead. Keeps the barrier: workers add their neighbours' listeners only after
 * all are ready. Master.
 *
 * Only waitpid(2) reports a death; the end of the pipe alone is none.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <sys/types.h>
#include <stdbool.h>

#include "deaths.h"
#include "listeners.h"
#include "loop.h"

/* The barrier's deadline: a worker that is not ready by then is left out. */
#define WORKERS_BARRIER_US 5000000

struct workers;

struct workers_options {
	struct loop *loop;
	const struct config *config;
	struct scoreboard *scoreboard;
	const struct listeners *listeners;
	struct deaths *deaths;
	/* No worker is left and none will come: all were told to stop, or
	 * none may be started again. Not called from inside a start. */
	void (*on_none_left)(void *arg);
	void *arg;
};

/* NULL with ENOMEM. Starts nothing yet. */
struct workers *workers_new(const struct workers_options *options);
void workers_free(struct workers *ws);

/* Forks all workers. */
void workers_start(struct workers *ws);
/* Whether pid was a worker. A worker's death is recorded and answered. cpu_us:
 * the CPU time that the worker used, as wait4(2) says. */
bool workers_reap(
    struct workers *ws, pid_t pid, int wait_status, uint64_t cpu_us);

/* Tells the running workers to reopen their log file. */
void workers_reopen_log(struct workers *ws);

/* No more starts; signal (SIGTERM: drain, SIGINT: at once, SIGKILL) to all. */
void workers_stop(struct workers *ws, int signal);

/* 0: not running now. */
pid_t workers_pid(const struct workers *ws, unsigned slot);
unsigned workers_alive(const struct workers *ws);

#endif
