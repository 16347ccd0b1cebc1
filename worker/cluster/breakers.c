#include "breakers.h"

#include <stdio.h>
#include <stdlib.h>

#include "breakers_link.h"
#include "check.h"

/* A question to Redis; at most one per service is under way. */
struct question {
	struct breakers_service *service;
	struct breakers_ticket *asker; /* NULL: has left */
	uint64_t token;
	bool is_asking;
};

struct breakers {
	struct breakers_link link;
	uint64_t tokens; /* the last token */
	struct question questions[CONFIG_SERVICES_MAX];
};

/* An outcome under way to Redis. */
struct breakers_report {
	struct breakers_service *service;
	struct breakers_ticket *ticket; /* waits for settled(), or NULL */
	bool took_step;                 /* on the word of the host */
	bool is_verdict;                /* of a probe */
};

static void
on_told(void *arg, const redisReply *reply)
{
	struct breakers_report *r = arg;
	struct breakers_ticket *t = r->ticket;
	struct breaker said;
	unsigned admitted;

	/* Lost or refused: a failure shows in the next peek; the end of a probe
	 * is sent again. */
	if (breakers_link_hear(
		r->service->link, reply, &said, &admitted, r->took_step) &&
	    r->is_verdict)
		r->service->verdict.verb = NULL;
	free(r);
	if (t != NULL) {
		t->report = NULL;
		t->settled(t->settled_arg);
	}
}

static void
give_back(struct breakers_service *s, uint32_t epoch, uint64_t token)
{
	s->verdict = (struct breakers_message){.verb = "release",
	    .reason = "the probe was given back",
	    .epoch = epoch,
	    .token = token};
	breakers_link_tell_verdict(s);
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

/* The host's word alone decides. */
static bool
admit_alone(struct breakers_service *s, struct breakers_ticket *t)
{
	struct breaker before, word;

	if (breakers_word_step(&s->word, STEP_ACQUIRE, NULL, &before, &word)) {
		breakers_word_log(&s->word, before.state, &word, "probe");
		admit(t, &word, true);
		return true;
	}
	if (breaker_decide(&word, breakers_word_now_ms(&s->word)) !=
	    BREAKER_ADMIT)
		return false;
	admit(t, &word, false);
	return true;
}

static void
on_asked(void *arg, const redisReply *reply)
{
	struct question *q = arg;
	struct breakers_service *s = q->service;
	struct breakers_ticket *t = q->asker;
	struct breaker said;
	unsigned admitted = 0;
	bool answered =
	    breakers_link_hear(s->link, reply, &said, &admitted, true);

	q->is_asking = false;
	q->asker = NULL;
	if (t == NULL) {
		if (answered && admitted == 2)
			give_back(s, said.epoch, q->token);
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
ask(struct breakers *b, struct question *q, struct breakers_ticket *t)
{
	struct breakers_service *s = q->service;
	struct breakers_message m = {.verb = "ask", .reason = "probe"};

	if (!breakers_link_is_up(s->link))
		return admit_alone(s, t) ? BREAKERS_ADMITTED
					 : BREAKERS_REJECTED;
	/* Another request has asked for the one probe. */
	if (q->is_asking)
		return BREAKERS_REJECTED;
	m.token = ++b->tokens;
	if (breakers_link_tell(s, &m, on_asked, q) == -1)
		return BREAKERS_REJECTED;
	q->is_asking = true;
	q->asker = t;
	q->token = t->token = m.token;
	t->is_asking = true;
	return BREAKERS_ASKING;
}

enum breakers_verdict
breakers_check(struct breakers *b, unsigned service, struct breakers_ticket *t)
{
	struct breakers_service *s = &b->link.services[service];
	struct breaker word = breakers_word_get(&s->word);

	CHECK(service < b->link.count && !t->is_asking && !t->is_open);
	t->service = service;
	if (s->word.policy.failures == 0) {
		admit(t, &word, false);
		return BREAKERS_ADMITTED;
	}
	switch (breaker_decide(&word, breakers_word_now_ms(&s->word))) {
	case BREAKER_ADMIT:
		admit(t, &word, false);
		return BREAKERS_ADMITTED;
	case BREAKER_REJECT:
		return BREAKERS_REJECTED;
	case BREAKER_PROBE_DUE:
		return ask(b, &b->questions[service], t);
	}
	return BREAKERS_REJECTED;
}

/* Outcomes. */

/* True when Redis is up, and the outcome is about an epoch of Redis that has
 * not passed. */
static bool
is_for_redis(const struct breakers_service *s,
    const struct breaker_admission *a, const struct breaker *word)
{
	return !a->local && breakers_link_is_up(s->link) &&
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

/* True when the ticket waits for the answer. */
static bool
tell_outcome(struct breakers_service *s, struct breakers_ticket *t, bool failed,
    const char *reason, bool took_step)
{
	struct breakers_report *r = calloc(1, sizeof(*r));
	struct breakers_message m = outcome_message(t, failed, reason);

	if (t->admission.is_probe)
		s->verdict = m;
	/* Without a report the word stands until the next peek. */
	if (r == NULL)
		return false;
	r->service = s;
	r->took_step = took_step;
	r->is_verdict = t->admission.is_probe;
	if (breakers_link_tell(s, &m, on_told, r) == -1) {
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
	struct breakers_service *s = &b->link.services[t->service];
	struct breaker word = breakers_word_get(&s->word), before, after;
	enum breakers_step step = failed ? STEP_FAIL : STEP_SUCCEED;
	bool changed;

	if (!t->is_open)
		return true;
	t->is_open = false;
	if (s->word.policy.failures == 0)
		return true;
	/* Nearly all requests. */
	if (!failed && !t->admission.is_probe && word.failures == 0)
		return true;
	if (!is_for_redis(s, &t->admission, &word)) {
		if (t->admission.is_probe && !t->admission.local)
			s->verdict = outcome_message(t, failed, reason);
		(void)breakers_word_step_alone(&s->word, step, &t->admission,
		    failed ? reason : "the probe succeeded");
		return true;
	}
	/* The word changes now: the next request on the host does not wait for
	 * Redis. */
	changed =
	    breakers_word_step(&s->word, step, &t->admission, &before, &after);
	return !tell_outcome(
	    s, t, failed, reason, changed && before.state != after.state);
}

void
breakers_release(struct breakers *b, struct breakers_ticket *t)
{
	struct question *q = &b->questions[t->service];
	struct breakers_service *s = &b->link.services[t->service];

	if (t->is_asking) {
		CHECK(q->asker == t);
		q->asker = NULL;
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
	if (t->admission.local || !breakers_link_is_up(&b->link))
		(void)breakers_word_step_alone(&s->word, STEP_RELEASE,
		    &t->admission, "the probe was given back");
	if (!t->admission.local)
		give_back(s, t->admission.epoch, t->token);
}

unsigned
breakers_retry_after_s(const struct breakers *b, unsigned service)
{
	const struct breakers_word *w = &b->link.services[service].word;
	struct breaker word = breakers_word_get(w);
	uint64_t now = breakers_word_now_ms(w);

	/* A probe is usually decided long before its lease ends. */
	if (word.state != BREAKER_OPEN || word.until_ms <= now)
		return 1;
	return (unsigned)((word.until_ms - now + 999) / 1000);
}

void
breakers_on_up(struct breakers *b)
{
	breakers_link_on_up(&b->link);
}

struct breakers *
breakers_new(const struct breakers_options *options)
{
	struct breakers *b = calloc(1, sizeof(*b));
	struct breakers_link *l;

	if (b == NULL)
		return NULL;
	l = &b->link;
	l->loop = options->loop;
	l->redis = options->redis;
	(void)snprintf(l->who, sizeof(l->who), "%s", options->who);
	breakers_link_start(
	    l, options->config, options->scoreboard, options->resolver);
	for (size_t i = 0; i < l->count; i++)
		b->questions[i].service = &l->services[i];
	return b;
}

void
breakers_free(struct breakers *b)
{
	if (b == NULL)
		return;
	breakers_link_stop(&b->link);
	for (size_t i = 0; i < b->link.count; i++)
		b->questions[i].asker = NULL;
	/* The redis still holds pointers for the last replies. */
	loop_bury(b->link.loop, b, free);
}
