/*
 * redis_private - what redis.c, redis_link.c and redis_setup.c share, and
 * nobody else sees: redis_link keeps the connection, redis_setup makes it fit
 * for use, redis sends commands over it.
 */
#ifndef REDIS_PRIVATE_H
#define REDIS_PRIVATE_H

#include <hiredis/async.h>

#include "redis.h"

#define REDIS_US_PER_MS UINT64_C(1000)
#define REDIS_REASON_MAX 160

/*
 * hiredis' own bookkeeping is not enough for a deadline, so each command that
 * waits for its reply has an entry here; replies come in the same order.
 */
struct redis_call {
	redis_reply_fn *fn;
	void *arg;
	uint64_t sent_us;
};

enum link_state {
	LINK_WAITING,    /* for the next attempt */
	LINK_RESOLVING,  /* the name */
	LINK_CONNECTING, /* connect(2) is under way */
	LINK_SETTING_UP, /* AUTH ... SCRIPT LOAD, SUBSCRIBE */
	LINK_UP,
	LINK_CLOSED, /* redis_free() */
};

struct redis {
	struct loop *loop;
	struct resolver *resolver;
	struct redis_options options;
	enum link_state state;
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
	char reason[REDIS_REASON_MAX]; /* why the connection is going, or "" */

	unsigned steps;    /* of setting up, not answered yet */
	size_t loaded;     /* scripts answered, in this round of loading */
	bool is_reloading; /* after a NOSCRIPT */
	char *channel;     /* NULL: takes commands */
	redis_reply_fn *message_fn;
	void *message_arg;

	unsigned head;  /* the oldest call */
	unsigned count; /* calls that wait for a reply */
	unsigned fresh; /* of these, the newest ones, still to be flushed */
	struct redis_call calls[REDIS_PENDING_MAX];
};

/* The one setter of the state; CHECKs that the step is legal. */
void redis_link_enter(struct redis *r, enum link_state state);
/*
 * Ends the connection. hiredis answers every call with NULL and lets go of it,
 * perhaps only once we have left its callback.
 */
__attribute__((format(printf, 2, 3))) void redis_link_drop(
    struct redis *r, const char *fmt, ...);
/* False from the moment that a connection is known to be lost, which is
 * before the pending calls hear of it. */
bool redis_link_is_sound(const struct redis *r);
/* The deadline of the oldest call that was flushed. */
void redis_link_set_deadline(struct redis *r);
/* In place, for redis_new() and redis_free(). */
void redis_link_init(struct redis *r);
void redis_link_close(struct redis *r);

/* redis_command() in any state that has a connection. */
int redis_send(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens);

/* Sends every step of setting up; the last answer makes it up. */
void redis_setup_begin(struct redis *r);
void redis_setup_load(struct redis *r);

#endif
