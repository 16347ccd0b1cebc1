/*
 * timer - deadlines of one event loop, in a binary heap.
 *
 * Both processes. A timer is embedded in the object whose deadline it is; the
 * heap only points at it, so a timer must be cleared before its owner's memory
 * goes. Times are microseconds of CLOCK_MONOTONIC.
 *
 * Moving a pending deadline later is O(1) and does not touch the heap: the
 * entry sinks when its old time comes. That is the common case here, a
 * connection whose idle deadline moves with every read.
 *
 * A timer that does something now and then, and not because a time is over, may
 * fire early: when it is the next and the loop is awake anyway. So a busy loop
 * seldom sleeps until a timer that is near.
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
	uint64_t heap_us;  /* the key it has in the heap, <= due_us */
	uint32_t index;    /* place in the heap + 1, 0 when not pending */
	uint32_t early_us; /* so much earlier it may */
};

struct timer_heap {
	struct timer **items;
	size_t count;
	size_t cap;
};

void timer_init(struct timer *t, timer_fn *fn, void *arg);
/* For a timer that may fire up to early_us before it is due. Whoever sets it
 * while it fires does so for later than that from now. */
void timer_init_early(
    struct timer *t, timer_fn *fn, void *arg, uint32_t early_us);
bool timer_is_pending(const struct timer *t);

void timer_heap_init(struct timer_heap *heap);
void timer_heap_fini(struct timer_heap *heap);

/* Arms or moves a timer. -1 with ENOMEM leaves it as it was. */
int timer_heap_set(struct timer_heap *heap, struct timer *t, uint64_t due_us);
/* Disarms; a timer that is not pending is left alone. */
void timer_heap_clear(struct timer_heap *heap, struct timer *t);

/* When the heap next wants to run: UINT64_MAX when it is empty. */
uint64_t timer_heap_next(const struct timer_heap *heap);
/* Takes one due timer off the heap, or NULL when none is due at now_us. One
 * that may fire early is due early if it is the next. */
struct timer *timer_heap_pop(struct timer_heap *heap, uint64_t now_us);

#endif
