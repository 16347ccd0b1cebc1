/* Goal: replies come in the order of the commands, however often the ring goes
 * round, and the deadline is the oldest sent command's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redis_calls.h"

static struct redis_calls calls;
static int owners[REDIS_PENDING_MAX];

static int
setup(void **state)
{
	(void)state;
	calls = (struct redis_calls){0};
	return 0;
}

static void
replies_come_in_order_round_the_ring(void **state)
{
	int added = 0, taken = 0;

	(void)state;
	while (taken < 3 * REDIS_PENDING_MAX) {
		for (int i = 0; i < 1000; i++)
			redis_calls_add(
			    &calls, NULL, &owners[added++ % REDIS_PENDING_MAX]);
		for (int i = 0; i < 1000; i++)
			assert_ptr_equal(redis_calls_take(&calls).arg,
			    &owners[taken++ % REDIS_PENDING_MAX]);
	}
	assert_int_equal(calls.count, 0);
}

static void
the_queue_has_an_end(void **state)
{
	(void)state;
	for (int i = 0; i < REDIS_PENDING_MAX; i++) {
		assert_false(redis_calls_is_full(&calls));
		redis_calls_add(&calls, NULL, NULL);
	}
	assert_true(redis_calls_is_full(&calls));
	(void)redis_calls_take(&calls);
	assert_false(redis_calls_is_full(&calls));
}

static void
an_unsent_call_has_no_deadline(void **state)
{
	uint64_t us = 0;

	(void)state;
	assert_false(redis_calls_oldest_us(&calls, &us));
	redis_calls_add(&calls, NULL, NULL);
	assert_false(redis_calls_oldest_us(&calls, &us));
	redis_calls_sent(&calls, 100);
	assert_true(redis_calls_oldest_us(&calls, &us));
	assert_int_equal(us, 100);
}

static void
the_oldest_sent_call_has_the_deadline(void **state)
{
	uint64_t us = 0;

	(void)state;
	/* The first two leave together, across the ring's end. */
	calls.oldest = REDIS_PENDING_MAX - 1;
	redis_calls_add(&calls, NULL, NULL);
	redis_calls_add(&calls, NULL, NULL);
	redis_calls_sent(&calls, 100);
	redis_calls_add(&calls, NULL, NULL);
	redis_calls_sent(&calls, 200);
	redis_calls_add(&calls, NULL, NULL);
	assert_int_equal(redis_calls_take(&calls).sent_us, 100);
	assert_true(redis_calls_oldest_us(&calls, &us));
	assert_int_equal(us, 100);
	assert_int_equal(redis_calls_take(&calls).sent_us, 100);
	assert_true(redis_calls_oldest_us(&calls, &us));
	assert_int_equal(us, 200);
	assert_int_equal(redis_calls_take(&calls).sent_us, 200);
	assert_false(redis_calls_oldest_us(&calls, &us));
}

/* A lost connection answers calls that never left. */
static void
an_unsent_call_can_be_taken(void **state)
{
	uint64_t us = 0;

	(void)state;
	redis_calls_add(&calls, NULL, NULL);
	redis_calls_add(&calls, NULL, NULL);
	(void)redis_calls_take(&calls);
	assert_int_equal(calls.unsent, 1);
	(void)redis_calls_take(&calls);
	assert_int_equal(calls.unsent, 0);
	redis_calls_add(&calls, NULL, NULL);
	redis_calls_sent(&calls, 300);
	assert_true(redis_calls_oldest_us(&calls, &us));
	assert_int_equal(us, 300);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
	    TEST(replies_come_in_order_round_the_ring),
	    TEST(the_queue_has_an_end),
	    TEST(an_unsent_call_has_no_deadline),
	    TEST(the_oldest_sent_call_has_the_deadline),
	    TEST(an_unsent_call_can_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
