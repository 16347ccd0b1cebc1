/* Goal: a request's duration goes from its start to the end of the iteration in
 * which the request ended. No duration is lost, for any number of requests in
 * an iteration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "endings.h"
#include "loop.h"

static struct endings endings;
static struct duration_histogram a, b;

static int
setup(void **state)
{
	(void)state;
	memset(&endings, 0, sizeof(endings));
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	return 0;
}

static void
test_to_the_iterations_end(void **state)
{
	(void)state;
	endings_add(&endings, &a, 1000000);
	endings_add(&endings, &b, 400000);
	assert_int_equal(a.buckets[0], 0);
	/* A handler has blocked the loop for 3 s in between. */
	endings_settle(&endings, 4000000999);
	assert_int_equal(a.sum_us, 3000000);
	assert_int_equal(a.buckets[duration_bucket(3000000)], 1);
	assert_int_equal(b.sum_us, 3600000);
	/* Once. */
	endings_settle(&endings, 5000000000);
	assert_int_equal(a.sum_us, 3000000);
}

static void
test_more_than_fit(void **state)
{
	uint64_t count = 0, now_us = clock_ns() / 1000;

	(void)state;
	for (unsigned i = 0; i < 3 * ENDINGS_MAX + 1; i++)
		endings_add(&endings, &a, now_us);
	assert_int_equal(endings.count, 1);
	endings_settle(&endings, clock_ns());
	for (unsigned i = 0; i < DURATION_BUCKETS; i++)
		count += a.buckets[i];
	assert_int_equal(count, 3 * ENDINGS_MAX + 1);
	assert_true(a.sum_us <= count * (clock_ns() / 1000 - now_us));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_to_the_iterations_end),
	    TEST(test_more_than_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
