/*
 * redis - an asynchronous Redis client on our loop, over hiredis.
 *
 * The client knows nothing of workers, though only workers have one. redis_link
 * keeps one connection, and redis_setup makes each new connection fit for use.
 * redis_is_up() means connected, authenticated, scripts loaded.
 *
 * An error as a reply means "not done". A lost connection calls every pending
 * callback with NULL. While the client is down, commands are refused at once
 * (-1, ENOTCONN). At most REDIS_PENDING_MAX commands wait for a reply (-1,
 * ENOBUFS).
 */
#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "loop.h"
#include "redis_options.h"
#include "resolver.h"

struct redis;

/* NULL with ENOMEM. The first attempt to connect starts in the next loop
 * iteration. */
struct redis *redis_new(struct loop *loop, struct resolver *resolver,
    const struct redis_options *options);
/* Closes without a call to on_down(); pending commands get NULL. */
void redis_free(struct redis *r);

bool redis_is_up(const struct redis *r);
/* Writes now instead of at the end of the iteration: before redis_free(). r may
 * be NULL. */
void redis_flush(struct redis *r);

/* One command, argv as redisAsyncCommandArgv() takes it; fn may be NULL. */
int redis_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens);
/*
 * EVALSHA: first `keys` keys, then the arguments, all strings of C. A NOSCRIPT
 * error loads the scripts again, and reaches fn like any error.
 */
int redis_eval(struct redis *r, const struct redis_script *script,
    redis_reply_fn *fn, void *arg, int keys, int argc, const char **argv);
/*
 * Turns the connection, and each later one, into a subscriber of the named
 * channel. Then fn gets the payload of every message as a string reply. A
 * subscriber takes no commands.
 */
int redis_subscribe(
    struct redis *r, const char *channel, redis_reply_fn *fn, void *arg);

#endif
