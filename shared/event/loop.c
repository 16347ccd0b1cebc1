#include "loop.h"

#include <sys/epoll.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

#define BATCH 256
#define NS_PER_US 1000
#define NS_PER_MS 1000000

struct grave {
	void *p;
	loop_free_fn *free_fn;
};

struct loop {
	int epoll_fd;
	bool running;
	bool shared;           /* a child may hold duplicates of descriptors */
	unsigned ready_count;  /* of the last poll */
	unsigned urgent_count; /* registered urgent watches */
	uint64_t woke_ns;
	uint64_t now_us; /* the same; asked for far more often than set */
	struct timer_heap timers;
	struct loop_deferred *deferred_head;
	struct loop_deferred **deferred_tail;
	size_t deferred_count;
	struct grave *graves;
	size_t grave_count;
	size_t grave_cap;
	loop_end_fn *at_end;
	void *at_end_arg;
	struct loop_observer observer;
	struct epoll_event events[BATCH];
};

static void
wake(struct loop *loop)
{
	loop->woke_ns = clock_ns();
	loop->now_us = loop->woke_ns / NS_PER_US;
}

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd == -1) {
		free(loop);
		return NULL;
	}
	timer_heap_init(&loop->timers);
	loop->deferred_tail = &loop->deferred_head;
	wake(loop);
	return loop;
}

static void
run_graveyard(struct loop *loop)
{
	/* A free function may bury more. */
	for (size_t i = 0; i < loop->grave_count; i++)
		loop->graves[i].free_fn(loop->graves[i].p);
	loop->grave_count = 0;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	run_graveyard(loop);
	free(loop->graves);
	timer_heap_fini(&loop->timers);
	close(loop->epoll_fd);
	free(loop);
}

void
loop_observe(struct loop *loop, const struct loop_observer *observer)
{
	loop->observer = *observer;
}

uint64_t
loop_now_us(const struct loop *loop)
{
	return loop->now_us;
}

void
loop_stop(struct loop *loop)
{
	loop->running = false;
}

void
loop_watch_init(struct loop_watch *w, loop_watch_fn *fn, void *arg)
{
	w->fn = fn;
	w->arg = arg;
	w->fd = -1;
	w->ready = 0;
	w->urgent = false;
}

int
loop_watch_add(struct loop *loop, struct loop_watch *w, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == -1)
		return -1;
	w->fd = fd;
	loop->urgent_count += w->urgent;
	return 0;
}

int
loop_watch_modify(struct loop *loop, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
}

static void
forget(struct loop *loop, struct loop_watch *w)
{
	w->fd = -1;
	w->ready = 0;
	loop->urgent_count -= w->urgent;
}

void
loop_watch_del(struct loop *loop, struct loop_watch *w)
{
	if (w->fd == -1)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	forget(loop, w);
}

void
loop_watch_close(struct loop *loop, struct loop_watch *w)
{
	int fd = w->fd;

	/* The kernel unregisters a closed descriptor, but not while another
	 * process holds a duplicate. */
	if (loop->shared)
		loop_watch_del(loop, w);
	else
		forget(loop, w);
	close(fd);
}

void
loop_share(struct loop *loop)
{
	loop->shared = true;
}

void
loop_timer_set(struct loop *loop, struct timer *t, uint64_t due_us)
{
	CHECK(timer_heap_set(&loop->timers, t, due_us) == 0);
}

void
loop_timer_after(struct loop *loop, struct timer *t, uint64_t delay_us)
{
	loop_timer_set(loop, t, loop_now_us(loop) + delay_us);
}

void
loop_timer_clear(struct loop *loop, struct timer *t)
{
	timer_heap_clear(&loop->timers, t);
}

void
loop_deferred_init(struct loop_deferred *d, loop_defer_fn *fn, void *arg)
{
	d->fn = fn;
	d->arg = arg;
	d->next = NULL;
	d->queued = false;
}

void
loop_defer(struct loop *loop, struct loop_deferred *d)
{
	if (d->queued)
		return;
	d->queued = true;
	d->next = NULL;
	*loop->deferred_tail = d;
	loop->deferred_tail = &d->next;
	loop->deferred_count++;
}

void
loop_defer_cancel(struct loop *loop, struct loop_deferred *d)
{
	struct loop_deferred **at = &loop->deferred_head;

	if (!d->queued)
		return;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	if (loop->deferred_tail == &d->next)
		loop->deferred_tail = at;
	d->queued = false;
	loop->deferred_count--;
}

void
loop_at_end(struct loop *loop, loop_end_fn *fn, void *arg)
{
	loop->at_end = fn;
	loop->at_end_arg = arg;
}

void
loop_bury(struct loop *loop, void *p, loop_free_fn *free_fn)
{
	if (loop->grave_count == loop->grave_cap) {
		size_t cap = loop->grave_cap != 0 ? loop->grave_cap * 2 : 64;
		struct grave *graves;

		graves = reallocarray(loop->graves, cap, sizeof(*graves));
		CHECK(graves != NULL);
		loop->graves = graves;
		loop->grave_cap = cap;
	}
	loop->graves[loop->grave_count++] = (struct grave){p, free_fn};
}

/* When the poll has to return for a timer or deferred work, in ns; UINT64_MAX
 * for never. */
static uint64_t
poll_due_ns(const struct loop *loop)
{
	uint64_t next_us;

	if (loop->deferred_head != NULL)
		return 0;
	next_us = timer_heap_next(&loop->timers);
	return next_us == UINT64_MAX ? UINT64_MAX : next_us * NS_PER_US;
}

static int
poll_timeout_ms(uint64_t due_ns, uint64_t now_ns)
{
	uint64_t ms;

	if (due_ns == UINT64_MAX)
		return -1;
	if (due_ns <= now_ns)
		return 0;
	/* Rounded up: to wake early would only mean to poll again. */
	ms = (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

unsigned
loop_ready_count(const struct loop *loop)
{
	return loop->ready_count;
}

bool
loop_poll_was_complete(const struct loop *loop)
{
	return loop->ready_count < BATCH;
}

static void
note(struct loop *loop, int count)
{
	loop->ready_count = count > 0 ? (unsigned)count : 0;
	for (int i = 0; i < count; i++) {
		struct loop_watch *w = loop->events[i].data.ptr;

		w->ready = loop->events[i].events;
	}
}

static void
dispatch(struct loop *loop, int count, bool urgent)
{
	for (int i = 0; i < count; i++) {
		struct loop_watch *w = loop->events[i].data.ptr;
		uint32_t events = w->ready;

		/* A watch that was closed earlier in the batch has no events. A
		 * watch that was opened again gets new events from the next
		 * poll. */
		if (events == 0 || w->urgent != urgent)
			continue;
		w->ready = 0;
		w->fn(w->arg, events);
	}
}

static void
run_timers(struct loop *loop)
{
	uint64_t now_us = loop_now_us(loop);
	struct timer *t;

	/* Terminates: a callback re-arms its timer for later than now_us. */
	while ((t = timer_heap_pop(&loop->timers, now_us)) != NULL)
		t->fn(t->arg);
}

static void
run_deferred(struct loop *loop)
{
	/* Only the work queued by now. Work deferred meanwhile waits for the
	 * next round: an endless chain cannot keep the loop from polling. */
	for (size_t n = loop->deferred_count; n > 0; n--) {
		struct loop_deferred *d = loop->deferred_head;

		if (d == NULL)
			break;
		loop_defer_cancel(loop, d);
		d->fn(d->arg);
	}
}

/* True: poll once more before the end. A stopping loop does not. */
static bool
end_iteration(struct loop *loop, bool has_polled)
{
	return loop->at_end != NULL &&
	       loop->at_end(loop->at_end_arg, has_polled || !loop->running);
}

int
loop_run(struct loop *loop)
{
	uint64_t now_ns = clock_ns();
	bool end_is_due = false; /* of the iteration before */

	loop->running = true;
	while (loop->running) {
		uint64_t entered_ns = now_ns;
		uint64_t due_ns = end_is_due ? 0 : poll_due_ns(loop);
		int count = epoll_wait(loop->epoll_fd, loop->events, BATCH,
		    poll_timeout_ms(due_ns, now_ns));

		if (count == -1 && errno != EINTR)
			return -1;
		wake(loop);
		if (loop->observer.woke != NULL)
			loop->observer.woke(loop->observer.arg, entered_ns,
			    due_ns, loop->woke_ns);
		note(loop, count);
		if (end_is_due)
			(void)end_iteration(loop, true);
		if (loop->urgent_count != 0)
			dispatch(loop, count, true);
		dispatch(loop, count, false);
		run_timers(loop);
		run_deferred(loop);
		end_is_due = end_iteration(loop, false);
		run_graveyard(loop);
		now_ns = clock_ns();
		if (loop->observer.asleep != NULL)
			loop->observer.asleep(
			    loop->observer.arg, loop->woke_ns, now_ns);
	}
	return 0;
}
