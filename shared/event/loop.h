/*
 * loop - the event loop: epoll (edge-triggered), timers, deferred work and a
 * graveyard. One per process, single-threaded.
 *
 * An iteration polls and notes the events at their watches
 * (loop_watch_is_quiet()). Urgent watches are called first, then the rest, due
 * timers, deferred work and the end function (loop_at_end()). The graveyard is
 * emptied last. The clock is read when the poll returns and when the iteration
 * ends, never in between. So loop_now_us() is constant within an iteration.
 *
 * Nothing is freed during dispatch. The owner of a closed object hands the
 * memory to loop_bury(), which frees after the batch. Events that were already
 * fetched find a valid struct with fd -1.
 */
#ifndef LOOP_H
#define LOOP_H

#include <sys/epoll.h>

#include <stdbool.h>
#include <stdint.h>

#include "timer.h"

struct loop;

/*
 * The tolerance of timers that may fire early (timer.h). The value is above the
 * kernel's tick, 4 ms with Debian's CONFIG_HZ of 250. A poll with a shorter
 * timeout makes the kernel program the clock: 2 to 4 us on a virtual machine.
 */
#define LOOP_EARLY_US 6000

/* events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll gave. */
typedef void loop_watch_fn(void *arg, uint32_t events);
typedef void loop_defer_fn(void *arg);
typedef void loop_free_fn(void *p);
typedef bool loop_end_fn(void *arg, bool has_polled);

/* A registered descriptor; embedded in the owner. */
struct loop_watch {
	loop_watch_fn *fn;
	void *arg;
	int fd;         /* -1: not registered */
	uint32_t ready; /* events of this batch, until fn is called */
	bool urgent;    /* dispatched before the rest of a batch: listeners */
};

/* Work for the end of the iteration; embedded, queued at most once. */
struct loop_deferred {
	loop_defer_fn *fn;
	void *arg;
	struct loop_deferred *next;
	bool queued;
};

/*
 * An observer of the loop: the event-loop delay meter. woke() is called right
 * after a poll returned, asleep() right before the next poll.
 */
struct loop_observer {
	/* entered_ns: the poll began; due_ns: the end of its timeout
	 * (UINT64_MAX: none); now_ns: the poll returned. */
	void (*woke)(
	    void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns);
	void (*asleep)(void *arg, uint64_t woke_ns, uint64_t now_ns);
	void *arg;
};

/* NULL with errno when the kernel gives no epoll descriptor or memory ends. */
struct loop *loop_new(void);
/* Empties the graveyard and frees the loop. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(). -1 with errno when epoll_wait(2) fails. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

void loop_observe(struct loop *loop, const struct loop_observer *observer);

/* CLOCK_MONOTONIC at the return of the last poll. */
uint64_t loop_now_us(const struct loop *loop);

void loop_watch_init(struct loop_watch *w, loop_watch_fn *fn, void *arg);
/*
 * Registers fd once for the watch's lifetime. events as for epoll_ctl(2):
 * usually EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET. -1 with errno.
 */
int loop_watch_add(
    struct loop *loop, struct loop_watch *w, int fd, uint32_t events);
/* Changes the interest of a level-triggered watch (foreign libraries). */
int loop_watch_modify(struct loop *loop, struct loop_watch *w, uint32_t events);
/* True when the last poll reported no input, hangup or error for the watch, or
 * when fn has been called since. EPOLLOUT alone does not count: epoll reports a
 * descriptor as writable when the input was read before the poll. */
static inline bool
loop_watch_is_quiet(const struct loop_watch *w)
{
	return (w->ready & ~(uint32_t)EPOLLOUT) == 0;
}
/* The number of descriptors that the last poll reported. */
unsigned loop_ready_count(const struct loop *loop);
/* True when the last poll reported every ready descriptor: the batch had room
 * for more. */
bool loop_poll_was_complete(const struct loop *loop);
/* Unregisters; the caller keeps the open descriptor. */
void loop_watch_del(struct loop *loop, struct loop_watch *w);
/* Unregisters and closes the descriptor. */
void loop_watch_close(struct loop *loop, struct loop_watch *w);
/* The process forks, or has forked. A child may hold duplicates, hence
 * loop_watch_close() unregisters before closing from now on. */
void loop_share(struct loop *loop);

/* Arms or moves a timer. Without memory the process aborts (CHECK). */
void loop_timer_set(struct loop *loop, struct timer *t, uint64_t due_us);
/* The same, delay_us after loop_now_us(). */
void loop_timer_after(struct loop *loop, struct timer *t, uint64_t delay_us);
void loop_timer_clear(struct loop *loop, struct timer *t);

void loop_deferred_init(struct loop_deferred *d, loop_defer_fn *fn, void *arg);
void loop_defer(struct loop *loop, struct loop_deferred *d);
void loop_defer_cancel(struct loop *loop, struct loop_deferred *d);

/*
 * Calls fn at the end of each iteration, with has_polled false. Work that fn
 * defers belongs to the next iteration.
 *
 * When fn returns true, the loop polls again at once, and calls fn with
 * has_polled true before any watch. loop_watch_is_quiet() then tells the newest
 * state. A loop that is stopping skips the second poll, and passes true at
 * once. One fn per loop; NULL removes fn.
 */
void loop_at_end(struct loop *loop, loop_end_fn *fn, void *arg);

/* Calls free_fn(p) at the end of the iteration. */
void loop_bury(struct loop *loop, void *p, loop_free_fn *free_fn);

#endif
