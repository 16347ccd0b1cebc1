/*
 * instance - the master's knowledge, for the pages that show it: metrics and
 * instance_json. Read-only; all members outlive the pages.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdint.h>

#include "breaker.h"
#include "config.h"
#include "deaths.h"
#include "scoreboard.h"

/* The Makefile defines DROVER_VERSION. */
#define INSTANCE_VERSION DROVER_VERSION

struct instance {
	const struct config *config;
	const struct scoreboard *scoreboard;
	const struct deaths *deaths;
	unsigned workers;
};

/* The state of a service's circuit breaker, on this host. */
static inline enum breaker_state
instance_breaker(const struct instance *instance, size_t service)
{
	return breaker_unpack(
	    atomic_load(&instance->scoreboard->breakers[service]))
	    .state;
}

#endif
