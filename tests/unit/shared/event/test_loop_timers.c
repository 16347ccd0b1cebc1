/* Goal: the loop wakes for a timer when due. A timer runs early only if allowed
 * to, and only when another event woke the loop. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "loop.h"

#define TIMERS 20

static struct loop *loop;
static unsigned fired;

static int
setup(void **state)
{
	(void)state;
	fired = 0;
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

/* A plain timer is never early: the loop's own clock has passed the
 * deadline. */
static void
on_timer_check(void *arg)
{
	uint64_t due_us = *(uint64_t *)arg;

	assert_true(loop_now_us(loop) >= due_us);
	if (++fired == TIMERS)
		loop_stop(loop);
}

static void
test_timers_are_never_early(void **state)
{
	struct timer timers[TIMERS];
	uint64_t due_us[TIMERS];

	(void)state;
	for (size_t i = 0; i < TIMERS; i++) {
		due_us[i] = clock_ns() / 1000 + i * 137;
		timer_init(&timers[i], on_timer_check, &due_us[i]);
		loop_timer_set(loop, &timers[i], due_us[i]);
	}
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(fired, TIMERS);
}

static void
on_early(void *arg)
{
	*(uint64_t *)arg = loop_now_us(loop);
	loop_stop(loop);
}

static void
on_ready(void *arg, uint32_t events)
{
	assert_true(events & EPOLLIN);
	++*(unsigned *)arg;
}

static void
on_woke(void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns)
{
	(void)entered_ns;
	(void)now_ns;
	*(uint64_t *)arg = due_ns;
}

/* Ten seconds early, if another event wakes the loop; else the loop sleeps. */
static void
test_early_only_when_awake_anyway(void **state)
{
	const uint32_t early_us = 10000000;
	uint64_t due_us, due_ns = 0, fired_us = 0;
	struct loop_observer observer = {.woke = on_woke, .arg = &due_ns};
	struct loop_watch ready;
	struct timer early;
	unsigned called = 0;
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	(void)state;
	loop_observe(loop, &observer);
	timer_init_early(&early, on_early, &fired_us, early_us);
	due_us = clock_ns() / 1000 + early_us;
	loop_timer_set(loop, &early, due_us);
	loop_watch_init(&ready, on_ready, &called);
	assert_int_equal(
	    loop_watch_add(loop, &ready, fd, EPOLLIN | EPOLLET), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(called, 1);
	assert_true(due_ns == due_us * 1000);
	assert_true(fired_us != 0 && fired_us < due_us);
	/* Alone, the loop sleeps until the timer is due. */
	due_us = clock_ns() / 1000 + 3000;
	loop_timer_set(loop, &early, due_us);
	assert_int_equal(loop_run(loop), 0);
	assert_true(fired_us >= due_us);
	loop_watch_del(loop, &ready);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_timers_are_never_early),
	    TEST(test_early_only_when_awake_anyway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
