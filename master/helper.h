/*
 * helper - the private redis-server of `redis.spawn: true`, under the master's
 * supervision. It listens on a unix socket in the state directory only, keeps
 * its data there, and is restarted by the same policy as a worker.
 */
#ifndef HELPER_H
#define HELPER_H

#include <sys/types.h>
#include <stdbool.h>

#include "loop.h"
#include "redis_url.h"

/* Who needs it goes on without it then. */
#define HELPER_READY_US 1000000

struct helper;

/* Its socket. The directory must be there. -1 with errno, ENAMETOOLONG where
 * its path is too long for a socket. */
int helper_url(const char *state_dir, struct redis_url *url);

struct helper_options {
	struct loop *loop;
	const char *state_dir;
	/* Once: it serves, or HELPER_READY_US are over. */
	void (*on_ready)(void *arg);
	/* Once, after helper_stop(). */
	void (*on_stopped)(void *arg);
	void *arg;
};

/* Starts it. NULL with errno when it can't be run at all. */
struct helper *helper_start(const struct helper_options *options);
/* Was pid the helper? Then it is restarted, or its stop is complete. */
bool helper_reap(struct helper *h, pid_t pid, int wait_status);
/* TERM now, KILL after 5 s; on_stopped follows when it is gone. */
void helper_stop(struct helper *h);
/* After it has stopped. */
void helper_free(struct helper *h);

#endif
