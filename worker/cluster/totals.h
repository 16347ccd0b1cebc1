/*
 * totals - this slot's counters on their way into the cluster's.
 *
 * One per worker. Every FLUSH_MS, if they changed, the slot's cumulative
 * totals go to Redis as they stand, in one script call that adds what is new
 * since this writer (instance incarnation, slot) last stored. So a flush may
 * be repeated, lost or reordered, Redis may forget its last seconds, and the
 * worker may die: the next flush, or the successor's first, puts it right.
 * Whatever is not acknowledged is simply sent again; one flush is under way at
 * a time.
 *
 * Keys: drover:{CLUSTER}:totals, a hash of field and sum, and
 * drover:{CLUSTER}:writer:INCARNATION:SLOT, what was stored last, kept for 30
 * days after the last flush. (A writer cut off for longer, and not restarted
 * meanwhile, would be added twice.)
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

/* To be among the scripts of the redis that totals_new() is given. */
extern struct redis_script totals_script;

/* redis: NULL when not configured. NULL with ENOMEM. */
struct totals *totals_new(struct loop *loop, struct redis *redis,
    const struct config *config, struct scoreboard *scoreboard, unsigned slot);
/* In the batch in which the redis is freed, before that. */
void totals_free(struct totals *t);

/* Sends now, or as soon as the flush under way was answered: Redis is up
 * again, or the worker drains. */
void totals_flush(struct totals *t);
/* Everything counted so far is acknowledged, or Redis is away and waiting is
 * no use. */
bool totals_is_settled(const struct totals *t);
/* The cluster's requests as far as this worker knows: those of the last
 * reply, and what this slot counted since. Without Redis, this instance's. */
uint64_t totals_cluster_requests(const struct totals *t);

#endif
