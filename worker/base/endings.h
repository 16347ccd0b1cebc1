/*
 * endings - requests that have ended in the present iteration of the loop,
 * until the iteration's end gives their durations. Worker only.
 *
 * Responses leave at an iteration's end, where the loop reads the clock anyway.
 * A duration thus includes the time for which a handler blocked the loop, and
 * costs no clock call.
 */
#ifndef ENDINGS_H
#define ENDINGS_H

#include "duration.h"

/* Further requests in an iteration read a clock of their own. */
#define ENDINGS_MAX 128

struct ending {
	struct duration_histogram *histogram;
	uint64_t start_us;
};

struct endings {
	unsigned count;
	struct ending list[ENDINGS_MAX];
};

/* Adds all durations to their histograms. */
void endings_settle(struct endings *endings, uint64_t now_ns);
/* The list is full. */
void endings_settle_now(struct endings *endings);

/* start_us: loop_now_us() of then. */
static inline void
endings_add(struct endings *endings, struct duration_histogram *histogram,
    uint64_t start_us)
{
	endings->list[endings->count++] = (struct ending){histogram, start_us};
	if (endings->count == ENDINGS_MAX)
		endings_settle_now(endings);
}

#endif
