/*
 * clock - CLOCK_MONOTONIC right now. loop_now_us() is the time at which the
 * loop's last poll returned. The loop's time is cheaper, and enough in most
 * places.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
