#include "breakers_private.h"

#include <unistd.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"
#include "redis.h"

#define PEEK_MS 500
#define LEASE_MAX_MS 75000
#define LEASE_SLACK_MS 1000
#define TOKEN_MAX 64

static bool
is_redis_up(const struct breakers *b)
{
	return b->redis != NULL && redis_is_up(b->redis);
}

/* Talking to Redis. */

static struct breakers_service *
find_service(struct breakers *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->services[i].name, name) == 0)
			return &b->services[i];
	return NULL;
}

/* Adopts a text of the scripts. NULL when it is none, or none of ours. */
static struct breakers_service *
hear(struct breakers *b, const redisReply *text, struct breaker *said,
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
	s = find_service(b, name);
	if (s == NULL || s->policy.failures == 0 || state > BREAKER_HALF_OPEN)
		return NULL;
	*said = (struct breaker){
	    .state = (enum breaker_state)state,
	    .epoch = epoch & BREAKER_EPOCH_MASK,
	    .failures = failures > BREAKER_FAILURES_MAX ? BREAKER_FAILURES_MAX
							: failures,
	};
	/* One more, since ours is rounded down: to ask early is in vain. */
	if (state != BREAKER_CLOSED || failures != 0)
		said->until_ms = breakers_now_ms(b) + left_ms + 1;
	breakers_word_merge(s, said, decided);
	return s;
}

/* Takes the script's reply in and logs the step it made. False: no answer. */
static bool
hear_reply(struct breakers *b, const redisReply *reply, struct breaker *said,
    unsigned *admitted, bool decided)
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
	s = hear(b, reply->element[0], said, decided);
	if (s == NULL)
		return false;
	*admitted = (unsigned)reply->element[1]->integer;
	if (reply->element[2]->integer >= BREAKER_CLOSED &&
	    reply->element[2]->integer <= BREAKER_HALF_OPEN)
		breakers_word_log(s,
		    (enum breaker_state)reply->element[2]->integer, said,
		    reply->element[3]->str);
	return true;
}

/* An outcome on its way to Redis. */
struct breakers_report {
	struct breakers_service *service;
	struct breakers_ticket *ticket; /* who waits for it, or NULL */
	bool took_step;                 /* on this host's word */
	bool is_verdict;                /* of a probe */
};

static void
on_told(void *arg, const redisReply *reply)
{
	struct breakers_report *r = arg;
	struct breakers_ticket *t = r->ticket;
	struct breaker said;
	unsigned admitted;

	/* Lost or refused: the next peek says what became of a failure; how a
	 * probe ended is told again. */
	if (hear_reply(
		r->service->breakers, reply, &said, &admitted, r->took_step) &&
	    r->is_verdict)
		r->service->verdict.verb = NULL;
	free(r);
	if (t != NULL) {
		t->report = NULL;
		t->settled(t->settled_arg);
	}
}

static int
tell(struct breakers_service *s, const struct breakers_message *m,
    redis_reply_fn *fn, void *arg)
{
	struct breakers *b = s->breakers;
	struct breaker word = breakers_word(s);
	char known[16], epoch[16], token[TOKEN_MAX] = "";
	char failures[16], window[24], open_for[24], lease[24];
	const char *argv[] = {s->key, b->channel, m->verb, s->name, known,
	    epoch, token, failures, window, open_for, lease, b->who, m->reason};

	/* What this host made up is nothing that Redis should know of. */
	(void)snprintf(
	    known, sizeof(known), "%" PRIu32, word.local ? 0 : word.epoch);
	(void)snprintf(epoch, sizeof(epoch), "%" PRIu32, m->epoch);
	if (m->token != 0)
		(void)snprintf(token, sizeof(token), "%s:%d:%" PRIu64,
		    b->incarnation, (int)getpid(), m->token);
	(void)snprintf(failures, sizeof(failures), "%u", s->policy.failures);
	(void)snprintf(window, sizeof(window), "%" PRIu64, s->policy.window_ms);
	(void)snprintf(
	    open_for, sizeof(open_for), "%" PRIu64, s->policy.open_for_ms);
	(void)snprintf(lease, sizeof(lease), "%" PRIu64, s->policy.lease_ms);
	return redis_eval(b->redis, &breakers_script, fn, arg, 2,
	    (int)(sizeof(argv) / sizeof(*argv)), argv);
}

static void
on_verdict(void *arg, const redisReply *reply)
{
	struct breakers_service *s = arg;
	struct breaker said;
	unsigned admitted;

	if (hear_reply(s->breakers, reply, &said, &admitted, true))
		s->verdict.verb = NULL;
}

/* Tells how a probe ended: now, and again when Redis is back. */
static void
tell_verdict(struct breakers_service *s)
{
	if (s->verdict.verb != NULL && is_redis_up(s->breakers))
		(void)tell(s, &s->verdict, on_verdict, s);
}

static void
give_back(struct breakers_service *s, uint32_t epoch, uint64_t token)
{
	s->verdict = (struct breakers_message){.verb = "release",
	    .reason = "the probe was given back",
	    .epoch = epoch,
	    .token = token};
	tell_verdict(s);
}

/* Admission. */

static void
admit(struct breakers_ticket *t, const struct breaker *word, bool is_probe)
{
	t->is_open = true;
	t->admission.epoch = word->epoch;
	t->admission.local = word->local;
	t->admission.is_probe = is_probe;
}

/* What the host's word permits when nobody else is to be asked. */
static bool
admit_alone(struct breakers_service *s, struct breakers_ticket *t)
{
	struct breaker before, word;

	if (breakers_word_step(s, STEP_ACQUIRE, NULL, &before, &word)) {
		breakers_word_log(s, before.state, &word, "probe");
		admit(t, &word, true);
		return true;
	}
	if (breaker_decide(&word, breakers_now_ms(s->breakers)) !=
	    BREAKER_ADMIT)
		return false;
	admit(t, &word, false);
	return true;
}

static void
on_asked(void *arg, const redisReply *reply)
{
	struct breakers_service *s = arg;
	struct breakers_ticket *t = s->asker;
	struct breaker said;
	unsigned admitted = 0;
	bool answered = hear_reply(s->breakers, reply, &said, &admitted, true);

	s->is_asking = false;
	s->asker = NULL;
	if (t == NULL) {
		if (answered && admitted == 2)
			give_back(s, said.epoch, s->token);
		return;
	}
	t->is_asking = false;
	if (!answered)
		admitted = admit_alone(s, t);
	else if (admitted != 0)
		admit(t, &said, admitted == 2);
	t->fn(t->arg, admitted != 0);
}

static enum breakers_verdict
ask(struct breakers_service *s, struct breakers_ticket *t)
{
	struct breakers_message m = {.verb = "ask", .reason = "probe"};

	if (!is_redis_up(s->breakers))
		return admit_alone(s, t) ? BREAKERS_ADMITTED
					 : BREAKERS_REJECTED;
	/* There is one probe, and somebody here already wants it. */
	if (s->is_asking)
		return BREAKERS_REJECTED;
	m.token = ++s->breakers->tokens;
	if (tell(s, &m, on_asked, s) == -1)
		return BREAKERS_REJECTED;
	s->is_asking = true;
	s->asker = t;
	s->token = t->token = m.token;
	t->is_asking = true;
	return BREAKERS_ASKING;
}

void
breakers_ticket_init(struct breakers_ticket *t, breakers_fn *fn,
    breakers_settled_fn *settled, void *arg)
{
	*t = (struct breakers_ticket){
	    .fn = fn, .settled = settled, .arg = arg, .settled_arg = arg};
}

void
breakers_ticket_settle_with(
    struct breakers_ticket *t, breakers_settled_fn *settled, void *arg)
{
	t->settled = settled;
	t->settled_arg = arg;
}

enum breakers_verdict
breakers_check(struct breakers *b, unsigned service, struct breakers_ticket *t)
{
	struct breakers_service *s = &b->services[service];
	struct breaker word = breakers_word(s);

	CHECK(service < b->count && !t->is_asking && !t->is_open);
	t->service = service;
	if (s->policy.failures == 0) {
		admit(t, &word, false);
		return BREAKERS_ADMITTED;
	}
	switch (breaker_decide(&word, breakers_now_ms(b))) {
	case BREAKER_ADMIT:
		admit(t, &word, false);
		return BREAKERS_ADMITTED;
	case BREAKER_REJECT:
		return BREAKERS_REJECTED;
	case BREAKER_PROBE_DUE:
		return ask(s, t);
	}
	return BREAKERS_REJECTED;
}

/* Outcomes. */

/* Whether Redis is there, and has the epoch that the outcome is about. */
static bool
is_for_redis(const struct breakers_service *s,
    const struct breaker_admission *a, const struct breaker *word)
{
	return !a->local && is_redis_up(s->breakers) &&
	       (word->local || !breaker_epoch_is_newer(word->epoch, a->epoch));
}

static struct breakers_message
outcome_message(
    const struct breakers_ticket *t, bool failed, const char *reason)
{
	return (struct breakers_message){.verb = failed ? "fail" : "ok",
	    .reason = failed ? reason : "the probe succeeded",
	    .epoch = t->admission.epoch,
	    .token = t->admission.is_probe ? t->token : 0};
}

/* Whether the ticket waits for the answer. */
static bool
tell_outcome(struct breakers_service *s, struct breakers_ticket *t, bool failed,
    const char *reason, bool took_step)
{
	struct breakers_report *r = calloc(1, sizeof(*r));
	struct breakers_message m = outcome_message(t, failed, reason);

	if (t->admission.is_probe)
		s->verdict = m;
	/* Not told, the word stands until the next peek. */
	if (r == NULL)
		return false;
	r->service = s;
	r->took_step = took_step;
	r->is_verdict = t->admission.is_probe;
	if (tell(s, &m, on_told, r) == -1) {
		free(r);
		return false;
	}
	if (!failed)
		return false;
	r->ticket = t;
	t->report = r;
	return true;
}

bool
breakers_report(struct breakers *b, struct breakers_ticket *t, bool failed,
    const char *reason)
{
	struct breakers_service *s = &b->services[t->service];
	struct breaker word = breakers_word(s), before, after;
	enum breakers_step step = failed ? STEP_FAIL : STEP_SUCCEED;
	bool changed;

	if (!t->is_open)
		return true;
	t->is_open = false;
	if (s->policy.failures == 0)
		return true;
	/* Nearly all requests. */
	if (!failed && !t->admission.is_probe && word.failures == 0)
		return true;
	if (!is_for_redis(s, &t->admission, &word)) {
		if (t->admission.is_probe && !t->admission.local)
			s->verdict = outcome_message(t, failed, reason);
		(void)breakers_word_step_alone(s, step, &t->admission,
		    failed ? reason : "the probe succeeded");
		return true;
	}
	/* Redis' answer takes a moment, and the next request on this host
	 * does not wait for it. */
	changed = breakers_word_step(s, step, &t->admission, &before, &after);
	return !tell_outcome(
	    s, t, failed, reason, changed && before.state != after.state);
}

void
breakers_release(struct breakers *b, struct breakers_ticket *t)
{
	struct breakers_service *s = &b->services[t->service];

	if (t->is_asking) {
		CHECK(s->asker == t);
		s->asker = NULL;
		t->is_asking = false;
	}
	if (t->report != NULL) {
		t->report->ticket = NULL;
		t->report = NULL;
	}
	if (!t->is_open)
		return;
	t->is_open = false;
	if (!t->admission.is_probe)
		return;
	if (t->admission.local || !is_redis_up(b))
		(void)breakers_word_step_alone(
		    s, STEP_RELEASE, &t->admission, "the probe was given back");
	if (!t->admission.local)
		give_back(s, t->admission.epoch, t->token);
}

unsigned
breakers_retry_after_s(const struct breakers *b, unsigned service)
{
	struct breaker word = breakers_word(&b->services[service]);
	uint64_t now = breakers_now_ms(b);

	/* A probe is usually decided long before its lease ends. */
	if (word.state != BREAKER_OPEN || word.until_ms <= now)
		return 1;
	return (unsigned)((word.until_ms - now + 999) / 1000);
}

/* Listening. */

static void
on_peeked(void *arg, const redisReply *reply)
{
	struct breakers *b = arg;
	struct breaker said;

	b->is_peeking = false;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < reply->elements; i++)
		(void)hear(b, reply->element[i], &said, false);
}

static void
peek(struct breakers *b)
{
	const char *argv[2 * CONFIG_SERVICES_MAX];
	int keys = 0;

	if (b->is_peeking || !is_redis_up(b))
		return;
	for (size_t i = 0; i < b->count; i++)
		if (b->services[i].policy.failures != 0)
			argv[keys++] = b->services[i].key;
	for (size_t i = 0, n = (size_t)keys; i < b->count; i++)
		if (b->services[i].policy.failures != 0)
			argv[n++] = b->services[i].name;
	if (keys != 0 && redis_eval(b->redis, &breakers_peek_script, on_peeked,
			     b, keys, 2 * keys, argv) == 0)
		b->is_peeking = true;
}

static void
on_peek_timer(void *arg)
{
	struct breakers *b = arg;

	loop_timer_after(b->loop, &b->peek, PEEK_MS * BREAKERS_US_PER_MS);
	peek(b);
}

void
breakers_on_up(struct breakers *b)
{
	/* In this order, so that the look sees what was told. */
	for (size_t i = 0; i < b->count; i++)
		tell_verdict(&b->services[i]);
	peek(b);
}

static void
on_message(void *arg, const redisReply *payload)
{
	struct breaker said;

	(void)hear(arg, payload, &said, false);
}

/* The subscription is an extra: what it misses, the peek finds. */
static void
listen_to(struct breakers *b, const struct breakers_options *options)
{
	struct redis_options redis = {
	    .url = options->config->redis.url, .name = b->subscriber_name};

	b->subscriber = redis_new(options->loop, options->resolver, &redis);
	if (b->subscriber == NULL ||
	    redis_subscribe(b->subscriber, b->channel, on_message, b) == -1)
		log_warn("breakers: no subscription: %s", strerror(errno));
}

static void
service_init(struct breakers_service *s, struct breakers *b,
    const struct config_service *config, const char *cluster)
{
	uint64_t lease_us = config->timeouts.connect_us +
			    config->timeouts.read_us +
			    LEASE_SLACK_MS * BREAKERS_US_PER_MS;

	s->breakers = b;
	s->name = config->name;
	s->policy = (struct breaker_policy){
	    .failures = config->breaker.failures,
	    .window_ms = config->breaker.window_us / BREAKERS_US_PER_MS,
	    .open_for_ms = config->breaker.open_for_us / BREAKERS_US_PER_MS,
	    .lease_ms = lease_us / BREAKERS_US_PER_MS,
	};
	if (s->policy.lease_ms > LEASE_MAX_MS)
		s->policy.lease_ms = LEASE_MAX_MS;
	(void)snprintf(s->key, sizeof(s->key), "drover:{%s}:breaker:%s",
	    cluster, config->name);
}

struct breakers *
breakers_new(const struct breakers_options *options)
{
	const struct config *config = options->config;
	struct breakers *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->loop = options->loop;
	b->redis = options->redis;
	b->incarnation = options->scoreboard->incarnation;
	(void)snprintf(b->who, sizeof(b->who), "%s", options->who);
	(void)snprintf(b->channel, sizeof(b->channel), "drover:{%s}:breakers",
	    config->cluster);
	(void)snprintf(b->subscriber_name, sizeof(b->subscriber_name),
	    "drover-breakers-%d", (int)getpid());
	b->count = config->service_count;
	for (size_t i = 0; i < b->count; i++) {
		service_init(
		    &b->services[i], b, &config->services[i], config->cluster);
		b->services[i].word = &options->scoreboard->breakers[i];
	}
	timer_init_early(&b->peek, on_peek_timer, b, LOOP_EARLY_US);
	if (b->redis != NULL) {
		listen_to(b, options);
		loop_timer_after(
		    b->loop, &b->peek, PEEK_MS * BREAKERS_US_PER_MS);
	}
	return b;
}

void
breakers_free(struct breakers *b)
{
	if (b == NULL)
		return;
	redis_free(b->subscriber);
	loop_timer_clear(b->loop, &b->peek);
	for (size_t i = 0; i < b->count; i++)
		b->services[i].asker = NULL;
	/* The commands' redis still holds pointers for its last replies. */
	loop_bury(b->loop, b, free);
}
