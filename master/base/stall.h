/*
 * stall - sees from outside that a worker's loop stands still, while the stall
 * lasts. Pure: stamps of the scoreboard and the time in, a verdict out.
 *
 * Blocked: busy in one iteration for longer than the threshold. Silent: asleep
 * by its own stamp, but without a heartbeat: stopped by a signal, or starved of
 * CPU. Each is reported once.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "scoreboard.h"

/* On a busy machine a process may not run for so long now and then. */
#define STALL_SILENT_MIN_NS UINT64_C(200000000)

/* The memory of one slot; zeroed is new. */
struct stall {
	uint64_t told_since_ns; /* the busy_since already reported */
	bool told_silent;
	uint64_t killed_since_ns;
};

struct stall_limits {
	uint64_t threshold_ns;
	uint64_t kill_ns; /* 0: never */
};

struct stall_facts {
	uint64_t busy_since_ns; /* 0: asleep */
	uint64_t heartbeat_ns;
	uint64_t now_ns;
};

enum stall_verdict {
	STALL_NONE, /* nothing, or nothing new */
	STALL_BLOCKED,
	STALL_SILENT,
	STALL_KILL, /* blocked for longer than kill_ns */
};

struct stall_limits stall_limits_of(const struct config *config);
/* The facts of a slot at now_ns, from its stamps. */
struct stall_facts stall_facts_of(
    const struct scoreboard_slot *slot, uint64_t now_ns);

/* *for_ns: the length of the stall so far. */
enum stall_verdict stall_check(struct stall *s,
    const struct stall_limits *limits, const struct stall_facts *facts,
    uint64_t *for_ns);
/* When to look at a worker again, after stall_check() with the same facts. By
 * then the present iteration, or one that begins right after now, is blocked or
 * to be killed if it still runs. May be past. */
uint64_t stall_due_ns(const struct stall *s, const struct stall_limits *limits,
    const struct stall_facts *facts);
/* How long a worker has been silent; 0: not silent. */
uint64_t stall_silent_ns(
    const struct stall_limits *limits, const struct stall_facts *facts);

#endif
