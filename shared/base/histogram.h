/*
 * histogram - durations in log-linear buckets: 16 steps per power of two from
 * 1.024 us to 73 minutes, 514 buckets, error below 6.25 %.
 *
 * One process writes, any number read, through shared memory: additions are a
 * relaxed load and store, no lock prefix. A reader may see a count ahead of the
 * sum by one sample, no more.
 *
 * Source: the bucket layout follows G. Tene's HdrHistogram (log-linear).
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_LOW_BITS 10 /* below 2^10 ns: a single bucket */
#define HISTOGRAM_HIGH_BITS 42
#define HISTOGRAM_STEP_BITS 4
#define HISTOGRAM_BUCKETS                                                      \
	((HISTOGRAM_HIGH_BITS - HISTOGRAM_LOW_BITS) *                          \
		(1 << HISTOGRAM_STEP_BITS) +                                   \
	    2)

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_ns;
	_Atomic uint64_t max_ns;
};

void histogram_add(struct histogram *h, uint64_t ns);
/* The bucket of ns, 0 .. HISTOGRAM_BUCKETS - 1. */
unsigned histogram_bucket(uint64_t ns);
/* The first ns behind the bucket; UINT64_MAX for the last. */
uint64_t histogram_bucket_end(unsigned bucket);
uint64_t histogram_count(const struct histogram *h);
/* Samples of at most ns, to a bucket's precision. */
uint64_t histogram_count_upto(const struct histogram *h, uint64_t ns);
/* The q-quantile (0 < q <= 1) in ns: the middle of a bucket, at most the
 * maximum. 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double q);
uint64_t histogram_max(const struct histogram *h);
uint64_t histogram_sum(const struct histogram *h);

#endif
