/*
 * instance - what the master knows, for those that only show it: metrics and
 * the cluster JSON. Read-only; everything in it outlives them.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdint.h>

#include "config.h"
#include "deaths.h"
#include "scoreboard.h"

#define INSTANCE_VERSION "0.1.0"

struct instance {
	const struct config *config;
	const struct scoreboard *scoreboard;
	const struct deaths *deaths;
	unsigned workers;
};

/* The state in a service's breaker word: 0 closed, 1 open, 2 half-open. The
 * rest of the word is the worker's business. */
static inline unsigned
instance_breaker(const struct instance *instance, size_t service)
{
	return (unsigned)atomic_load(&instance->scoreboard->breakers[service]) &
	       3;
}

#endif
