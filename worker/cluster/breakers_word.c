#include "breakers_word.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "log.h"
#include "loop.h"

#define US_PER_MS UINT64_C(1000)

uint64_t
breakers_word_now_ms(const struct breakers_word *w)
{
	return loop_now_us(w->loop) / US_PER_MS;
}

struct breaker
breakers_word_get(const struct breakers_word *w)
{
	return breaker_unpack(
	    atomic_load_explicit(w->shared, memory_order_relaxed));
}

static bool
take_step(const struct breakers_word *w, struct breaker *b,
    enum breakers_step step, const struct breaker_admission *a)
{
	uint64_t now = breakers_word_now_ms(w);

	switch (step) {
	case STEP_FAIL:
		return breaker_fail(b, &w->policy, a, now);
	case STEP_SUCCEED:
		return breaker_succeed(b, a, now);
	case STEP_ACQUIRE:
		return breaker_acquire(b, &w->policy, now);
	case STEP_RELEASE:
		return breaker_release(b, a, now);
	}
	return false;
}

bool
breakers_word_step(const struct breakers_word *w, enum breakers_step step,
    const struct breaker_admission *a, struct breaker *before,
    struct breaker *after)
{
	uint64_t word = atomic_load(w->shared);

	do {
		*before = *after = breaker_unpack(word);
		if (!take_step(w, after, step, a))
			return false;
	} while (!atomic_compare_exchange_weak(
	    w->shared, &word, breaker_pack(after)));
	return true;
}

void
breakers_word_merge(
    const struct breakers_word *w, const struct breaker *said, bool decided)
{
	uint64_t now = breakers_word_now_ms(w);
	uint64_t word = atomic_load(w->shared);
	struct breaker before, after;

	do {
		before = after = breaker_unpack(word);
		if (!breaker_merge(&after, said, &w->policy, now, decided))
			return;
	} while (!atomic_compare_exchange_weak(
	    w->shared, &word, breaker_pack(&after)));
	if (before.state != after.state)
		log_debug("breaker %s: heard: %s -> %s, epoch %" PRIu32,
		    w->service, breaker_state_str(before.state),
		    breaker_state_str(after.state), after.epoch);
}

void
breakers_word_log(const struct breakers_word *w, enum breaker_state from,
    const struct breaker *to, const char *reason)
{
	char what[48] = "";

	if (to->state == BREAKER_OPEN && from == BREAKER_CLOSED)
		(void)snprintf(
		    what, sizeof(what), "%u failures, last: ", to->failures);
	else if (to->state == BREAKER_OPEN)
		(void)snprintf(what, sizeof(what), "the probe failed: ");
	log_info("breaker %s: %s -> %s, %s%s (%s), epoch %" PRIu32 "%s",
	    w->service, breaker_state_str(from), breaker_state_str(to->state),
	    what, reason, w->who, to->epoch,
	    to->local ? ", on this host alone" : "");
}

bool
breakers_word_step_alone(const struct breakers_word *w, enum breakers_step step,
    const struct breaker_admission *a, const char *reason)
{
	struct breaker before, after;

	if (!breakers_word_step(w, step, a, &before, &after))
		return false;
	if (before.state != after.state || step == STEP_RELEASE)
		breakers_word_log(w, before.state, &after, reason);
	return true;
}
