#include "breakers_link.h"

#include <unistd.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "breakers_script.h"
#include "log.h"

#define PEEK_MS 500
#define LEASE_MAX_MS 75000
#define LEASE_SLACK_MS 1000
#define TOKEN_MAX 64
#define US_PER_MS UINT64_C(1000)

bool
breakers_link_is_up(const struct breakers_link *l)
{
	return l->redis != NULL && redis_is_up(l->redis);
}

static struct breakers_service *
find_service(struct breakers_link *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->services[i].word.service, name) == 0)
			return &l->services[i];
	return NULL;
}

/* Adopts a text of the scripts. NULL when the text is invalid, or the service
 * unknown or without a breaker. */
static struct breakers_service *
hear(struct breakers_link *l, const redisReply *text, struct breaker *said,
    bool decided)
{
	char name[CONFIG_NAME_MAX + 1];
	unsigned state, epoch, failures;
	uint64_t left_ms;
	struct breakers_service *s;

	if (text->type != REDIS_REPLY_STRING ||
	    sscanf(text->str, "%63s %u %u %u %" SCNu64, name, &state, &epoch,
		&failures, &left_ms) != 5)
		return NULL;
	s = find_service(l, name);
	if (s == NULL || s->word.policy.failures == 0 ||
	    state > BREAKER_HALF_OPEN)
		return NULL;
	*said = (struct breaker){
	    .state = (enum breaker_state)state,
	    .epoch = epoch & BREAKER_EPOCH_MASK,
	    .failures = failures > BREAKER_FAILURES_MAX ? BREAKER_FAILURES_MAX
							: failures,
	};
	/* One ms more, since our time is rounded down: asking early is in vain.
	 */
	if (state != BREAKER_CLOSED || failures != 0)
		said->until_ms = breakers_word_now_ms(&s->word) + left_ms + 1;
	breakers_word_merge(&s->word, said, decided);
	return s;
}

bool
breakers_link_hear(struct breakers_link *l, const redisReply *reply,
    struct breaker *said, unsigned *admitted, bool decided)
{
	struct breakers_service *s;

	if (reply == NULL)
		return false;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4) {
		log_debug("breakers: redis: %s",
		    reply->type == REDIS_REPLY_ERROR ? reply->str
						     : "odd reply");
		return false;
	}
	s = hear(l, reply->element[0], said, decided);
	if (s == NULL)
		return false;
	*admitted = (unsigned)reply->element[1]->integer;
	if (reply->element[2]->integer >= BREAKER_CLOSED &&
	    reply->element[2]->integer <= BREAKER_HALF_OPEN)
		breakers_word_log(&s->word,
		    (enum breaker_state)reply->element[2]->integer, said,
		    reply->element[3]->str);
	return true;
}

int
breakers_link_tell(const struct breakers_service *s,
    const struct breakers_message *m, redis_reply_fn *fn, void *arg)
{
	const struct breakers_link *l = s->link;
	struct breaker word = breakers_word_get(&s->word);
	char known[16], epoch[16], token[TOKEN_MAX] = "";
	char failures[16], window[24], open_for[24], lease[24];
	const char *argv[] = {s->key, l->channel, m->verb, s->word.service,
	    known, epoch, token, failures, window, open_for, lease, l->who,
	    m->reason};

	/* Redis must not learn an epoch that the host made up. */
	(void)snprintf(
	    known, sizeof(known), "%" PRIu32, word.local ? 0 : word.epoch);
	(void)snprintf(epoch, sizeof(epoch), "%" PRIu32, m->epoch);
	if (m->token != 0)
		(void)snprintf(token, sizeof(token), "%s:%d:%" PRIu64,
		    l->incarnation, (int)getpid(), m->token);
	(void)snprintf(
	    failures, sizeof(failures), "%u", s->word.policy.failures);
	(void)snprintf(
	    window, sizeof(window), "%" PRIu64, s->word.policy.window_ms);
	(void)snprintf(
	    open_for, sizeof(open_for), "%" PRIu64, s->word.policy.open_for_ms);
	(void)snprintf(
	    lease, sizeof(lease), "%" PRIu64, s->word.policy.lease_ms);
	return redis_eval(l->redis, &breakers_script, fn, arg, 2,
	    (int)(sizeof(argv) / sizeof(*argv)), argv);
}

static void
on_verdict(void *arg, const redisReply *reply)
{
	struct breakers_service *s = arg;
	struct breaker said;
	unsigned admitted;

	if (breakers_link_hear(s->link, reply, &said, &admitted, true))
		s->verdict.verb = NULL;
}

void
breakers_link_tell_verdict(struct breakers_service *s)
{
	if (s->verdict.verb != NULL && breakers_link_is_up(s->link))
		(void)breakers_link_tell(s, &s->verdict, on_verdict, s);
}

static void
on_peeked(void *arg, const redisReply *reply)
{
	struct breakers_link *l = arg;
	struct breaker said;

	l->is_peeking = false;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < reply->elements; i++)
		(void)hear(l, reply->element[i], &said, false);
}

static void
peek(struct breakers_link *l)
{
	const char *argv[2 * CONFIG_SERVICES_MAX];
	int keys = 0;

	if (l->is_peeking || !breakers_link_is_up(l))
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->services[i].word.policy.failures != 0)
			argv[keys++] = l->services[i].key;
	for (size_t i = 0, n = (size_t)keys; i < l->count; i++)
		if (l->services[i].word.policy.failures != 0)
			argv[n++] = l->services[i].word.service;
	if (keys != 0 && redis_eval(l->redis, &breakers_peek_script, on_peeked,
			     l, keys, 2 * keys, argv) == 0)
		l->is_peeking = true;
}

static void
on_peek_timer(void *arg)
{
	struct breakers_link *l = arg;

	loop_timer_after(l->loop, &l->peek, PEEK_MS * US_PER_MS);
	peek(l);
}

void
breakers_link_on_up(struct breakers_link *l)
{
	/* In this order: the peek then sees the verdicts. */
	for (size_t i = 0; i < l->count; i++)
		breakers_link_tell_verdict(&l->services[i]);
	peek(l);
}

static void
on_message(void *arg, const redisReply *payload)
{
	struct breaker said;

	(void)hear(arg, payload, &said, false);
}

/* The subscription is an extra: the peek finds every missed message. */
static void
listen_to(struct breakers_link *l, const struct config *config,
    struct resolver *resolver)
{
	struct redis_options redis = {
	    .url = config->redis.url, .name = l->subscriber_name};

	l->subscriber = redis_new(l->loop, resolver, &redis);
	if (l->subscriber == NULL ||
	    redis_subscribe(l->subscriber, l->channel, on_message, l) == -1)
		log_warn("breakers: no subscription: %s", strerror(errno));
}

static void
service_init(struct breakers_service *s, struct breakers_link *l,
    const struct config_service *config, const char *cluster)
{
	uint64_t lease_us = config->timeouts.connect_us +
			    config->timeouts.read_us +
			    LEASE_SLACK_MS * US_PER_MS;
	struct breaker_policy *policy = &s->word.policy;

	s->link = l;
	s->word.loop = l->loop;
	s->word.service = config->name;
	s->word.who = l->who;
	*policy = (struct breaker_policy){
	    .failures = config->breaker.failures,
	    .window_ms = config->breaker.window_us / US_PER_MS,
	    .open_for_ms = config->breaker.open_for_us / US_PER_MS,
	    .lease_ms = lease_us / US_PER_MS,
	};
	if (policy->lease_ms > LEASE_MAX_MS)
		policy->lease_ms = LEASE_MAX_MS;
	(void)snprintf(s->key, sizeof(s->key), "drover:{%s}:breaker:%s",
	    cluster, config->name);
}

void
breakers_link_start(struct breakers_link *l, const struct config *config,
    struct scoreboard *scoreboard, struct resolver *resolver)
{
	l->incarnation = scoreboard->incarnation;
	(void)snprintf(l->channel, sizeof(l->channel), "drover:{%s}:breakers",
	    config->cluster);
	(void)snprintf(l->subscriber_name, sizeof(l->subscriber_name),
	    "drover-breakers-%d", (int)getpid());
	l->count = config->service_count;
	for (size_t i = 0; i < l->count; i++) {
		service_init(
		    &l->services[i], l, &config->services[i], config->cluster);
		l->services[i].word.shared = &scoreboard->breakers[i];
	}
	timer_init_early(&l->peek, on_peek_timer, l, LOOP_EARLY_US);
	if (l->redis != NULL) {
		listen_to(l, config, resolver);
		loop_timer_after(l->loop, &l->peek, PEEK_MS * US_PER_MS);
	}
}

void
breakers_link_stop(struct breakers_link *l)
{
	redis_free(l->subscriber);
	loop_timer_clear(l->loop, &l->peek);
}
