/* Goal: a connection ends after its age, with some chance in it, and after its
 * requests; and before the other side's own end, if the other side has said
 * when. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lifetime.h"

#define SECOND UINT64_C(1000000)
#define ANY UINT32_MAX

static void
test_no_limits(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_begin(&l, 0, 0, SECOND, 7);
	for (int i = 0; i < 100000; i++)
		assert_true(lifetime_use(&l, 1000000 * SECOND));
	assert_int_equal(
	    lifetime_idle_us(&l, 4 * SECOND, 9 * SECOND), 4 * SECOND);
}

static void
test_requests(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_begin(&l, 0, 3, 0, 0);
	assert_true(lifetime_use(&l, 0));
	assert_true(lifetime_use(&l, 0));
	assert_false(lifetime_use(&l, 0));
	lifetime_begin(&l, 0, 1, 0, 0);
	assert_false(lifetime_use(&l, 0));
}

static void
test_age(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_begin(&l, 10 * SECOND, 0, 5 * SECOND, 0);
	assert_int_equal(l.ends_us, 15 * SECOND);
	assert_true(lifetime_use(&l, 15 * SECOND - 1));
	assert_false(lifetime_use(&l, 15 * SECOND));
	/* Idle no longer than the rest of its time. */
	assert_int_equal(
	    lifetime_idle_us(&l, 4 * SECOND, 11 * SECOND), 4 * SECOND);
	assert_int_equal(lifetime_idle_us(&l, 4 * SECOND, 14 * SECOND), SECOND);
	/* A tenth less at most. */
	lifetime_begin(&l, 10 * SECOND, 0, 5 * SECOND, UINT32_MAX);
	assert_in_range(l.ends_us, 14 * SECOND, 14 * SECOND + 1000);
	lifetime_begin(&l, 24 * 3600 * SECOND, 0, 0, UINT32_MAX);
	assert_in_range(l.ends_us, 77760 * SECOND, 77762 * SECOND);
}

static void
test_what_the_other_side_says(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_begin(&l, 0, 0, 0, 0);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 60, ANY), 4 * SECOND);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 5, ANY), 4 * SECOND);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 2, ANY), SECOND);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 1, ANY), SECOND / 2);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 0, ANY), 0);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, ANY, ANY), 4 * SECOND);
	/* Requests: never more than our own limit. */
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, ANY, 2), 4 * SECOND);
	assert_int_equal(l.requests_left, 2);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, ANY, 100), 4 * SECOND);
	assert_int_equal(l.requests_left, 2);
	assert_int_equal(lifetime_heed(&l, 4 * SECOND, 60, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_limits),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_age),
	    cmocka_unit_test(test_what_the_other_side_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
