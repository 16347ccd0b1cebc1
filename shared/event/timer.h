/*
 * timer - deadlines of one event loop, in a binary heap. Both processes.
 *
 * A timer is embedded in the object that has the deadline. The heap only points
 * at the timer: clear the timer before the object's memory is freed. Times are
 * microseconds of CLOCK_MONOTONIC.
 *
 * Moving a pending deadline later is O(1) and does not touch the heap. The
 * entry sinks when the old time comes. Most moves are of this kind, since the
 * idle deadline of a connection moves with every read.
 *
 * A timer for periodic work, rather than for a deadline, may fire early. The
 * time is any moment when no timer comes before and the loop is awake anyway. A
 * busy loop then seldom sleeps towards a near timer.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void timer_fn(void *arg);

struct timer {
	timer_fn *fn;
	void *arg;
	uint64_t due_us;   /* when to fire */
	uint64_t heap_us;  /* the key in the heap, <= due_us */
	uint32_t index;    /* place in the heap + 1, 0 when not pending */
	uint32_t early_us; /* tolerance: may fire earlier by as much */
};

struct timer_heap {
	struct timer **items;
	size_t count;
	size_t cap;
};

void timer_init(struct timer *t, timer_fn *fn, void *arg);
/* A timer that may fire up to early_us early. A callback that re-arms the timer
 * sets a time more than early_us from now. */
void timer_init_early(
    struct timer *t, timer_fn *fn, void *arg, uint32_t early_us);
bool timer_is_pending(const struct timer *t);

void timer_heap_init(struct timer_heap *heap);
void timer_heap_fini(struct timer_heap *heap);

/* Arms or moves a timer. -1 with ENOMEM: the timer is unchanged. */
int timer_heap_set(struct timer_heap *heap, struct timer *t, uint64_t due_us);
/* Disarms a pending timer; no effect otherwise. */
void timer_heap_clear(struct timer_heap *heap, struct timer *t);

/* When the heap next needs a timer_heap_pop(); UINT64_MAX when empty. */
uint64_t timer_heap_next(const struct timer_heap *heap);
/* Takes a due timer off the heap; NULL when none is due at now_us. The next
 * timer of the heap counts as due early_us before its time. */
struct timer *timer_heap_pop(struct timer_heap *heap, uint64_t now_us);

#endif
