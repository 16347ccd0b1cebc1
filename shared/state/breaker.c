#include "breaker.h"

#define LOCAL_SHIFT 2
#define FAILURES_SHIFT 3
#define EPOCH_SHIFT 9
#define UNTIL_SHIFT 25
#define STATE_MASK 3

struct breaker
breaker_unpack(uint64_t word)
{
	return (struct breaker){
	    .state = (enum breaker_state)(word & STATE_MASK),
	    .local = (word >> LOCAL_SHIFT) & 1,
	    .failures = (word >> FAILURES_SHIFT) & BREAKER_FAILURES_MAX,
	    .epoch = (word >> EPOCH_SHIFT) & BREAKER_EPOCH_MASK,
	    .until_ms = word >> UNTIL_SHIFT,
	};
}

uint64_t
breaker_pack(const struct breaker *b)
{
	return (uint64_t)b->state | (uint64_t)b->local << LOCAL_SHIFT |
	       (uint64_t)b->failures << FAILURES_SHIFT |
	       (uint64_t)b->epoch << EPOCH_SHIFT | b->until_ms << UNTIL_SHIFT;
}

enum breaker_decision
breaker_decide(const struct breaker *b, uint64_t now_ms)
{
	if (b->state == BREAKER_CLOSED)
		return BREAKER_ADMIT;
	return now_ms >= b->until_ms ? BREAKER_PROBE_DUE : BREAKER_REJECT;
}

bool
breaker_epoch_is_newer(uint32_t a, uint32_t b)
{
	if (a == b || a == 0)
		return false;
	if (b == 0)
		return true;
	return ((a - b) & BREAKER_EPOCH_MASK) <
	       (1u << (BREAKER_EPOCH_BITS - 1));
}

bool
breaker_is_current(const struct breaker *b, const struct breaker_admission *a)
{
	return b->epoch == a->epoch && b->local == a->local;
}

static void
step(struct breaker *b, enum breaker_state state, uint64_t until_ms)
{
	b->state = state;
	b->local = true;
	b->epoch = (b->epoch + 1) & BREAKER_EPOCH_MASK;
	if (b->epoch == 0)
		b->epoch = 1;
	b->until_ms = until_ms;
	if (state == BREAKER_CLOSED)
		b->failures = 0;
}

bool
breaker_fail(struct breaker *b, const struct breaker_policy *policy,
    const struct breaker_admission *a, uint64_t now_ms)
{
	if (!breaker_is_current(b, a))
		return false;
	if (b->state == BREAKER_HALF_OPEN && a->is_probe) {
		step(b, BREAKER_OPEN, now_ms + policy->open_for_ms);
		return true;
	}
	if (b->state != BREAKER_CLOSED)
		return false;
	if (b->failures == 0 || now_ms >= b->until_ms) {
		b->failures = 0;
		b->until_ms = now_ms + policy->window_ms;
	}
	if (b->failures < BREAKER_FAILURES_MAX)
		b->failures++;
	if (b->failures >= policy->failures)
		step(b, BREAKER_OPEN, now_ms + policy->open_for_ms);
	return true;
}

bool
breaker_succeed(
    struct breaker *b, const struct breaker_admission *a, uint64_t now_ms)
{
	if (!breaker_is_current(b, a))
		return false;
	if (b->state == BREAKER_HALF_OPEN && a->is_probe) {
		step(b, BREAKER_CLOSED, now_ms + BREAKER_CONFIRM_MS);
		return true;
	}
	if (b->state != BREAKER_CLOSED || b->failures == 0)
		return false;
	b->failures = 0;
	b->until_ms = 0;
	return true;
}

bool
breaker_acquire(
    struct breaker *b, const struct breaker_policy *policy, uint64_t now_ms)
{
	if (breaker_decide(b, now_ms) != BREAKER_PROBE_DUE)
		return false;
	step(b, BREAKER_HALF_OPEN, now_ms + policy->lease_ms);
	return true;
}

bool
breaker_release(
    struct breaker *b, const struct breaker_admission *a, uint64_t now_ms)
{
	if (b->state != BREAKER_HALF_OPEN || !a->is_probe ||
	    !breaker_is_current(b, a))
		return false;
	step(b, BREAKER_HALF_OPEN, now_ms);
	return true;
}

/* Until when a local step stands against an older word of Redis. */
static uint64_t
confirm_until_ms(const struct breaker *b, const struct breaker_policy *policy)
{
	if (b->state == BREAKER_OPEN)
		return b->until_ms - policy->open_for_ms + BREAKER_CONFIRM_MS;
	return b->state == BREAKER_CLOSED && b->failures == 0 ? b->until_ms : 0;
}

bool
breaker_merge(struct breaker *b, const struct breaker *said,
    const struct breaker_policy *policy, uint64_t now_ms, bool decided)
{
	bool older = b->epoch != said->epoch &&
		     !breaker_epoch_is_newer(said->epoch, b->epoch);

	if (older && !b->local)
		return false;
	if (older && !decided && now_ms < confirm_until_ms(b, policy))
		return false;
	if (breaker_pack(b) == breaker_pack(said))
		return false;
	*b = *said;
	return true;
}
