/*
 * breakers_word - one service's breaker as the processes of a host share it:
 * a word in the scoreboard, and the steps that this process takes on it.
 *
 * breaker.h is the policy, and nothing here waits or knows Redis. A step is a
 * compare-and-swap, so it counts whatever other processes do meanwhile.
 */
#ifndef BREAKERS_WORD_H
#define BREAKERS_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "breaker.h"

struct loop;

struct breakers_word {
	_Atomic uint64_t *shared; /* in the scoreboard */
	struct breaker_policy policy;
	struct loop *loop;   /* for the time */
	const char *service; /* the name, for log lines */
	const char *who;     /* likewise: "worker 1" */
};

/* The steps of breaker.h. */
enum breakers_step { STEP_FAIL, STEP_SUCCEED, STEP_ACQUIRE, STEP_RELEASE };

uint64_t breakers_word_now_ms(const struct breakers_word *w);
/* The breaker as the word has it now. */
struct breaker breakers_word_get(const struct breakers_word *w);
/* False when there was no step to take; *before and *after are the breaker
 * either way. */
bool breakers_word_step(const struct breakers_word *w, enum breakers_step step,
    const struct breaker_admission *a, struct breaker *before,
    struct breaker *after);
/* The same, and logged: a step that Redis is not asked about. */
bool breakers_word_step_alone(const struct breakers_word *w,
    enum breakers_step step, const struct breaker_admission *a,
    const char *reason);
/* Adopts Redis' answer; decided: about a step that this process took. */
void breakers_word_merge(
    const struct breakers_word *w, const struct breaker *said, bool decided);
/* The one line of a step that this process caused. */
void breakers_word_log(const struct breakers_word *w, enum breaker_state from,
    const struct breaker *to, const char *reason);

#endif
