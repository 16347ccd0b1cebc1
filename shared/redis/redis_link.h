/*
 * redis_link - one connection to Redis, made anew whenever it is lost.
 *
 * The link resolves the host, connects, and tries again with backoff and jitter
 * (10 ms to 1 s). Deadlines are made here, since hiredis has none.
 * REDIS_CONNECT_MS is for connecting and setting up together, REDIS_REPLY_MS
 * for the oldest unanswered command. Past either the connection is dropped. All
 * commands of one loop iteration leave in one write, at the end of the
 * iteration.
 *
 * The owner sets a new connection up. on_connected() sends the commands for the
 * set-up; redis_link_set_up() ends the set-up. The link itself calls on_down()
 * and on_unreachable() of the options.
 */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/async.h>

#include "loop.h"
#include "redis_calls.h"
#include "redis_options.h"
#include "resolver.h"

#define REDIS_REASON_MAX 160

enum redis_link_state {
	REDIS_LINK_WAITING, /* for the next attempt */
	REDIS_LINK_RESOLVING,
	REDIS_LINK_CONNECTING,
	REDIS_LINK_SETTING_UP, /* AUTH ... SCRIPT LOAD, SUBSCRIBE */
	REDIS_LINK_UP,
	REDIS_LINK_CLOSED,
};

/* The link's surroundings; the options must outlive the link. */
struct redis_link_parts {
	struct loop *loop;
	struct resolver *resolver;
	const struct redis_options *options;
	/* The connection was made: send the steps of the set-up. */
	void (*on_connected)(void *arg);
	/* A reply is an error; called before the command's own callback. */
	void (*on_error)(void *arg, const redisReply *reply);
	void *arg;
};

struct redis_link {
	struct redis_link_parts parts;
	enum redis_link_state state;
	uint64_t backoff_us;
	unsigned attempts;
	struct resolver_query *query;
	struct timer retry; /* the next attempt */
	struct timer setup; /* the deadline of connecting and setting up */
	struct timer reply; /* the deadline of the oldest command */
	redisAsyncContext *context; /* NULL: no connection */
	struct loop_watch watch;
	uint32_t interest;
	bool flushing;
	struct loop_deferred flush;
	struct loop_deferred lost;
	char reason[REDIS_REASON_MAX]; /* of the connection's end, or "" */
	redis_reply_fn *push_fn;
	void *push_arg;
	struct redis_calls calls;
};

/* The link must be all zero. The first attempt starts in the next iteration. */
void redis_link_init(
    struct redis_link *link, const struct redis_link_parts *parts);
/*
 * Closes without a call to on_down(). Pending commands get NULL; inside of a
 * hiredis callback, only when the callback has returned. The memory must stay
 * until the end of the iteration.
 */
void redis_link_close(struct redis_link *link);

/* True between the connection and its loss; the set-up may be under way. False
 * as soon as a loss is known: the pending commands may be unaware still. */
bool redis_link_is_connected(const struct redis_link *link);
/* The same, with the set-up behind it. */
bool redis_link_is_up(const struct redis_link *link);
/* Ends the set-up: the link is up, and the backoff starts over. */
void redis_link_set_up(struct redis_link *link);
/* Ends the connection; the first reason counts. */
__attribute__((format(printf, 2, 3))) void redis_link_drop(
    struct redis_link *link, const char *fmt, ...);

/* One command; argv as redisAsyncCommandArgv() takes it, fn may be NULL. -1
 * with ENOTCONN, with ENOBUFS when REDIS_PENDING_MAX commands wait, or ENOMEM.
 */
int redis_link_send(struct redis_link *link, redis_reply_fn *fn, void *arg,
    int argc, const char **argv, const size_t *lens);
/* SUBSCRIBE; fn gets every array that Redis pushes, the confirmation first. -1
 * with ENOTCONN or ENOMEM. */
int redis_link_subscribe(struct redis_link *link, const char *channel,
    redis_reply_fn *fn, void *arg);
/* Writes now instead of at the end of the iteration. */
void redis_link_flush(struct redis_link *link);

#endif
