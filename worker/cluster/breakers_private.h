/*
 * breakers_private - what breakers.c and breakers_word.c share, and nobody
 * else sees: breakers_word keeps the host's words, breakers asks and tells.
 */
#ifndef BREAKERS_PRIVATE_H
#define BREAKERS_PRIVATE_H

#include <stddef.h>

#include "breakers.h"

#define BREAKERS_US_PER_MS UINT64_C(1000)
#define BREAKERS_KEY_MAX (2 * CONFIG_NAME_MAX + 32)
#define BREAKERS_WHO_MAX 32

/* What is told to the script beside the service's own. */
struct breakers_message {
	const char *verb;   /* NULL: none */
	const char *reason; /* static */
	uint32_t epoch;
	uint64_t token; /* 0: none */
};

struct breakers_service {
	struct breakers *breakers;
	const char *name;
	_Atomic uint64_t *word;
	struct breaker_policy policy;
	char key[BREAKERS_KEY_MAX];
	/* At most one question is under way. Its asker, who may have left. */
	bool is_asking;
	struct breakers_ticket *asker;
	uint64_t token;
	/* How our last probe ended, until Redis has it: while it does not,
	 * nobody in the cluster may probe before the lease is over. */
	struct breakers_message verdict;
};

struct breakers {
	struct loop *loop;
	struct redis *redis;
	struct redis *subscriber;
	const char *incarnation;
	char who[BREAKERS_WHO_MAX];
	char channel[BREAKERS_KEY_MAX];
	char subscriber_name[BREAKERS_WHO_MAX + 16];
	uint64_t tokens; /* made so far */
	struct timer peek;
	bool is_peeking;
	size_t count;
	struct breakers_service services[CONFIG_SERVICES_MAX];
};

/* What a process does to its host's word, as breaker.h defines it. */
enum breakers_step { STEP_FAIL, STEP_SUCCEED, STEP_ACQUIRE, STEP_RELEASE };

static inline uint64_t
breakers_now_ms(const struct breakers *b)
{
	return loop_now_us(b->loop) / BREAKERS_US_PER_MS;
}

/* The word as it is now. */
struct breaker breakers_word(const struct breakers_service *s);
/* Takes a step on the word, whatever others do to it meanwhile. False when
 * there was none to take; *before and *after are the word either way. */
bool breakers_word_step(struct breakers_service *s, enum breakers_step step,
    const struct breaker_admission *a, struct breaker *before,
    struct breaker *after);
/* The same, and logged: a step that Redis is not asked about. */
bool breakers_word_step_alone(struct breakers_service *s,
    enum breakers_step step, const struct breaker_admission *a,
    const char *reason);
/* Adopts what Redis said; decided: about a step that this process took. */
void breakers_word_merge(
    struct breakers_service *s, const struct breaker *said, bool decided);
/* The one line of a step that this process caused. */
void breakers_word_log(const struct breakers_service *s,
    enum breaker_state from, const struct breaker *to, const char *reason);

#endif
