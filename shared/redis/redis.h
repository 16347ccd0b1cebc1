/*
 * redis - an asynchronous Redis client on our loop, over hiredis.
 *
 * Workers only use it, but it knows nothing of them. It keeps one connection,
 * connects again with backoff and jitter (10 ms to 1 s) when it is lost,
 * resolves names through the resolver, sends AUTH and SELECT, and loads the
 * scripts it was given before it says that it is up. It has the deadlines
 * that hiredis lacks: REDIS_CONNECT_MS to connect, REDIS_REPLY_MS for the
 * oldest unanswered command; past either the connection is dropped.
 *
 * Commands of one loop iteration leave in one write. A reply that is an error
 * means "not done"; a lost connection calls every pending callback with NULL.
 * While it is down, commands are refused at once (-1, ENOTCONN), and at most
 * REDIS_PENDING_MAX wait for a reply (-1, ENOBUFS).
 */
#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "loop.h"
#include "redis_url.h"
#include "resolver.h"

#define REDIS_CONNECT_MS 1000
#define REDIS_REPLY_MS 1000
#define REDIS_PENDING_MAX 4096
#define REDIS_SCRIPTS_MAX 8

struct redis;

/* reply: NULL when the connection was lost first. Valid only in the call.
 * Never called from inside the function that sent the command. */
typedef void redis_reply_fn(void *arg, const redisReply *reply);

/* A Lua script: loaded on each connect, called by its SHA-1. The struct is
 * the caller's and must outlive the redis. */
struct redis_script {
	const char *name; /* for log lines */
	const char *body;
	char sha[41]; /* filled in from SCRIPT LOAD's reply */
};

struct redis_options {
	struct redis_url url;
	const char *name; /* for log lines and CLIENT SETNAME */
	struct redis_script *scripts[REDIS_SCRIPTS_MAX];
	size_t script_count;
	/* May be NULL. up: connected, authenticated, scripts loaded. down: was
	 * up and is not now; reason is static or valid for the call. */
	void (*on_up)(void *arg);
	void (*on_down)(void *arg, const char *reason);
	/* A connection attempt failed while already down; may be NULL. */
	void (*on_unreachable)(void *arg, const char *reason);
	void *arg;
};

/* NULL with ENOMEM. Starts to connect in the next loop iteration. */
struct redis *redis_new(struct loop *loop, struct resolver *resolver,
    const struct redis_options *options);
/* Closes without callbacks to on_down; pending commands get NULL. */
void redis_free(struct redis *r);

bool redis_is_up(const struct redis *r);
/* Writes what is waiting for the end of this iteration: before redis_free(). */
void redis_flush(struct redis *r);

/* One command, argv as redisAsyncCommandArgv takes it; fn may be NULL. */
int redis_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens);
/*
 * EVALSHA script with keys first, then args, counted strings of C. A NOSCRIPT
 * reply loads the scripts again and reaches fn as the error that it is.
 */
int redis_eval(struct redis *r, const struct redis_script *script,
    redis_reply_fn *fn, void *arg, int keys, int argc, const char **argv);
/*
 * Turns this connection into a subscriber of channel, renewed at each
 * reconnect; fn gets every message's payload as a string reply. A redis that
 * subscribes takes no commands.
 */
int redis_subscribe(
    struct redis *r, const char *channel, redis_reply_fn *fn, void *arg);

#endif
