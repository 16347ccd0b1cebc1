/*
 * breakers_word - one service's breaker, shared by the processes of a host. The
 * word lies in the scoreboard; the steps here are those of this process.
 *
 * breaker.h is the policy. No function waits or knows Redis. A step is a
 * compare-and-swap: steps of several processes at once all count.
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
/* The breaker in the word. */
struct breaker breakers_word_get(const struct breakers_word *w);
/* Takes a step. False when the policy has no step to take; *before and *after
 * are set in either case. */
bool breakers_word_step(const struct breakers_word *w, enum breakers_step step,
    const struct breaker_admission *a, struct breaker *before,
    struct breaker *after);
/* The same, with a log line: a step without Redis. */
bool breakers_word_step_alone(const struct breakers_word *w,
    enum breakers_step step, const struct breaker_admission *a,
    const char *reason);
/* Adopts the state that Redis said. decided: about a step of this process. */
void breakers_word_merge(
    const struct breakers_word *w, const struct breaker *said, bool decided);
/* The one log line of a step of this process. */
void breakers_word_log(const struct breakers_word *w, enum breaker_state from,
    const struct breaker *to, const char *reason);

#endif
