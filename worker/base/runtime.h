/*
 * runtime - what every part of a worker may use: configuration, place in the
 * scoreboard, loop, memory and sockets. Worker only.
 *
 * A process has one runtime, made and owned by worker.c. The runtime is handed
 * down as an argument: no member is a global. The parts that answer requests
 * are named here and opaque. Only a folder that sees a part's header can use
 * the part.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "config.h"
#include "endings.h"
#include "loop.h"
#include "outbox.h"
#include "pipe.h"
#include "resolver.h"
#include "scoreboard.h"

struct breakers;
struct offload;
struct service;
struct sequence;
struct totals;
struct trace_source;

struct runtime {
	const struct config *config;
	struct scoreboard *scoreboard;
	struct scoreboard_slot *slot; /* of this worker */
	unsigned index;               /* of the slot, from 0 */

	struct loop *loop;
	struct buffer_pool *buffers;
	struct outbox *outbox;
	struct pipe_pool *pipes;
	struct resolver *resolver;

	struct breakers *breakers;
	struct totals *totals;
	struct sequence *sequence;
	struct offload *offload;
	struct trace_source *trace;
	struct service **services; /* config->service_count entries */

	struct duration_histogram *durations; /* of the slot's requests */
	struct endings endings;

	uint64_t started_us;
	uint64_t blocked_us; /* the iteration blocked by a handler */
	bool draining;
};

/* Adds to a total of the worker's slot. */
static inline void
runtime_count(struct runtime *rt, enum scoreboard_total total)
{
	counter_add(&rt->slot->totals[total], 1);
}

/* For log lines and answers: counted from 1, as people do. */
static inline unsigned
runtime_number(const struct runtime *rt)
{
	return rt->index + 1;
}

#endif
