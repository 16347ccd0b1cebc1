/*
 * redis_calls - the commands of one connection that wait for a reply. Pure.
 *
 * hiredis matches replies to commands, but keeps no times. A deadline needs the
 * time at which the oldest unanswered command left: each command has an entry.
 * Redis answers in order, so the queue is a ring, of REDIS_PENDING_MAX.
 */
#ifndef REDIS_CALLS_H
#define REDIS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "redis_options.h"

struct redis_call {
	redis_reply_fn *fn; /* or NULL */
	void *arg;
	uint64_t sent_us;
};

/* All zero: empty. */
struct redis_calls {
	unsigned oldest; /* index of the oldest call */
	unsigned count;
	unsigned unsent; /* the newest calls, still in the output buffer */
	struct redis_call calls[REDIS_PENDING_MAX];
};

bool redis_calls_is_full(const struct redis_calls *c);
/* Appends an unsent call. The queue must not be full. */
void redis_calls_add(struct redis_calls *c, redis_reply_fn *fn, void *arg);
/* Removes the oldest call. The queue must not be empty. */
struct redis_call redis_calls_take(struct redis_calls *c);
/* Every unsent call leaves at now_us. */
void redis_calls_sent(struct redis_calls *c, uint64_t now_us);
/* The time at which the oldest call left. False when no sent call waits. */
bool redis_calls_oldest_us(const struct redis_calls *c, uint64_t *sent_us);

#endif
