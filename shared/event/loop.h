/*
 * loop - the event loop: epoll (edge-triggered), timers, deferred work and a
 * graveyard. One per process, single-threaded.
 *
 * One iteration: poll; all that it told is noted at the descriptors it is
 * about (loop_watch_is_quiet()); descriptors marked `urgent` are called; the
 * others; due timers; deferred work; the iteration's end; the graveyard. The
 * clock is read when the poll returns and when the iteration ends, never in
 * between, so everything in one iteration sees the same loop_now_us().
 *
 * Nothing is freed during dispatch: whoever closes an object hands it to
 * loop_bury() and its memory goes after the batch, so that events that were
 * already fetched for it find a valid struct with fd -1.
 */
#ifndef LOOP_H
#define LOOP_H

#include <sys/epoll.h>

#include <stdbool.h>
#include <stdint.h>

#include "timer.h"

struct loop;

/*
 * How early a timer that may fire early does so, see timer.h: by more than the
 * kernel's own tick, 4 ms where CONFIG_HZ is 250 as Debian has it. For a poll
 * whose timeout is nearer than that tick the kernel has to program the clock,
 * which costs 2 to 4 us on a virtual machine.
 */
#define LOOP_EARLY_US 6000

/* events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll gave. */
typedef void loop_watch_fn(void *arg, uint32_t events);
typedef void loop_defer_fn(void *arg);
typedef void loop_free_fn(void *p);
typedef bool loop_end_fn(void *arg, bool has_polled);

/* A registered descriptor; embedded in its owner. */
struct loop_watch {
	loop_watch_fn *fn;
	void *arg;
	int fd;         /* -1: not registered */
	uint32_t ready; /* what this batch has for it, until it is called */
	bool urgent;    /* dispatched before the rest of a batch: listeners */
};

/* Work for the end of this iteration; embedded, queued at most once. */
struct loop_deferred {
	loop_defer_fn *fn;
	void *arg;
	struct loop_deferred *next;
	bool queued;
};

/*
 * What watches the loop itself (the event-loop delay meter). woke() right
 * after the poll returned, asleep() right before the next poll.
 */
struct loop_observer {
	/* entered_ns: when the poll began; due_ns: when its timeout was due
	 * (UINT64_MAX: none); now_ns: when it returned. */
	void (*woke)(
	    void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns);
	void (*asleep)(void *arg, uint64_t woke_ns, uint64_t now_ns);
	void *arg;
};

/* NULL with errno when the kernel gives no epoll descriptor or memory ends. */
struct loop *loop_new(void);
/* Runs what is left in the graveyard and frees the loop. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(). -1 with errno when epoll itself fails. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

void loop_observe(struct loop *loop, const struct loop_observer *observer);

/* CLOCK_MONOTONIC when this iteration's poll returned. */
uint64_t loop_now_us(const struct loop *loop);

void loop_watch_init(struct loop_watch *w, loop_watch_fn *fn, void *arg);
/*
 * Registers fd once for its lifetime. events as for epoll_ctl(2): usually
 * EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET. -1 with errno.
 */
int loop_watch_add(
    struct loop *loop, struct loop_watch *w, int fd, uint32_t events);
/* Changes the interest of a level-triggered watch (foreign libraries). */
int loop_watch_modify(struct loop *loop, struct loop_watch *w, uint32_t events);
/* Nothing had come for it when this iteration's poll returned; or it has been
 * called since. That it can be written to is nothing: what had come may have
 * been read before the poll. */
static inline bool
loop_watch_is_quiet(const struct loop_watch *w)
{
	return (w->ready & ~(uint32_t)EPOLLOUT) == 0;
}
/* Of how many descriptors the last poll told. */
unsigned loop_ready_count(const struct loop *loop);
/* The last poll told of all that was ready. */
bool loop_poll_was_complete(const struct loop *loop);
/* Unregisters; the descriptor stays open and is the caller's. */
void loop_watch_del(struct loop *loop, struct loop_watch *w);
/* The same, and closes it. */
void loop_watch_close(struct loop *loop, struct loop_watch *w);
/* This process forks, or has forked: see loop_watch_close(). */
void loop_share(struct loop *loop);

/* Arms or moves. Running out of memory here ends the process (CHECK). */
void loop_timer_set(struct loop *loop, struct timer *t, uint64_t due_us);
/* The same, delay_us after loop_now_us(). */
void loop_timer_after(struct loop *loop, struct timer *t, uint64_t delay_us);
void loop_timer_clear(struct loop *loop, struct timer *t);

void loop_deferred_init(struct loop_deferred *d, loop_defer_fn *fn, void *arg);
void loop_defer(struct loop *loop, struct loop_deferred *d);
void loop_defer_cancel(struct loop *loop, struct loop_deferred *d);

/*
 * Calls fn when all else of an iteration is done; what it defers is the next
 * one's. True, its answer, asks for a poll that does not wait: then it is
 * called again, has_polled, when loop_watch_is_quiet() says what that told, of
 * which nobody has been called yet. One per loop; NULL: nobody.
 */
void loop_at_end(struct loop *loop, loop_end_fn *fn, void *arg);

/* Calls free_fn(p) after the batch in hand. */
void loop_bury(struct loop *loop, void *p, loop_free_fn *free_fn);

#endif
