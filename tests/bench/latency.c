#include "latency.h"

#define STEPS (UINT64_C(1) << LATENCY_STEP_BITS)

/* Below 2 * STEPS a bucket is one ns; above, the top bits of the value. */
static unsigned
bucket_of(uint64_t ns)
{
	uint64_t shift = 0;

	if (ns >= 2 * STEPS)
		shift = 63 - (unsigned)__builtin_clzll(ns) - LATENCY_STEP_BITS;
	return (unsigned)(shift * STEPS + (ns >> shift));
}

static uint64_t
bucket_middle(unsigned bucket)
{
	uint64_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
	uint64_t start = (bucket - shift * STEPS) << shift;

	return start + ((UINT64_C(1) << shift) >> 1);
}

void
latency_add(struct latency *latency, uint64_t ns)
{
	latency->count++;
	latency->buckets[bucket_of(ns)]++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

uint64_t
latency_quantile(const struct latency *latency, double q)
{
	double rank = q * (double)latency->count;
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen > 0 && (double)seen >= rank)
			return bucket_middle(i);
	}
	return 0;
}
