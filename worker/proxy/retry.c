#include "retry.h"

bool
retry_is_stale(const struct retry_facts *facts)
{
	return facts->is_reused && facts->failure == FAILURE_LOST &&
	       !facts->has_heard;
}

/* RFC 9110 section 9.2.2. */
static bool
is_repeatable(const struct retry_facts *facts)
{
	return (!facts->has_left || facts->is_idempotent) &&
	       facts->body != RETRY_BODY_LOST;
}

enum retry_verdict
retry_judge(const struct retry_facts *facts)
{
	if (facts->has_passed_on || !is_repeatable(facts))
		return RETRY_NO;
	if (retry_is_stale(facts))
		return RETRY_FRESH;
	if ((facts->retry_on &
		failure_retry_on(facts->failure, facts->status)) == 0)
		return RETRY_NO;
	if (facts->retries >= facts->retries_max || !facts->has_others)
		return RETRY_NO;
	return facts->has_left ? RETRY_WITHIN_BUDGET : RETRY_ELSEWHERE;
}
