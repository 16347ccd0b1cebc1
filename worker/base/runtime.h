/*
 * runtime - what every part of a worker may use: its configuration, its place
 * in the scoreboard, its loop, memory and sockets. Worker only.
 *
 * There is one in a process, made and owned by worker.c. It is handed down,
 * never looked up: nothing here is a global. The parts that requests are
 * answered with are named here and opaque; only a folder that sees a part's
 * header can use it.
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
	struct scoreboard_slot *slot; /* this worker's */
	unsigned index;               /* of that slot, from 0 */

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
	struct service **services; /* config->service_count of them */

	struct duration_histogram *durations; /* of the slot's requests */
	struct endings endings;

	uint64_t started_us;
	uint64_t blocked_us; /* the iteration that a handler blocked */
	bool draining;
};

/* A total of this worker's slot. */
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
