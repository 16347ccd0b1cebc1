/* Goal: a timer fires when the clock reaches its deadline, neither late nor
 * twice. A timer is early only within its allowance, after any number of moves
 * and clears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timer.h"

static void
nop(void *arg)
{
	(void)arg;
}

static int
setup(void **state)
{
	struct timer_heap *heap = malloc(sizeof(*heap));

	assert_non_null(heap);
	timer_heap_init(heap);
	*state = heap;
	return 0;
}

static int
teardown(void **state)
{
	timer_heap_fini(*state);
	free(*state);
	return 0;
}

static void
test_empty_heap_wants_nothing(void **state)
{
	struct timer t;

	timer_init(&t, nop, NULL);
	assert_false(timer_is_pending(&t));
	assert_true(timer_heap_next(*state) == UINT64_MAX);
	assert_null(timer_heap_pop(*state, UINT64_MAX));
	timer_heap_clear(*state, &t);
	assert_true(timer_heap_next(*state) == UINT64_MAX);
}

static void
test_fires_at_its_time_and_once(void **state)
{
	struct timer t;

	timer_init(&t, nop, NULL);
	assert_int_equal(timer_heap_set(*state, &t, 100), 0);
	assert_true(timer_is_pending(&t));
	assert_true(timer_heap_next(*state) == 100);
	assert_null(timer_heap_pop(*state, 99));
	assert_ptr_equal(timer_heap_pop(*state, 100), &t);
	assert_false(timer_is_pending(&t));
	assert_null(timer_heap_pop(*state, UINT64_MAX));
}

static void
test_zero_is_due_at_once(void **state)
{
	struct timer t;

	timer_init(&t, nop, NULL);
	assert_int_equal(timer_heap_set(*state, &t, 0), 0);
	assert_ptr_equal(timer_heap_pop(*state, 0), &t);
}

/* The end of time stands for "no deadline", which never comes. */
static void
test_moved_to_the_end_of_time(void **state)
{
	struct timer t;

	timer_init(&t, nop, NULL);
	assert_int_equal(timer_heap_set(*state, &t, 10), 0);
	assert_int_equal(timer_heap_set(*state, &t, UINT64_MAX), 0);
	assert_null(timer_heap_pop(*state, UINT64_MAX - 1));
	assert_true(timer_is_pending(&t));
	assert_true(timer_heap_next(*state) == UINT64_MAX);
	assert_int_equal(timer_heap_set(*state, &t, 20), 0);
	assert_true(timer_heap_next(*state) == 20);
	assert_ptr_equal(timer_heap_pop(*state, 20), &t);
}

/* At the old time the heap may look at the timer, but must not fire. */
static void
test_moved_later_does_not_fire_early(void **state)
{
	struct timer moved, other;

	timer_init(&moved, nop, NULL);
	timer_init(&other, nop, NULL);
	assert_int_equal(timer_heap_set(*state, &moved, 10), 0);
	assert_int_equal(timer_heap_set(*state, &other, 20), 0);
	for (uint64_t due = 11; due <= 30; due++)
		assert_int_equal(timer_heap_set(*state, &moved, due), 0);
	assert_null(timer_heap_pop(*state, 19));
	assert_ptr_equal(timer_heap_pop(*state, 29), &other);
	assert_null(timer_heap_pop(*state, 29));
	assert_true(timer_heap_next(*state) == 30);
	assert_ptr_equal(timer_heap_pop(*state, 30), &moved);
}

static void
test_moved_earlier_overtakes(void **state)
{
	struct timer a, b;

	timer_init(&a, nop, NULL);
	timer_init(&b, nop, NULL);
	assert_int_equal(timer_heap_set(*state, &a, 10), 0);
	assert_int_equal(timer_heap_set(*state, &b, 20), 0);
	assert_int_equal(timer_heap_set(*state, &b, 5), 0);
	assert_true(timer_heap_next(*state) == 5);
	assert_ptr_equal(timer_heap_pop(*state, 7), &b);
	assert_null(timer_heap_pop(*state, 7));
	/* Later and earlier again, without a look in between. */
	assert_int_equal(timer_heap_set(*state, &a, 40), 0);
	assert_int_equal(timer_heap_set(*state, &a, 30), 0);
	assert_null(timer_heap_pop(*state, 29));
	assert_ptr_equal(timer_heap_pop(*state, 30), &a);
}

static void
test_cleared_never_fires(void **state)
{
	struct timer t[3];

	for (size_t i = 0; i < 3; i++) {
		timer_init(&t[i], nop, NULL);
		assert_int_equal(timer_heap_set(*state, &t[i], 10 + i), 0);
	}
	timer_heap_clear(*state, &t[0]);
	timer_heap_clear(*state, &t[2]);
	timer_heap_clear(*state, &t[2]);
	assert_false(timer_is_pending(&t[0]));
	assert_ptr_equal(timer_heap_pop(*state, 100), &t[1]);
	assert_null(timer_heap_pop(*state, 100));
	/* And can be set again. */
	assert_int_equal(timer_heap_set(*state, &t[0], 7), 0);
	assert_ptr_equal(timer_heap_pop(*state, 7), &t[0]);
}

/* The wait goes to the deadline; an earlier look finds the timer early. */
static void
test_fires_early_where_it_may(void **state)
{
	struct timer t;

	timer_init_early(&t, nop, NULL, 6);
	assert_int_equal(timer_heap_set(*state, &t, 100), 0);
	assert_true(timer_heap_next(*state) == 100);
	assert_null(timer_heap_pop(*state, 93));
	assert_ptr_equal(timer_heap_pop(*state, 94), &t);
	assert_false(timer_is_pending(&t));
	/* After a move the allowance counts from the new deadline. */
	assert_int_equal(timer_heap_set(*state, &t, 100), 0);
	assert_int_equal(timer_heap_set(*state, &t, 110), 0);
	assert_null(timer_heap_pop(*state, 103));
	assert_true(timer_heap_next(*state) == 110);
	assert_ptr_equal(timer_heap_pop(*state, 104), &t);
}

/* One timer's allowance does not apply to the rest. */
static void
test_early_is_each_timers_own(void **state)
{
	struct timer exact, early;

	timer_init(&exact, nop, NULL);
	timer_init_early(&early, nop, NULL, 50);
	assert_int_equal(timer_heap_set(*state, &exact, 100), 0);
	assert_int_equal(timer_heap_set(*state, &early, 101), 0);
	assert_null(timer_heap_pop(*state, 99));
	assert_ptr_equal(timer_heap_pop(*state, 100), &exact);
	assert_ptr_equal(timer_heap_pop(*state, 100), &early);
	assert_int_equal(timer_heap_set(*state, &early, 100), 0);
	assert_int_equal(timer_heap_set(*state, &exact, 101), 0);
	assert_ptr_equal(timer_heap_pop(*state, 50), &early);
	assert_null(timer_heap_pop(*state, 100));
}

#define MANY 1000

/* Each answer of the heap is compared with a plain table of deadlines. */
static void
test_agrees_with_a_plain_table(void **state)
{
	struct timer *t = calloc(MANY, sizeof(*t));
	uint64_t *due = calloc(MANY, sizeof(*due));
	uint64_t now = 0;
	size_t fired = 0, pending = 0;

	assert_non_null(t);
	assert_non_null(due);
	srandom(1);
	for (size_t i = 0; i < MANY; i++)
		timer_init_early(
		    &t[i], nop, NULL, i % 3 == 0 ? (uint32_t)(i % 40) : 0);
	for (int step = 0; step < 50000; step++) {
		size_t i = (size_t)random() % MANY;
		struct timer *got;

		if (random() % 4 == 0) {
			timer_heap_clear(*state, &t[i]);
			due[i] = 0;
		} else {
			due[i] = now + 1 + (uint64_t)random() % 500;
			assert_int_equal(
			    timer_heap_set(*state, &t[i], due[i]), 0);
		}
		now += (uint64_t)random() % 3;
		while ((got = timer_heap_pop(*state, now)) != NULL) {
			size_t which = (size_t)(got - t);

			assert_true(due[which] != 0 &&
				    due[which] <= now + got->early_us);
			due[which] = 0;
			fired++;
		}
		if (step % 100 != 0)
			continue;
		for (size_t k = 0; k < MANY; k++) {
			assert_true(due[k] == 0 || due[k] > now);
			assert_int_equal(timer_is_pending(&t[k]), due[k] != 0);
			/* The heap may ask for an early look, never for a late
			 * look. */
			if (due[k] != 0)
				assert_true(timer_heap_next(*state) <= due[k]);
		}
	}
	assert_true(fired > 1000);
	for (size_t k = 0; k < MANY; k++)
		pending += due[k] != 0;
	/* The rest, with a clock that stops at each time the heap asks for. */
	while (pending > 0 && timer_heap_next(*state) != UINT64_MAX) {
		struct timer *got;

		assert_true(timer_heap_next(*state) >= now);
		now = timer_heap_next(*state);
		while ((got = timer_heap_pop(*state, now)) != NULL) {
			assert_true(got->due_us >= now &&
				    got->due_us <= now + got->early_us);
			pending--;
		}
	}
	assert_int_equal(pending, 0);
	free(t);
	free(due);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_empty_heap_wants_nothing),
	    TEST(test_fires_at_its_time_and_once),
	    TEST(test_zero_is_due_at_once),
	    TEST(test_moved_to_the_end_of_time),
	    TEST(test_moved_later_does_not_fire_early),
	    TEST(test_moved_earlier_overtakes),
	    TEST(test_cleared_never_fires),
	    TEST(test_fires_early_where_it_may),
	    TEST(test_early_is_each_timers_own),
	    TEST(test_agrees_with_a_plain_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
