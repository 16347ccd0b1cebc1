/*
 * latency - response times in log-linear buckets, 128 for each power of two: a
 * quantile is exact to less than 1 %.
 */
#ifndef LATENCY_H
#define LATENCY_H

#include <stdint.h>

#define LATENCY_STEP_BITS 7
#define LATENCY_BUCKETS ((64 - LATENCY_STEP_BITS + 1) << LATENCY_STEP_BITS)

struct latency {
	uint64_t count;
	uint64_t max_ns;
	uint32_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t ns);
/* The q-quantile in ns, 0 < q <= 1; 0 when empty. */
uint64_t latency_quantile(const struct latency *latency, double q);

#endif
