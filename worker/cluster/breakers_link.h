/*
 * breakers_link - the messages between breakers and Redis: outcomes and
 * questions are sent, answers go into the host's words.
 *
 * Changes by other processes arrive by a subscription, and by a look at all
 * breakers every PEEK_MS, since messages get lost. The end of a probe is kept
 * until Redis has acknowledged it. The owner, breakers, embeds the link and
 * decides on the messages.
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

/* Arguments of the script, beside those of the service. */
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
	/* The end of the last probe by this worker, until Redis has
	 * acknowledged. Before, no process of the cluster can probe until the
	 * lease is over. */
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
/* The redis still holds pointers into the link for the last replies. The owner
 * frees the memory at the end of the iteration. */
void breakers_link_stop(struct breakers_link *l);

bool breakers_link_is_up(const struct breakers_link *l);
/* Redis is up: sends kept verdicts, then asks for all states. */
void breakers_link_on_up(struct breakers_link *l);

/* Sends m; fn gets the reply, for breakers_link_hear(). 0, or -1 as
 * redis_eval(). */
int breakers_link_tell(const struct breakers_service *s,
    const struct breakers_message *m, redis_reply_fn *fn, void *arg);
/* Adopts the reply, and logs the step that Redis made. decided: about a step of
 * this process. *admitted: 0, 1, or 2 as the probe. False: no answer. */
bool breakers_link_hear(struct breakers_link *l, const redisReply *reply,
    struct breaker *said, unsigned *admitted, bool decided);
/* Sends the kept verdict, if any; again when Redis is back. */
void breakers_link_tell_verdict(struct breakers_service *s);

#endif
