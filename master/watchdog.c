#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* Between two readings. The minimum bounds the cost; the maximum is for silent
 * workers, whose stamps do not tell when to read again. */
#define INTERVAL_MIN_US 10000
#define INTERVAL_MAX_US 50000

/* Returns when to look again; UINT64_MAX: no worker holds the slot. */
static uint64_t
look_at(struct watchdog *d, unsigned i)
{
	const struct scoreboard_slot *slot = &d->scoreboard->slots[i];
	struct stall_facts facts = stall_facts_of(slot, clock_ns());
	struct stall *stall = &d->stalls[i];
	pid_t pid = workers_pid(d->workers, i);
	char activity[SCOREBOARD_ACTIVITY_MAX];
	unsigned long long ms;
	uint64_t for_ns;

	/* A worker that has not taken the slot yet has no stamps in the
	 * slot. */
	if (pid == 0 || atomic_load(&slot->pid) != pid)
		return UINT64_MAX;
	scoreboard_activity(slot, activity);
	switch (stall_check(stall, &d->limits, &facts, &for_ns)) {
	case STALL_NONE:
		break;
	case STALL_BLOCKED:
		ms = for_ns / 1000000;
		log_warn("stalled: worker %u (pid %d) blocked for %llu ms%s%s",
		    i + 1, (int)pid, ms, activity[0] != '\0' ? " on " : "",
		    activity);
		break;
	case STALL_SILENT:
		ms = for_ns / 1000000;
		log_warn("stalled: worker %u (pid %d) silent for %llu ms: "
			 "stopped or starved",
		    i + 1, (int)pid, ms);
		break;
	case STALL_KILL:
		ms = for_ns / 1000000;
		log_error("killed: worker %u (pid %d) blocked for %llu ms%s%s, "
			  "over event_loop.kill_after",
		    i + 1, (int)pid, ms, activity[0] != '\0' ? " on " : "",
		    activity);
		if (kill(pid, SIGKILL) == -1)
			log_error("worker %u: can't be killed: %s", i + 1,
			    strerror(errno));
		break;
	}
	return stall_due_ns(stall, &d->limits, &facts);
}

static void
set_timer(struct watchdog *d, uint64_t now_us, uint64_t due_us)
{
	uint64_t min_us = now_us + INTERVAL_MIN_US;
	uint64_t max_us = now_us + INTERVAL_MAX_US;

	d->due_us = due_us < min_us   ? min_us
		    : due_us > max_us ? max_us
				      : due_us;
	loop_timer_set(d->loop, &d->timer, d->due_us);
}

static void
on_timer(void *arg)
{
	struct watchdog *d = arg;
	uint64_t now_us = loop_now_us(d->loop);
	/* A worker that takes a slot right after this reading may stall at
	 * once. */
	uint64_t due_ns = now_us * 1000 + d->limits.threshold_ns;

	/* A master that was stopped itself lets the workers run first: they
	 * were stopped too. */
	if (now_us - d->due_us < INTERVAL_MAX_US) {
		for (unsigned i = 0; i < d->scoreboard->slot_count; i++) {
			uint64_t next_ns = look_at(d, i);

			if (next_ns < due_ns)
				due_ns = next_ns;
		}
	}
	/* Strictly after the threshold. */
	set_timer(d, now_us, due_ns / 1000 + 1);
}

void
watchdog_init(struct watchdog *d, struct loop *loop,
    const struct config *config, const struct scoreboard *scoreboard)
{
	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->scoreboard = scoreboard;
	d->limits = stall_limits_of(config);
	timer_init(&d->timer, on_timer, d);
}

void
watchdog_start(struct watchdog *d, const struct workers *workers)
{
	d->workers = workers;
	set_timer(d, clock_ns() / 1000, 0);
}

void
watchdog_stop(struct watchdog *d)
{
	loop_timer_clear(d->loop, &d->timer);
}
