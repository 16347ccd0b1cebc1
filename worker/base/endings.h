/*
 * endings - requests that have ended in this iteration of the loop, until the
 * iteration's end says how long each took. Worker only.
 *
 * Answers leave at an iteration's end, and the loop reads the clock there
 * anyway. So a duration has in it what a handler blocked the loop for, and
 * costs no clock.
 */
#ifndef ENDINGS_H
#define ENDINGS_H

#include "duration.h"

/* More of them in one iteration read a clock of their own. */
#define ENDINGS_MAX 128

struct ending {
	struct duration_histogram *histogram;
	uint64_t start_us;
};

struct endings {
	unsigned count;
	struct ending list[ENDINGS_MAX];
};

/* Adds them all to their histograms. */
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
