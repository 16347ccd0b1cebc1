/*
 * watchdog - reads the workers' stamps whenever a worker may have stalled since
 * the last reading. Logs each stall once, while the stall lasts. Kills a worker
 * that blocks past event_loop.kill_after. Master.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "config.h"
#include "loop.h"
#include "scoreboard.h"
#include "stall.h"
#include "workers.h"

struct watchdog {
	struct loop *loop;
	const struct scoreboard *scoreboard;
	const struct workers *workers;
	struct stall_limits limits;
	uint64_t due_us;
	struct timer timer;
	struct stall stalls[CONFIG_WORKERS_MAX];
};

void watchdog_init(struct watchdog *d, struct loop *loop,
    const struct config *config, const struct scoreboard *scoreboard);
void watchdog_start(struct watchdog *d, const struct workers *workers);
void watchdog_stop(struct watchdog *d);

#endif
