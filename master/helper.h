/*
 * helper - the private redis-server of `redis.spawn: true`, under the master's
 * supervision. The server listens on a unix socket in the state directory only,
 * and keeps its data there. Restarts follow the same policy as a worker's.
 */
#ifndef HELPER_H
#define HELPER_H

#include <sys/types.h>
#include <stdbool.h>

#include "loop.h"
#include "redis_url.h"

/* The longest wait for the server's notice; the start then goes on without
 * Redis. */
#define HELPER_READY_US 1000000

struct helper;

/* The URL of the server's socket. The directory must exist. -1 with errno,
 * ENAMETOOLONG when the path is too long for a socket. */
int helper_url(const char *state_dir, struct redis_url *url);

struct helper_options {
	struct loop *loop;
	const char *state_dir;
	/* Once: the server serves, or HELPER_READY_US are over. */
	void (*on_ready)(void *arg);
	/* Once, after helper_stop(). */
	void (*on_stopped)(void *arg);
	void *arg;
};

/* Starts the server. NULL with errno when the first start fails. */
struct helper *helper_start(const struct helper_options *options);
/* Whether pid was the helper. A dead helper is restarted, or its stop is
 * complete. */
bool helper_reap(struct helper *h, pid_t pid, int wait_status);
/* TERM now, KILL after 5 s; on_stopped follows when the server is gone. */
void helper_stop(struct helper *h);
/* Only after on_stopped. */
void helper_free(struct helper *h);

#endif
