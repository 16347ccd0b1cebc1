/* Goal: a duration falls into the bucket with the first bound not below the
 * duration, at every edge and in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duration.h"

/* By the format's definition, bound by bound. */
static unsigned
bucket_by_definition(uint64_t us)
{
	unsigned i = 0;

	while (us > duration_bounds_us[i])
		i++;
	return i;
}

static void
test_edges(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DURATION_BOUNDS; i++) {
		uint64_t bound = duration_bounds_us[i];

		assert_int_equal(duration_bucket(bound - 1), i);
		assert_int_equal(duration_bucket(bound), i);
		assert_int_equal(duration_bucket(bound + 1), i + 1);
	}
	assert_int_equal(duration_bucket(0), 0);
	assert_int_equal(duration_bucket(UINT64_MAX), DURATION_BOUNDS);
}

static void
test_every_power_of_two(void **state)
{
	(void)state;
	for (unsigned power = 0; power < 64; power++)
		for (int64_t off = -1; off <= 1; off++) {
			uint64_t us = (UINT64_C(1) << power) + (uint64_t)off;

			assert_int_equal(
			    duration_bucket(us), bucket_by_definition(us));
		}
}

static void
test_all_up_to_the_last_bound(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 10100000; us += 7)
		if (duration_bucket(us) != bucket_by_definition(us))
			fail_msg("%llu us", (unsigned long long)us);
}

static void
test_text_says_the_bound(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DURATION_BOUNDS; i++) {
		double us = strtod(duration_bounds_str[i], NULL) * 1e6;

		assert_int_equal((uint64_t)(us + 0.5), duration_bounds_us[i]);
	}
	assert_string_equal(duration_bounds_str[DURATION_BOUNDS], "+Inf");
}

static void
test_additions(void **state)
{
	struct duration_histogram h;

	(void)state;
	memset(&h, 0, sizeof(h));
	duration_add(&h, 1000);
	duration_add(&h, 1001);
	duration_add(&h, 99000000);
	duration_add_none(&h);
	assert_int_equal(h.buckets[0], 2);
	assert_int_equal(h.buckets[1], 1);
	assert_int_equal(h.buckets[DURATION_BOUNDS], 1);
	assert_int_equal(h.sum_us, 99002001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_every_power_of_two),
	    cmocka_unit_test(test_all_up_to_the_last_bound),
	    cmocka_unit_test(test_text_says_the_bound),
	    cmocka_unit_test(test_additions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
