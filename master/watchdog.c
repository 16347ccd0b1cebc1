#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "log.h"

#define INTERVAL_MIN_US 10000
#define INTERVAL_MAX_US 50000

struct stall_limits
watchdog_limits(const struct config *config)
{
	return (struct stall_limits){
	    .threshold_ns = config->event_loop.stall_threshold_us * 1000,
	    .kill_ns = config->event_loop.kill_after_us * 1000,
	};
}

struct stall_facts
watchdog_facts(const struct scoreboard_slot *slot, uint64_t now_ns)
{
	/* The heartbeat second: one that is newer than busy_since is harmless,
	 * one that is older would look like silence. */
	uint64_t busy_since_ns = atomic_load(&slot->busy_since_ns);

	return (struct stall_facts){
	    busy_since_ns, atomic_load(&slot->heartbeat_ns), now_ns};
}

static void
look_at(struct watchdog *d, unsigned i)
{
	const struct scoreboard_slot *slot = &d->scoreboard->slots[i];
	struct stall_facts facts = watchdog_facts(slot, loop_clock_ns());
	pid_t pid = workers_pid(d->workers, i);
	char activity[SCOREBOARD_ACTIVITY_MAX];
	unsigned long long ms;
	uint64_t for_ns;

	/* One that has not yet taken the slot has no stamps of its own. */
	if (pid == 0 || atomic_load(&slot->pid) != pid)
		return;
	scoreboard_activity(slot, activity);
	switch (stall_check(&d->stalls[i], &d->limits, &facts, &for_ns)) {
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
}

static void
on_timer(void *arg)
{
	struct watchdog *d = arg;
	uint64_t late_us = loop_now_us(d->loop) - d->due_us;

	/* Were we stopped ourselves, so were they: let them run first. */
	if (late_us < INTERVAL_MAX_US)
		for (unsigned i = 0; i < d->scoreboard->slot_count; i++)
			look_at(d, i);
	d->due_us = loop_now_us(d->loop) + d->interval_us;
	loop_timer_set(d->loop, &d->timer, d->due_us);
}

void
watchdog_init(struct watchdog *d, struct loop *loop,
    const struct config *config, const struct scoreboard *scoreboard)
{
	uint64_t half_us = config->event_loop.stall_threshold_us / 2;

	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->scoreboard = scoreboard;
	d->limits = watchdog_limits(config);
	d->interval_us = half_us < INTERVAL_MIN_US   ? INTERVAL_MIN_US
			 : half_us > INTERVAL_MAX_US ? INTERVAL_MAX_US
						     : half_us;
	timer_init(&d->timer, on_timer, d);
}

void
watchdog_start(struct watchdog *d, const struct workers *workers)
{
	d->workers = workers;
	d->due_us = loop_clock_ns() / 1000 + d->interval_us;
	loop_timer_set(d->loop, &d->timer, d->due_us);
}

void
watchdog_stop(struct watchdog *d)
{
	loop_timer_clear(d->loop, &d->timer);
}
