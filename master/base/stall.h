/*
 * stall - sees from outside that a worker's loop stands still, while it does.
 * Pure: stamps of the scoreboard and the time in, a verdict out.
 *
 * Blocked: busy in one iteration for longer than the threshold. Silent: asleep
 * by its own account, but without a heartbeat: stopped by a signal, or starved
 * of CPU. Each is told once.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "scoreboard.h"

/* A busy machine keeps a process from running for this long now and then. */
#define STALL_SILENT_MIN_NS UINT64_C(200000000)

/* The memory of one slot; zeroed is new. */
struct stall {
	uint64_t told_since_ns; /* the busy_since that was told */
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
/* What a slot says of itself at now_ns. */
struct stall_facts stall_facts_of(
    const struct scoreboard_slot *slot, uint64_t now_ns);

/* *for_ns: for how long it has stood still. */
enum stall_verdict stall_check(struct stall *s,
    const struct stall_limits *limits, const struct stall_facts *facts,
    uint64_t *for_ns);
/* The time after which to look at a worker again, once stall_check() has had
 * the same facts: then it is blocked, or to be killed, if what it does now
 * lasts, or what it begins right after now. May be past. */
uint64_t stall_due_ns(const struct stall *s, const struct stall_limits *limits,
    const struct stall_facts *facts);
/* For how long a worker is silent; 0 when it is not. */
uint64_t stall_silent_ns(
    const struct stall_limits *limits, const struct stall_facts *facts);

#endif
