/*
 * totals - the counters of this slot on their way into the cluster's.
 *
 * One per worker. Every FLUSH_MS, after a change, the cumulative totals of the
 * slot go to Redis in one script call. The script adds the gains since this
 * writer (instance incarnation, slot) last stored. A flush may be repeated,
 * lost or reordered, Redis may forget its last seconds, and the worker may die.
 * The next flush, or the successor's first, repairs the sums. Unacknowledged
 * totals are sent again; one flush is under way at a time.
 *
 * Keys: drover:{CLUSTER}:totals, a hash of field and sum, and
 * drover:{CLUSTER}:writer:INCARNATION:SLOT, the totals stored last, kept for 30
 * days after the last flush. (A writer cut off for longer, without a restart,
 * would be added twice.)
 *
 * Source: a grow-only counter, Shapiro et al., "A comprehensive study of
 * Convergent and Commutative Replicated Data Types" (2011), section 3.1.1.
 */
#ifndef TOTALS_H
#define TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "scoreboard.h"

struct redis;
struct redis_script;
struct totals;

/* Must be among the scripts of the redis given to totals_new(). */
extern struct redis_script totals_script;

/* redis: NULL when not configured. NULL with ENOMEM. */
struct totals *totals_new(struct loop *loop, struct redis *redis,
    const struct config *config, struct scoreboard *scoreboard, unsigned slot);
/* Call before redis_free(), in the same loop iteration. */
void totals_free(struct totals *t);

/* Sends now, or as soon as the flush under way was answered: Redis is up
 * again, or the worker drains. */
void totals_flush(struct totals *t);
/* True when every count is acknowledged, or Redis is away and waiting is no
 * use. */
bool totals_is_settled(const struct totals *t);
/* The requests of the cluster as far as known: the sum in the last reply, plus
 * the gain of this slot since. Without Redis, the requests of this instance. */
uint64_t totals_cluster_requests(const struct totals *t);

#endif
