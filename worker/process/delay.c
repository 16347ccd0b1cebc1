#include "delay.h"

#include <unistd.h>

#include "log.h"

#define LONG_NS 10000000 /* the bound of BUSY_OVER_10MS_NS */
#define NS_PER_MS 1000000
#define NS_PER_US 1000
#define LATE_LINE_NS UINT64_C(1000000000) /* between two lines of lateness */

void
delay_init(struct delay_meter *m, struct scoreboard_slot *slot, unsigned worker,
    uint64_t warning_us)
{
	*m = (struct delay_meter){
	    .slot = slot,
	    .worker = worker,
	    .warning_ns = warning_us * NS_PER_US,
	};
}

struct loop_observer
delay_observer(struct delay_meter *m)
{
	return (struct loop_observer){delay_woke, delay_asleep, m};
}

static unsigned long long
milliseconds(uint64_t ns)
{
	return (ns + NS_PER_MS / 2) / NS_PER_MS;
}

static void
warn_blocked(struct delay_meter *m, uint64_t ns)
{
	char activity[SCOREBOARD_ACTIVITY_MAX];

	counter_add(&m->slot->totals[SCOREBOARD_DELAY_WARNINGS], 1);
	scoreboard_activity(m->slot, activity);
	if (activity[0] == '\0')
		log_warn("Event loop delay: %llums worker=%u pid=%d",
		    milliseconds(ns), m->worker, (int)getpid());
	else
		log_warn("Event loop delay: %llums worker=%u pid=%d on=\"%s\"",
		    milliseconds(ns), m->worker, (int)getpid(), activity);
}

/* A starved machine wakes every worker late, all the time. */
static void
warn_late(struct delay_meter *m, uint64_t ns, uint64_t now_ns)
{
	counter_add(&m->slot->totals[SCOREBOARD_LATE_WAKEUPS], 1);
	if (m->late_logged_ns != 0 &&
	    now_ns - m->late_logged_ns < LATE_LINE_NS) {
		m->late_unlogged++;
		return;
	}
	if (m->late_unlogged == 0)
		log_warn("woken late by %llums: worker=%u pid=%d, stopped or "
			 "starved of CPU time",
		    milliseconds(ns), m->worker, (int)getpid());
	else
		log_warn("woken late by %llums: worker=%u pid=%d, stopped or "
			 "starved of CPU time; %u more since the last such "
			 "line",
		    milliseconds(ns), m->worker, (int)getpid(),
		    m->late_unlogged);
	m->late_logged_ns = now_ns;
	m->late_unlogged = 0;
}

void
delay_woke(void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns)
{
	struct delay_meter *m = arg;
	uint64_t from_ns = due_ns > entered_ns ? due_ns : entered_ns;

	atomic_store_explicit(
	    &m->slot->busy_since_ns, now_ns, memory_order_release);
	if (due_ns > now_ns)
		return;
	histogram_add(&m->slot->lateness, now_ns - from_ns);
	if (now_ns - from_ns > m->warning_ns)
		warn_late(m, now_ns - from_ns, now_ns);
}

void
delay_asleep(void *arg, uint64_t woke_ns, uint64_t now_ns)
{
	struct delay_meter *m = arg;
	struct scoreboard_slot *slot = m->slot;
	uint64_t busy_ns = now_ns - woke_ns;

	histogram_add(&slot->delay, busy_ns);
	if (busy_ns > LONG_NS)
		counter_add(
		    &slot->totals[SCOREBOARD_BUSY_OVER_10MS_NS], busy_ns);
	if (busy_ns > m->warning_ns)
		warn_blocked(m, busy_ns);
	atomic_store_explicit(&slot->activity_len, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->busy_since_ns, 0, memory_order_release);
}
