#include "endings.h"

#include "clock.h"
#include "loop.h"

#define NS_PER_US 1000

void
endings_settle(struct endings *endings, uint64_t now_ns)
{
	uint64_t now_us = now_ns / NS_PER_US;

	for (unsigned i = 0; i < endings->count; i++)
		duration_add(endings->list[i].histogram,
		    now_us - endings->list[i].start_us);
	endings->count = 0;
}

void
endings_settle_now(struct endings *endings)
{
	endings_settle(endings, clock_ns());
}
