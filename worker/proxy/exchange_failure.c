#include "exchange_failure.h"

#include <stdio.h>

#include "exchange_response.h"
#include "log.h"
#include "parser_fault.h"
#include "retry.h"

static void
refuse_with(struct exchange *x, const struct request_failure *row,
    unsigned retry_after_s)
{
	exchange_end(x);
	if (!exchange_response_has_begun(x)) {
		request_fail(x->request, row, retry_after_s);
		return;
	}
	x->request->record.end = row->word;
	stream_cut(x->front);
}

void
exchange_refuse(
    struct exchange *x, enum failure failure, unsigned retry_after_s)
{
	refuse_with(x, failure_row(failure), retry_after_s);
}

/* Names of fields are for the logs alone, not for the client. */
void
exchange_refuse_response(struct exchange *x)
{
	const struct parser *m = &x->up->back.parser;
	struct request_failure row = *failure_row(FAILURE_UNFIT);
	char why[PARSER_FAULT_MAX], text[PARSER_FAULT_MAX];
	int len = snprintf(text, sizeof(text), "%s: ", row.text);

	parser_fault_full(m, "service", why);
	endpoint_refused(x->up->endpoint, why);
	request_note_reason(x->request, why);
	parser_fault_reason(m, "service", why);
	snprintf(text + len, sizeof(text) - (size_t)len, "%s", why);
	row.text = text;
	refuse_with(x, &row, 0);
}

/* The failure was counted with the response's head: once per response, whatever
 * comes later. */
static bool
is_judged(const struct exchange *x)
{
	return exchange_is_bad(x->front->status);
}

/* The answer waits until the breaker has counted the failure. So the third
 * failure's answer reports an open circuit. */
void
exchange_fail(struct exchange *x, enum failure failure)
{
	const char *why = failure_row(failure)->text;

	if (!is_judged(x))
		exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	log_debug("exchange with %s: %s", x->service->config->name, why);
	if (breakers_report(
		x->runtime->breakers, x->request->ticket, true, why) ||
	    exchange_response_has_begun(x)) {
		exchange_refuse(x, failure, 0);
		return;
	}
	x->failure = failure;
	if (exchange_enter(x, EXCHANGE_FAILED))
		exchange_leave_try(x);
}

static enum retry_body
body_of(const struct exchange *x)
{
	switch (x->replay.body) {
	case REPLAY_UNTOUCHED:
		return RETRY_BODY_UNTOUCHED;
	case REPLAY_WHOLE:
		return RETRY_BODY_WHOLE;
	case REPLAY_PART:
	case REPLAY_LOST:
		break;
	}
	return RETRY_BODY_LOST;
}

static struct retry_facts
gather(const struct exchange *x, enum failure failure)
{
	const struct back *b = x->up != NULL ? &x->up->back : NULL;

	return (struct retry_facts){
	    .failure = failure,
	    .status = b != NULL ? b->parser.head.status : 0,
	    .retry_on = x->service->config->retry_on,
	    .is_reused = b != NULL && b->use != BACK_FRESH,
	    .has_left = b != NULL && back_has_sent(b),
	    .has_heard = b != NULL && back_has_heard(b),
	    .has_passed_on = exchange_response_has_begun(x) ||
			     (b != NULL && b->interims != 0),
	    .is_idempotent = head_is_idempotent(x->front->head),
	    .body = body_of(x),
	    .retries = x->retries,
	    .retries_max = x->service->config->retries,
	    .has_others = service_has_other(x->service, x->wait.endpoint),
	};
}

/* Prepares the next try by the verdict, within the budget. False: no other try.
 */
static bool
start_retry(struct exchange *x, enum retry_verdict verdict)
{
	if (verdict == RETRY_NO)
		return false;
	if (verdict == RETRY_FRESH) {
		x->wait.must_be_new = true;
		x->wait.avoid = false;
		return true;
	}
	if (verdict == RETRY_WITHIN_BUDGET) {
		if (!service_start_retry(x->service, x->in_budget))
			return false;
		x->in_budget = true;
	}
	x->retries++;
	x->wait.avoid = true;
	return true;
}

/* Leaves the failed try for the next one. */
static bool
begin_next_try(struct exchange *x)
{
	(void)exchange_lap_us(x); /* the next try's times are its own */
	exchange_leave_try(x);
	return x->state == EXCHANGE_QUEUED ||
	       exchange_enter(x, EXCHANGE_QUEUED);
}

static void
blame_endpoint(struct exchange *x, enum failure failure, int error)
{
	endpoint_failed(x->wait.endpoint, failure_row(failure)->text, error,
	    failure_is_unreachable(failure));
}

bool
exchange_retry_status(struct exchange *x)
{
	struct retry_facts facts = gather(x, FAILURE_BAD_STATUS);

	if (!start_retry(x, retry_judge(&facts)))
		return false;
	blame_endpoint(x, FAILURE_BAD_STATUS, 0);
	runtime_count(x->runtime, SCOREBOARD_UP_RETRIES);
	return begin_next_try(x);
}

bool
exchange_fail_try(struct exchange *x, enum failure failure, int error)
{
	struct retry_facts facts = gather(x, failure);
	bool is_stale = retry_is_stale(&facts);
	bool again;

	if (x->state == EXCHANGE_TUNNEL) {
		exchange_refuse(x, failure, 0);
		return false;
	}
	again = start_retry(x, retry_judge(&facts));
	if (!is_stale && !is_judged(x))
		blame_endpoint(x, failure, error);
	if (!again) {
		exchange_fail(x, failure);
		return false;
	}
	/* A connection found closed before any byte left was no try. */
	if (!is_stale || facts.has_left)
		runtime_count(x->runtime, SCOREBOARD_UP_RETRIES);
	return begin_next_try(x);
}
