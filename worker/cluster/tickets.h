/*
 * tickets - the numbers of /api/count: each handed out once, and increasing,
 * over all workers and instances.
 *
 * One per worker. Requests wait in a list; one block of numbers at a time is
 * asked from Redis, for all that wait then, so a number always comes from a
 * block asked for after its request arrived. A block is named by
 * (incarnation, slot, sequence): asked again after a lost reply, it is the
 * same block. The sequence lives in the scoreboard and is advanced before it
 * is used, so no successor uses one again. Numbers of a block that nobody
 * waits for any more are never used.
 *
 * Keys: drover:{CLUSTER}:count and drover:{CLUSTER}:count:INCARNATION:SLOT.
 */
#ifndef TICKETS_H
#define TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "scoreboard.h"

#define TICKETS_WAITING_MAX 4096
#define TICKETS_TIMEOUT_MS 2000

struct redis;
struct redis_script;
struct tickets;
struct ticket;

/* To be among the scripts of the redis that tickets_new() is given. */
extern struct redis_script tickets_script;

/* ok: false when Redis is away, late or refuses; then number is 0. Never from
 * inside tickets_take(). */
typedef void tickets_fn(void *arg, bool ok, uint64_t number);

struct ticket_list {
	struct ticket *first;
	struct ticket **last;
	unsigned count;
};

/* A request that waits for its number; embedded in its owner, zeroed before
 * its first use. */
struct ticket {
	tickets_fn *fn;
	void *arg;
	uint64_t due_us;
	struct ticket_list *list; /* NULL: does not wait */
	struct ticket *next;
	struct ticket **at;
};

/* redis: NULL when not configured. NULL with ENOMEM. */
struct tickets *tickets_new(struct loop *loop, struct redis *redis,
    const struct config *config, struct scoreboard *scoreboard, unsigned slot);
/* In the batch in which the redis is freed, before that. Nobody is called
 * back. */
void tickets_free(struct tickets *t);
/* The redis it was given is up: what was left unanswered is asked again. */
void tickets_on_up(struct tickets *t);
/* An attempt to connect has failed: whoever waited for the first one is
 * refused. */
void tickets_on_unreachable(struct tickets *t);

/* fn follows within TICKETS_TIMEOUT_MS; soon when Redis is not up, unless it
 * is connected to for the first time, or TICKETS_WAITING_MAX wait already. */
void tickets_take(
    struct tickets *t, struct ticket *ticket, tickets_fn *fn, void *arg);
/* fn is not called any more. A ticket that does not wait is left alone. */
void tickets_cancel(struct ticket *ticket);

#endif
