#include "shed.h"

#include "machine.h"

/* The part of the target after which an overloaded service's request is
 * refused: 25 ms of 100 ms, so that the refusal is in the client's hands well
 * within 50 ms. */
#define LIMIT_DIVISOR 4

static const char *const reasons[] = {
#define X(symbol, text) [SHED_##symbol] = (text),
    SHED_REASONS(X)
#undef X
};

const char *
shed_reason_str(enum shed_reason why)
{
	return reasons[why];
}

static const struct machine_state states[] = {
    [SHED_IN_TURN] = {"in turn", MACHINE_TO(SHED_NEWEST)},
    [SHED_NEWEST] = {"newest first", MACHINE_TO(SHED_IN_TURN)},
};

static void
enter(struct shed *s, enum shed_state state)
{
	MACHINE_ENTER(states, s->state, state, "queue");
}

void
shed_init(struct shed *s, const struct shed_limits *limits)
{
	*s = (struct shed){.limits = *limits, .state = SHED_IN_TURN};
}

uint64_t
shed_limit_us(const struct shed *s)
{
	uint64_t short_us = s->limits.target_us / LIMIT_DIVISOR;

	return s->state == SHED_NEWEST && short_us < s->limits.timeout_us
		   ? short_us
		   : s->limits.timeout_us;
}

void
shed_on_arrival(struct shed *s, unsigned lent, bool has_to_wait)
{
	s->arrivals++;
	if (has_to_wait)
		s->full = lent;
	s->lent_sum += lent;
	if (s->full > lent)
		s->idle_sum += s->full - lent;
}

bool
shed_on_refusal(struct shed *s, uint64_t now_us)
{
	s->refusals++;
	s->last_us = now_us;
	if (s->refused++ != 0)
		return false;
	s->first_us = now_us;
	return true;
}

/* ---- intervals, newest first ---- */

static void
begin_interval(struct shed *s, uint64_t now_us)
{
	s->interval_end_us = now_us + s->limits.interval_us;
	s->arrivals = 0;
	s->refusals = 0;
	s->lent_sum = 0;
	s->idle_sum = 0;
}

/* The requests that the idle connections would have carried: as many for each
 * connection as the lent connections have carried. */
static uint64_t
spare(const struct shed *s)
{
	uint64_t served =
	    s->arrivals > s->refusals ? s->arrivals - s->refusals : 0;

	return s->lent_sum != 0 ? served * s->idle_sum / s->lent_sum : served;
}

/* False: the overload is over. */
static bool
settle(struct shed *s, const struct shed_queue *queue)
{
	uint64_t owed = s->debt + s->refusals, paid = spare(s);

	if (s->arrivals == 0 && queue->count == 0)
		return false;
	if (owed <= paid)
		return false;
	s->debt = owed - paid < s->arrivals ? owed - paid : s->arrivals;
	return s->debt != 0 || queue->count != 0;
}

static void
look_newest(struct shed *s, const struct shed_queue *queue, uint64_t now_us)
{
	if (now_us < s->interval_end_us)
		return;
	if (!settle(s, queue)) {
		enter(s, SHED_IN_TURN);
		s->late_since_us = 0;
	}
	begin_interval(s, now_us);
}

/* ---- in turn ---- */

/* Since when the delay is above the target, with the oldest request as old as
 * the target. The delay may have been above before. */
static uint64_t
late_since_us(const struct shed *s, const struct shed_queue *queue)
{
	return s->late_since_us != 0 ? s->late_since_us
				     : queue->oldest_us + s->limits.target_us;
}

static void
look_in_turn(struct shed *s, const struct shed_queue *queue, uint64_t now_us)
{
	if (s->limits.target_us == 0)
		return;
	if (queue->count == 0 ||
	    now_us < queue->oldest_us + s->limits.target_us) {
		s->late_since_us = 0;
		s->arrivals = 0;
		return;
	}
	s->late_since_us = late_since_us(s, queue);
	if (queue->count < 2 ||
	    now_us < s->late_since_us + s->limits.interval_us)
		return;
	enter(s, SHED_NEWEST);
	s->debt = s->arrivals > queue->count ? s->arrivals : queue->count;
	begin_interval(s, now_us);
}

void
shed_look(struct shed *s, const struct shed_queue *queue, uint64_t now_us)
{
	if (s->state == SHED_NEWEST)
		look_newest(s, queue, now_us);
	else
		look_in_turn(s, queue, now_us);
}

uint64_t
shed_due_us(const struct shed *s, const struct shed_queue *queue)
{
	uint64_t due_us = UINT64_MAX;

	if (s->state == SHED_NEWEST)
		return s->interval_end_us;
	if (s->limits.target_us != 0 && queue->count > 1)
		due_us = late_since_us(s, queue) + s->limits.interval_us;
	if (s->refused != 0 && s->last_us + s->limits.interval_us < due_us)
		due_us = s->last_us + s->limits.interval_us;
	return due_us;
}

/* ---- the episode ---- */

bool
shed_episode_is_over(const struct shed *s, uint64_t now_us)
{
	return s->refused != 0 && s->state == SHED_IN_TURN &&
	       now_us >= s->last_us + s->limits.interval_us;
}

uint64_t
shed_end_episode(struct shed *s, uint64_t *lasted_us)
{
	uint64_t refused = s->refused;

	*lasted_us = s->last_us - s->first_us;
	s->refused = 0;
	return refused;
}
