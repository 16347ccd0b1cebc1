#include "breakers_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"

struct breaker
breakers_word(const struct breakers_service *s)
{
	return breaker_unpack(
	    atomic_load_explicit(s->word, memory_order_relaxed));
}

static bool
take_step(const struct breakers_service *s, struct breaker *word,
    enum breakers_step step, const struct breaker_admission *a)
{
	uint64_t now = breakers_now_ms(s->breakers);

	switch (step) {
	case STEP_FAIL:
		return breaker_fail(word, &s->policy, a, now);
	case STEP_SUCCEED:
		return breaker_succeed(word, a, now);
	case STEP_ACQUIRE:
		return breaker_acquire(word, &s->policy, now);
	case STEP_RELEASE:
		return breaker_release(word, a, now);
	}
	return false;
}

bool
breakers_word_step(struct breakers_service *s, enum breakers_step step,
    const struct breaker_admission *a, struct breaker *before,
    struct breaker *after)
{
	uint64_t word = atomic_load(s->word);

	do {
		*before = *after = breaker_unpack(word);
		if (!take_step(s, after, step, a))
			return false;
	} while (
	    !atomic_compare_exchange_weak(s->word, &word, breaker_pack(after)));
	return true;
}

void
breakers_word_merge(
    struct breakers_service *s, const struct breaker *said, bool decided)
{
	uint64_t now = breakers_now_ms(s->breakers);
	uint64_t word = atomic_load(s->word);
	struct breaker before, after;

	do {
		before = after = breaker_unpack(word);
		if (!breaker_merge(&after, said, &s->policy, now, decided))
			return;
	} while (!atomic_compare_exchange_weak(
	    s->word, &word, breaker_pack(&after)));
	if (before.state != after.state)
		log_debug("breaker %s: heard: %s -> %s, epoch %" PRIu32,
		    s->name, breaker_state_str(before.state),
		    breaker_state_str(after.state), after.epoch);
}

void
breakers_word_log(const struct breakers_service *s, enum breaker_state from,
    const struct breaker *to, const char *reason)
{
	char what[48] = "";

	if (to->state == BREAKER_OPEN && from == BREAKER_CLOSED)
		(void)snprintf(
		    what, sizeof(what), "%u failures, last: ", to->failures);
	else if (to->state == BREAKER_OPEN)
		(void)snprintf(what, sizeof(what), "the probe failed: ");
	log_info("breaker %s: %s -> %s, %s%s (%s), epoch %" PRIu32 "%s",
	    s->name, breaker_state_str(from), breaker_state_str(to->state),
	    what, reason, s->breakers->who, to->epoch,
	    to->local ? ", on this host alone" : "");
}

bool
breakers_word_step_alone(struct breakers_service *s, enum breakers_step step,
    const struct breaker_admission *a, const char *reason)
{
	struct breaker before, after;

	if (!breakers_word_step(s, step, a, &before, &after))
		return false;
	if (before.state != after.state || step == STEP_RELEASE)
		breakers_word_log(s, before.state, &after, reason);
	return true;
}
