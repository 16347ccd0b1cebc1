/* Goal: one iteration runs listeners, descriptors, timers, deferred work and
 * the graveyard in this order. Nothing closed in the iteration is called. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "loop.h"

/* The calls, in order, one letter each. */
static char trace[256];
static struct loop *loop;

static void
note(char what)
{
	size_t len = strlen(trace);

	assert_true(len < sizeof(trace) - 1);
	trace[len] = what;
	trace[len + 1] = '\0';
}

/* An object on the loop: a descriptor, a timer and deferred work. */
struct thing {
	char name;
	int fd;
	struct loop_watch watch;
	struct timer timer;
	struct loop_deferred deferred;
	struct thing *victim; /* closed by the callback */
	int again;            /* how often to defer or re-arm again */
	bool stops;
};

static int
setup(void **state)
{
	(void)state;
	trace[0] = '\0';
	loop = loop_new();
	return loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void
note_grave(void *p)
{
	note(*(char *)p);
}

static void
close_thing(struct thing *t)
{
	loop_watch_del(loop, &t->watch);
	loop_timer_clear(loop, &t->timer);
	loop_defer_cancel(loop, &t->deferred);
	loop_bury(loop, &t->name, note_grave);
}

static void
act(struct thing *t, char what)
{
	note(what);
	if (t->victim != NULL) {
		close_thing(t->victim);
		t->victim = NULL;
	}
	if (t->stops)
		loop_stop(loop);
}

static void
on_watch(void *arg, uint32_t events)
{
	struct thing *t = arg;

	assert_true(events & (EPOLLIN | EPOLLOUT));
	act(t, t->name);
}

static void
on_timer(void *arg)
{
	struct thing *t = arg;

	if (t->again-- > 0)
		loop_timer_after(loop, &t->timer, 1);
	act(t, (char)(t->name + 1));
}

static void
on_deferred(void *arg)
{
	struct thing *t = arg;

	if (t->again-- > 0)
		loop_defer(loop, &t->deferred);
	act(t, (char)(t->name + 2));
}

/* The descriptor has the letter of the name; timer and deferred work have the
 * two letters that follow. */
static void
init_thing(struct thing *t, char name)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->fd = -1;
	loop_watch_init(&t->watch, on_watch, t);
	timer_init(&t->timer, on_timer, t);
	loop_deferred_init(&t->deferred, on_deferred, t);
}

static void
make_ready(struct thing *t, bool first)
{
	t->fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(t->fd >= 0);
	t->watch.urgent = first;
	assert_int_equal(
	    loop_watch_add(loop, &t->watch, t->fd, EPOLLIN | EPOLLET), 0);
}

static void
fini_thing(struct thing *t)
{
	loop_watch_del(loop, &t->watch);
	loop_timer_clear(loop, &t->timer);
	loop_defer_cancel(loop, &t->deferred);
	if (t->fd != -1)
		close(t->fd);
}

static void
test_order_of_one_iteration(void **state)
{
	struct thing a, d, l;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&d, 'd');
	init_thing(&l, 'l');
	make_ready(&a, false);
	make_ready(&d, false);
	make_ready(&l, true);
	loop_timer_after(loop, &a.timer, 0);
	loop_defer(loop, &a.deferred);
	l.victim = &l;
	l.stops = true;
	assert_int_equal(loop_run(loop), 0);
	/* The listener, the descriptors, the timer, deferred work, the
	 * grave. */
	assert_true(
	    strcmp(trace, "ladbcl") == 0 || strcmp(trace, "ldabcl") == 0);
	fini_thing(&a);
	fini_thing(&d);
	fini_thing(&l);
}

static void
test_stop_ends_after_this_iteration(void **state)
{
	struct thing a;

	(void)state;
	init_thing(&a, 'a');
	make_ready(&a, false);
	a.stops = true;
	loop_timer_after(loop, &a.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "ab");
	/* The loop can run again. */
	loop_timer_after(loop, &a.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "abb");
	fini_thing(&a);
}

/* Events of one batch: the first closes the second, or the reverse. */
static void
test_closed_in_the_batch_stays_silent(void **state)
{
	struct thing a, d, x;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&d, 'd');
	init_thing(&x, 'x');
	make_ready(&a, false);
	make_ready(&d, false);
	a.victim = &d;
	d.victim = &a;
	loop_timer_after(loop, &a.timer, 0);
	loop_timer_after(loop, &d.timer, 0);
	loop_defer(loop, &a.deferred);
	loop_defer(loop, &d.deferred);
	x.stops = true;
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	/* A descriptor, its timer, x's timer, its work; the burial of the
	 * other. */
	if (trace[0] == 'a')
		assert_true(
		    strcmp(trace, "abycd") == 0 || strcmp(trace, "aybcd") == 0);
	else
		assert_true(
		    strcmp(trace, "deyfa") == 0 || strcmp(trace, "dyefa") == 0);
	fini_thing(&a);
	fini_thing(&d);
	fini_thing(&x);
}

static void
test_deleted_twice_and_added_again(void **state)
{
	struct thing a, x;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&x, 'x');
	make_ready(&a, true);
	loop_watch_del(loop, &a.watch);
	loop_watch_del(loop, &a.watch);
	assert_int_equal(a.watch.fd, -1);
	x.stops = true;
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "y");
	assert_int_equal(
	    loop_watch_add(loop, &a.watch, a.fd, EPOLLIN | EPOLLET), 0);
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "yay");
	fini_thing(&a);
	fini_thing(&x);
}

static void
test_add_says_what_the_kernel_says(void **state)
{
	struct thing a;

	(void)state;
	init_thing(&a, 'a');
	errno = 0;
	assert_int_equal(loop_watch_add(loop, &a.watch, -1, EPOLLIN), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(a.watch.fd, -1);
	make_ready(&a, false);
	errno = 0;
	assert_int_equal(loop_watch_add(loop, &a.watch, a.fd, EPOLLIN), -1);
	assert_int_equal(errno, EEXIST);
	fini_thing(&a);
}

static unsigned
count_of(char what)
{
	unsigned count = 0;

	for (const char *at = trace; *at != '\0'; at++)
		count += *at == what;
	return count;
}

static void
run_rounds(struct thing *x, int rounds)
{
	x->stops = true;
	for (int i = 0; i < rounds; i++) {
		loop_timer_after(loop, &x->timer, 0);
		assert_int_equal(loop_run(loop), 0);
	}
}

static void
test_edge_once_level_again(void **state)
{
	struct thing a, x;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&x, 'x');
	make_ready(&a, false);
	run_rounds(&x, 3);
	assert_int_equal(count_of('a'), 1);
	assert_int_equal(loop_watch_modify(loop, &a.watch, EPOLLIN), 0);
	run_rounds(&x, 3);
	assert_int_equal(count_of('a'), 4);
	fini_thing(&a);
	fini_thing(&x);
}

/* Work deferred by deferred work waits for the next round: descriptors can't
 * starve. */
static void
test_deferred_again_waits_its_turn(void **state)
{
	struct thing a, d;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&d, 'd');
	make_ready(&d, false);
	assert_int_equal(loop_watch_modify(loop, &d.watch, EPOLLIN), 0);
	a.again = 3;
	loop_defer(loop, &a.deferred);
	loop_defer(loop, &a.deferred); /* queued at most once */
	d.stops = true;
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "dcdcdcdc");
	fini_thing(&a);
	fini_thing(&d);
}

static void
test_cancel_anywhere_in_the_queue(void **state)
{
	struct thing t[5], x;

	(void)state;
	init_thing(&x, 'x');
	for (int cancel = 0; cancel < 5; cancel++) {
		char want[8] = "";
		size_t len = 0;

		trace[0] = '\0';
		for (int i = 0; i < 5; i++) {
			init_thing(&t[i], (char)('a' + 3 * i));
			loop_defer(loop, &t[i].deferred);
		}
		loop_defer_cancel(loop, &t[cancel].deferred);
		loop_defer_cancel(loop, &t[cancel].deferred);
		/* The queue's end is whole: more can be added. */
		x.stops = true;
		loop_defer(loop, &x.deferred);
		assert_int_equal(loop_run(loop), 0);
		for (int i = 0; i < 5; i++)
			if (i != cancel)
				want[len++] = (char)('a' + 3 * i + 2);
		want[len++] = 'z';
		want[len] = '\0';
		assert_string_equal(trace, want);
	}
}

/* Deferred work cancels the work behind, the last item included, and the round
 * ends all the same. */
static void
test_deferred_work_cancels_the_last(void **state)
{
	struct thing a, d, g, x;

	(void)state;
	init_thing(&a, 'a');
	init_thing(&d, 'd');
	init_thing(&g, 'g');
	init_thing(&x, 'x');
	loop_defer(loop, &a.deferred);
	loop_defer(loop, &d.deferred);
	loop_defer(loop, &g.deferred);
	a.victim = &g;
	d.again = 50;
	x.stops = true;
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count_of('i'), 0);
	assert_int_equal(count_of('c'), 1);
	assert_in_range(count_of('f'), 1, 2);
	assert_int_equal(trace[strlen(trace) - 1], 'g');
	fini_thing(&d);
}

static void
bury_another(void *p)
{
	note(*(char *)p);
	if (*(char *)p < 'c')
		loop_bury(loop, (char *)p + 1, bury_another);
}

static void
test_graves_may_bury_more(void **state)
{
	static char names[] = "abc";
	struct thing x;

	(void)state;
	init_thing(&x, 'x');
	x.stops = true;
	loop_bury(loop, &names[0], bury_another);
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_string_equal(trace, "yabc");
	/* Buried memory is freed with the loop, too. */
	loop_bury(loop, &names[2], bury_another);
	loop_free(loop);
	assert_string_equal(trace, "yabcc");
	loop = loop_new();
	assert_non_null(loop);
}

static void
test_a_thousand_graves(void **state)
{
	struct thing x;

	(void)state;
	init_thing(&x, 'x');
	x.stops = true;
	for (int i = 0; i < 1000; i++)
		loop_bury(loop, malloc(16), free);
	loop_timer_after(loop, &x.timer, 0);
	assert_int_equal(loop_run(loop), 0);
}

struct watcher {
	unsigned woke, asleep;
	uint64_t due_ns, woke_ns;
	bool backwards; /* times out of order */
};

static void
on_woke(void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns)
{
	struct watcher *w = arg;

	w->woke++;
	w->due_ns = due_ns;
	w->woke_ns = now_ns;
	w->backwards = w->backwards || entered_ns > now_ns;
}

static void
on_asleep(void *arg, uint64_t woke_ns, uint64_t now_ns)
{
	struct watcher *w = arg;

	w->asleep++;
	w->backwards =
	    w->backwards || woke_ns != w->woke_ns || now_ns < woke_ns;
}

static void
test_observer_sees_each_iteration(void **state)
{
	struct watcher w = {0};
	struct loop_observer observer = {
	    .woke = on_woke, .asleep = on_asleep, .arg = &w};
	struct thing x;
	uint64_t due_us;

	(void)state;
	init_thing(&x, 'x');
	loop_observe(loop, &observer);
	due_us = clock_ns() / 1000 + 3000;
	loop_timer_set(loop, &x.timer, due_us);
	x.stops = true;
	assert_int_equal(loop_run(loop), 0);
	assert_true(w.woke >= 1);
	assert_int_equal(w.woke, w.asleep);
	assert_false(w.backwards);
	assert_true(w.due_ns == due_us * 1000);
	assert_true(w.woke_ns >= w.due_ns);
	assert_true(loop_now_us(loop) == w.woke_ns / 1000);
	/* Nothing to wait for but a descriptor: no due time. */
	make_ready(&x, false);
	assert_int_equal(loop_run(loop), 0);
	assert_true(w.due_ns == UINT64_MAX);
	/* A timer at the end of time is none. */
	loop_timer_set(loop, &x.timer, UINT64_MAX);
	assert_int_equal(loop_watch_modify(loop, &x.watch, EPOLLIN), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_true(w.due_ns == UINT64_MAX);
	fini_thing(&x);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_order_of_one_iteration),
	    TEST(test_stop_ends_after_this_iteration),
	    TEST(test_closed_in_the_batch_stays_silent),
	    TEST(test_deleted_twice_and_added_again),
	    TEST(test_add_says_what_the_kernel_says),
	    TEST(test_edge_once_level_again),
	    TEST(test_deferred_again_waits_its_turn),
	    TEST(test_cancel_anywhere_in_the_queue),
	    TEST(test_deferred_work_cancels_the_last),
	    TEST(test_graves_may_bury_more),
	    TEST(test_a_thousand_graves),
	    TEST(test_observer_sees_each_iteration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
