/* Goal: a duration lands in its bucket, and quantiles are exact to the 6.25 %
 * that the layout promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static struct histogram h;

static int
setup(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return 0;
}

static void
test_bucket_edges(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(0), 0);
	assert_int_equal(histogram_bucket(1023), 0);
	assert_int_equal(histogram_bucket(1024), 1);
	assert_int_equal(histogram_bucket(1087), 1);
	assert_int_equal(histogram_bucket(1088), 2);
	assert_int_equal(
	    histogram_bucket((UINT64_C(1) << 42) - 1), HISTOGRAM_BUCKETS - 2);
	assert_int_equal(
	    histogram_bucket(UINT64_C(1) << 42), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void
test_buckets_join_without_gap(void **state)
{
	(void)state;
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		uint64_t end = histogram_bucket_end(i);

		assert_int_equal(histogram_bucket(end - 1), i);
		assert_int_equal(histogram_bucket(end), i + 1);
	}
	assert_true(histogram_bucket_end(HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static void
test_buckets_are_narrow(void **state)
{
	(void)state;
	for (unsigned i = 1; i + 1 < HISTOGRAM_BUCKETS; i++) {
		uint64_t begin = histogram_bucket_end(i - 1);

		assert_true((histogram_bucket_end(i) - begin) * 16 <= begin);
	}
}

static void
test_empty(void **state)
{
	(void)state;
	assert_int_equal(histogram_count(&h), 0);
	assert_int_equal(histogram_quantile(&h, 0.99), 0);
	assert_int_equal(histogram_max(&h), 0);
}

static void
test_counts_sum_and_max(void **state)
{
	(void)state;
	histogram_add(&h, 1000);
	histogram_add(&h, 2000000);
	histogram_add(&h, 3000000000);
	assert_int_equal(histogram_count(&h), 3);
	assert_int_equal(histogram_sum(&h), 3002001000);
	assert_int_equal(histogram_max(&h), 3000000000);
	assert_int_equal(histogram_count_upto(&h, 1000), 1);
	assert_int_equal(histogram_count_upto(&h, 1000000), 1);
	assert_int_equal(histogram_count_upto(&h, 2000000), 2);
	assert_int_equal(histogram_count_upto(&h, UINT64_MAX), 3);
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
test_quantiles_against_sorted_samples(void **state)
{
	static uint64_t samples[10000];
	const double q[] = {0.01, 0.5, 0.9, 0.99, 0.999, 1};
	uint64_t x = 88172645463325252;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		/* xorshift64, spread over 20 powers of two */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		samples[i] = 2048 + (x >> (24 + x % 20));
		histogram_add(&h, samples[i]);
	}
	qsort(samples, 10000, sizeof(samples[0]), by_value);
	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
		double exact = (double)samples[(size_t)(q[i] * 10000) - 1];
		double got = (double)histogram_quantile(&h, q[i]);

		assert_true(got > exact * 0.9375 && got < exact * 1.0625);
	}
}

static void
test_one_sample_is_never_exceeded(void **state)
{
	(void)state;
	histogram_add(&h, 1000001);
	assert_int_equal(histogram_quantile(&h, 0.5), 999424);
	assert_int_equal(histogram_quantile(&h, 1), 999424);
	setup(NULL);
	histogram_add(&h, 983041);
	assert_int_equal(histogram_quantile(&h, 0.99), 983041);
	setup(NULL);
	histogram_add(&h, UINT64_C(1) << 50);
	assert_true(histogram_quantile(&h, 0.5) == UINT64_C(1) << 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_bucket_edges, setup),
	    cmocka_unit_test_setup(test_buckets_join_without_gap, setup),
	    cmocka_unit_test_setup(test_buckets_are_narrow, setup),
	    cmocka_unit_test_setup(test_empty, setup),
	    cmocka_unit_test_setup(test_counts_sum_and_max, setup),
	    cmocka_unit_test_setup(
		test_quantiles_against_sorted_samples, setup),
	    cmocka_unit_test_setup(test_one_sample_is_never_exceeded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
