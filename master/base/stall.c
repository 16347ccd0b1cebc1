#include "stall.h"

struct stall_limits
stall_limits_of(const struct config *config)
{
	return (struct stall_limits){
	    .threshold_ns = config->event_loop.stall_threshold_us * 1000,
	    .kill_ns = config->event_loop.kill_after_us * 1000,
	};
}

struct stall_facts
stall_facts_of(const struct scoreboard_slot *slot, uint64_t now_ns)
{
	/* Order matters: the heartbeat is read second. A heartbeat newer than
	 * busy_since is harmless; an older one would look like silence. */
	uint64_t busy_since_ns = atomic_load(&slot->busy_since_ns);

	return (struct stall_facts){
	    busy_since_ns, atomic_load(&slot->heartbeat_ns), now_ns};
}

/* The worker may have stamped after now was read. */
static uint64_t
since(uint64_t then_ns, uint64_t now_ns)
{
	return then_ns < now_ns ? now_ns - then_ns : 0;
}

uint64_t
stall_silent_ns(
    const struct stall_limits *limits, const struct stall_facts *facts)
{
	uint64_t silent_ns = since(facts->heartbeat_ns, facts->now_ns);

	if (facts->busy_since_ns != 0 || facts->heartbeat_ns == 0)
		return 0;
	if (silent_ns <= STALL_SILENT_MIN_NS ||
	    silent_ns <= limits->threshold_ns)
		return 0;
	return silent_ns;
}

static enum stall_verdict
check_blocked(struct stall *s, const struct stall_limits *limits,
    uint64_t since_ns, uint64_t for_ns)
{
	if (for_ns <= limits->threshold_ns)
		return STALL_NONE;
	if (limits->kill_ns != 0 && for_ns > limits->kill_ns &&
	    s->killed_since_ns != since_ns) {
		s->killed_since_ns = since_ns;
		s->told_since_ns = since_ns;
		return STALL_KILL;
	}
	if (s->told_since_ns == since_ns)
		return STALL_NONE;
	s->told_since_ns = since_ns;
	return STALL_BLOCKED;
}

uint64_t
stall_due_ns(const struct stall *s, const struct stall_limits *limits,
    const struct stall_facts *facts)
{
	uint64_t since_ns = facts->busy_since_ns;
	uint64_t due_ns = facts->now_ns + limits->threshold_ns;
	uint64_t kill_ns = since_ns + limits->kill_ns;

	if (since_ns == 0)
		return due_ns;
	if (s->told_since_ns != since_ns)
		return since_ns + limits->threshold_ns;
	if (limits->kill_ns != 0 && s->killed_since_ns != since_ns &&
	    kill_ns < due_ns)
		return kill_ns;
	return due_ns;
}

enum stall_verdict
stall_check(struct stall *s, const struct stall_limits *limits,
    const struct stall_facts *facts, uint64_t *for_ns)
{
	if (facts->busy_since_ns != 0) {
		*for_ns = since(facts->busy_since_ns, facts->now_ns);
		return check_blocked(s, limits, facts->busy_since_ns, *for_ns);
	}
	*for_ns = stall_silent_ns(limits, facts);
	if (*for_ns == 0) {
		s->told_silent = false;
		return STALL_NONE;
	}
	if (s->told_silent)
		return STALL_NONE;
	s->told_silent = true;
	return STALL_SILENT;
}
