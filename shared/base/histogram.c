#include "histogram.h"

#define STEPS (1u << HISTOGRAM_STEP_BITS)
#define LAST (HISTOGRAM_BUCKETS - 1)

static uint64_t
load(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

static void
store(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell, n, memory_order_relaxed);
}

unsigned
histogram_bucket(uint64_t ns)
{
	unsigned power, step;

	if (ns < UINT64_C(1) << HISTOGRAM_LOW_BITS)
		return 0;
	if (ns >= UINT64_C(1) << HISTOGRAM_HIGH_BITS)
		return LAST;
	power = 63 - (unsigned)__builtin_clzll(ns);
	step = (unsigned)(ns >> (power - HISTOGRAM_STEP_BITS)) & (STEPS - 1);
	return 1 + (power - HISTOGRAM_LOW_BITS) * STEPS + step;
}

uint64_t
histogram_bucket_end(unsigned bucket)
{
	unsigned power, step;

	if (bucket == 0)
		return UINT64_C(1) << HISTOGRAM_LOW_BITS;
	if (bucket >= LAST)
		return UINT64_MAX;
	power = HISTOGRAM_LOW_BITS + (bucket - 1) / STEPS;
	step = (bucket - 1) % STEPS;
	return (uint64_t)(STEPS + step + 1) << (power - HISTOGRAM_STEP_BITS);
}

void
histogram_add(struct histogram *h, uint64_t ns)
{
	_Atomic uint64_t *bucket = &h->buckets[histogram_bucket(ns)];

	store(bucket, load(bucket) + 1);
	store(&h->sum_ns, load(&h->sum_ns) + ns);
	if (ns > load(&h->max_ns))
		store(&h->max_ns, ns);
}

static uint64_t
count_buckets(const struct histogram *h, unsigned last)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= last; i++)
		n += load(&h->buckets[i]);
	return n;
}

uint64_t
histogram_count(const struct histogram *h)
{
	return count_buckets(h, LAST);
}

uint64_t
histogram_count_upto(const struct histogram *h, uint64_t ns)
{
	return count_buckets(h, histogram_bucket(ns));
}

static uint64_t
bucket_middle(unsigned bucket)
{
	uint64_t begin = bucket == 0 ? 0 : histogram_bucket_end(bucket - 1);

	/* The last bucket has no end, hence no middle. */
	if (bucket == LAST)
		return UINT64_MAX;
	return begin + (histogram_bucket_end(bucket) - begin) / 2;
}

uint64_t
histogram_quantile(const struct histogram *h, double q)
{
	uint64_t count = histogram_count(h), seen = 0, rank, ns;
	uint64_t max = histogram_max(h);
	unsigned bucket = 0;

	if (count == 0)
		return 0;
	/* The rank of the smallest sample with a share of at least q at or
	 * below. */
	rank = (uint64_t)(q * (double)count);
	if ((double)rank < q * (double)count)
		rank++;
	/* The writer goes on meanwhile: the sum may pass the rank early. */
	while (bucket < LAST) {
		seen += load(&h->buckets[bucket]);
		if (seen >= rank)
			break;
		bucket++;
	}
	ns = bucket_middle(bucket);
	return ns < max ? ns : max;
}

uint64_t
histogram_max(const struct histogram *h)
{
	return load(&h->max_ns);
}

uint64_t
histogram_sum(const struct histogram *h)
{
	return load(&h->sum_ns);
}
