/*
 * sequence - the numbers of /api/count: unique and increasing over all workers
 * and instances. One sequence per worker.
 *
 * Requests wait in a queue. The sequence asks Redis for one block of numbers at
 * a time, for all requests that wait at the moment. A number always comes from
 * a block that was asked for after the request arrived. A block is named by
 * (incarnation, slot, block number); after a lost reply the same name gets the
 * same block. The block number is kept in the scoreboard and advanced before
 * each use: a successor never repeats a name. When a request leaves, its number
 * is lost.
 *
 * Keys: drover:{CLUSTER}:count and drover:{CLUSTER}:count:INCARNATION:SLOT.
 */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "scoreboard.h"

#define SEQUENCE_WAITING_MAX 4096
#define SEQUENCE_TIMEOUT_MS 2000

struct redis;
struct redis_script;
struct sequence;
struct sequence_queue;

/* Must be among the scripts of the redis given to sequence_new(). */
extern struct redis_script sequence_script;

/* ok: false when Redis is away, late or refuses; number is 0 then. Never called
 * from inside sequence_take(). */
typedef void sequence_fn(void *arg, bool ok, uint64_t number);

/* A request that waits for its number; embedded in its owner, zeroed before
 * the first use. */
struct sequence_wait {
	sequence_fn *fn;
	void *arg;
	uint64_t due_us;
	struct sequence_queue *queue; /* NULL: does not wait */
	TAILQ_ENTRY(sequence_wait) entry;
};

/* redis: NULL when not configured. NULL with ENOMEM. */
struct sequence *sequence_new(struct loop *loop, struct redis *redis,
    const struct config *config, struct scoreboard *scoreboard, unsigned slot);
/* Call before redis_free(), in the same loop iteration. No callback is called
 * any more. */
void sequence_free(struct sequence *s);
/* The redis is up: an unanswered block is asked for again. */
void sequence_on_up(struct sequence *s);
/* An attempt to connect has failed. The first failure refuses all requests that
 * wait for the first connection. */
void sequence_on_unreachable(struct sequence *s);

/*
 * fn follows within SEQUENCE_TIMEOUT_MS. fn follows soon, with ok false, when
 * SEQUENCE_WAITING_MAX requests wait already, or when Redis is not up. In a new
 * worker, however, a request waits for the first connection.
 */
void sequence_take(
    struct sequence *s, struct sequence_wait *wait, sequence_fn *fn, void *arg);
/* Withdraws fn. No effect on a request that does not wait. */
void sequence_cancel(struct sequence_wait *wait);

#endif
