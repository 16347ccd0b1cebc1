#include "delay.h"

#include <unistd.h>

#include "log.h"

#define LONG_NS 10000000 /* what BUSY_OVER_10MS_NS adds up */
#define NS_PER_MS 1000000
#define NS_PER_US 1000

void
delay_init(struct delay_meter *m, struct scoreboard_slot *slot, unsigned worker,
    uint64_t warning_us)
{
	m->slot = slot;
	m->worker = worker;
	m->warning_ns = warning_us * NS_PER_US;
}

struct loop_observer
delay_observer(struct delay_meter *m)
{
	return (struct loop_observer){delay_woke, delay_asleep, m};
}

static void
warn(struct delay_meter *m, uint64_t ns, const char *activity)
{
	unsigned long long ms = (ns + NS_PER_MS / 2) / NS_PER_MS;

	scoreboard_add(&m->slot->totals[SCOREBOARD_DELAY_WARNINGS], 1);
	if (activity == NULL)
		log_warn("Event loop delay: %llums worker=%u pid=%d, woken "
			 "late: stopped or starved",
		    ms, m->worker, (int)getpid());
	else if (activity[0] == '\0')
		log_warn("Event loop delay: %llums worker=%u pid=%d", ms,
		    m->worker, (int)getpid());
	else
		log_warn("Event loop delay: %llums worker=%u pid=%d on=\"%s\"",
		    ms, m->worker, (int)getpid(), activity);
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
		warn(m, now_ns - from_ns, NULL);
}

void
delay_asleep(void *arg, uint64_t woke_ns, uint64_t now_ns)
{
	struct delay_meter *m = arg;
	struct scoreboard_slot *slot = m->slot;
	uint64_t busy_ns = now_ns - woke_ns;

	histogram_add(&slot->delay, busy_ns);
	if (busy_ns > LONG_NS)
		scoreboard_add(
		    &slot->totals[SCOREBOARD_BUSY_OVER_10MS_NS], busy_ns);
	if (busy_ns > m->warning_ns) {
		char activity[SCOREBOARD_ACTIVITY_MAX];

		scoreboard_activity(slot, activity);
		warn(m, busy_ns, activity);
	}
	atomic_store_explicit(&slot->activity_len, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->busy_since_ns, 0, memory_order_release);
}
