/*
 * breakers_link - the breakers' talk with Redis: outcomes and questions go
 * there, and the answers go into the host's words.
 *
 * Changes by other processes come by a subscription, and every PEEK_MS by a
 * look at all breakers, since messages get lost. The end of a probe is kept
 * until Redis has acknowledged it. Its owner, breakers, embeds the link and
 * decides what is told.
 */
#ifndef BREAKERS_LINK_H
#define BREAKERS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "breakers_word.h"
#include "config.h"
#include "loop.h"
#include "redis.h"
#include "resolver.h"
#include "scoreboard.h"

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
	struct breakers_link *link;
	struct breakers_word word;
	char key[BREAKERS_KEY_MAX];
	/* How this worker's last probe ended, until Redis has it: before that,
	 * nobody in the cluster may probe until the lease is over. */
	struct breakers_message verdict;
};

struct breakers_link {
	/* Set by the owner before breakers_link_start(); redis may be NULL. */
	struct loop *loop;
	struct redis *redis;
	const char *incarnation;
	char who[BREAKERS_WHO_MAX];

	struct redis *subscriber;
	char channel[BREAKERS_KEY_MAX];
	char subscriber_name[BREAKERS_WHO_MAX + 16];
	struct timer peek;
	bool is_peeking;
	size_t count;
	struct breakers_service services[CONFIG_SERVICES_MAX];
};

/* All arguments outlive the link. */
void breakers_link_start(struct breakers_link *l, const struct config *config,
    struct scoreboard *scoreboard, struct resolver *resolver);
/* The redis still holds pointers into the link for its last replies: the owner
 * frees the link's memory after this batch of events. */
void breakers_link_stop(struct breakers_link *l);

bool breakers_link_is_up(const struct breakers_link *l);
/* Tells kept verdicts, and looks at all states. */
void breakers_link_on_up(struct breakers_link *l);

/* fn gets the reply, for breakers_link_hear(). 0, or -1 as redis_eval(). */
int breakers_link_tell(const struct breakers_service *s,
    const struct breakers_message *m, redis_reply_fn *fn, void *arg);
/* Takes the reply in and logs the step that Redis made. decided: about a step
 * that this process took. False: no answer. *admitted: 0, 1, or 2 as the
 * probe. */
bool breakers_link_hear(struct breakers_link *l, const redisReply *reply,
    struct breaker *said, unsigned *admitted, bool decided);
/* Tells the verdict, if there is one: now, and again when Redis is back. */
void breakers_link_tell_verdict(struct breakers_service *s);

#endif
