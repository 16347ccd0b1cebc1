/*
 * duration - how long requests took, in the few buckets that a metrics page
 * shows. The bounds are 1 ms to 10 s in steps of 1, 2.5 and 5. Shared memory
 * and the page have the same buckets. The finer histogram.h serves the loop's
 * delay, one histogram per worker. Each route and status has a
 * duration_histogram.
 *
 * One process writes, any number read: an addition is a relaxed load and store,
 * no lock prefix. A reader may see a count ahead of the sum by one sample, no
 * more.
 *
 * Source: Prometheus's histograms; a bound is part of its bucket (le).
 */
#ifndef DURATION_H
#define DURATION_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define DURATION_BOUNDS 13
#define DURATION_BUCKETS (DURATION_BOUNDS + 1) /* the last has no bound */

struct duration_histogram {
	alignas(64) _Atomic uint64_t buckets[DURATION_BUCKETS];
	_Atomic uint64_t sum_us;
};

/* Upper bounds in us, then UINT64_MAX; and the same as text in seconds: 0.0025
 * and not 0.0025000000000000001. */
extern const uint64_t duration_bounds_us[DURATION_BUCKETS];
extern const char *const duration_bounds_str[DURATION_BUCKETS];
/* Indexed by the highest bit of a duration: the bucket of the shortest duration
 * with the same highest bit. No power of two has two bounds. */
extern const uint8_t duration_first_bucket[64];

/* 0 .. DURATION_BUCKETS - 1. */
static inline unsigned
duration_bucket(uint64_t us)
{
	/* The highest bit: 63 minus the zeros in front, in one instruction. */
	unsigned power = (unsigned)__builtin_clzll(us | 1) ^ 63;
	unsigned first = duration_first_bucket[power];

	return first + (us > duration_bounds_us[first]);
}

static inline void
duration_bump(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell,
	    atomic_load_explicit(cell, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline void
duration_add(struct duration_histogram *h, uint64_t us)
{
	duration_bump(&h->buckets[duration_bucket(us)], 1);
	duration_bump(&h->sum_us, us);
}

/* The same for 0 us, the most frequent wait. */
static inline void
duration_add_none(struct duration_histogram *h)
{
	duration_bump(&h->buckets[0], 1);
}

#endif
