/*
 * retry - whether and where a request is sent again after a failed try. Pure;
 * worker only.
 *
 * The rule is RFC 9110 section 9.2.2. A request is repeated when no byte of the
 * request has left, or when its method is idempotent. Besides, the body must be
 * whole in memory, or not begun. No try follows once the client has received
 * part of a response.
 *
 * The service lists the failures that are worth another try (`retry_on`).
 *
 * A reused connection that turns out to be closed, before a byte of a response
 * has come, gives a try on a fresh connection, which counts as no retry and
 * needs no listing. All later tries go to another endpoint, `retries_max` times
 * at most.
 *
 * The retry budget keeps retries from multiplying the work of a service in
 * trouble. A try on which no byte has left has made no work, and costs no
 * budget. The budget belongs to the caller: service_start_retry() still has to
 * grant a RETRY_WITHIN_BUDGET.
 */
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

/* The request's body, as far as another try needs it. */
enum retry_body {
	RETRY_BODY_UNTOUCHED, /* not begun, or no body */
	RETRY_BODY_WHOLE,     /* has come, and is kept */
	RETRY_BODY_LOST,      /* begun, and a part is gone */
};

/* The facts of the failed try. */
struct retry_facts {
	enum failure failure;
	unsigned status;    /* of the response, after BAD_STATUS */
	unsigned retry_on;  /* the service's, as in config.h */
	bool is_reused;     /* on a connection used before */
	bool has_left;      /* a byte of the request, on this try */
	bool has_heard;     /* a byte of a response has come */
	bool has_passed_on; /* the client has a part of a response, interim or
			     * not */
	bool is_idempotent;
	enum retry_body body;
	unsigned retries; /* made so far */
	unsigned retries_max;
	bool has_others; /* another endpoint takes requests */
};

enum retry_verdict {
	RETRY_NO,
	RETRY_FRESH,     /* on a new connection; the endpoint is not at fault */
	RETRY_ELSEWHERE, /* at another endpoint, whatever the budget */
	RETRY_WITHIN_BUDGET, /* the same, if the budget allows */
};

/* Had the backend closed the connection before it saw the request? */
bool retry_is_stale(const struct retry_facts *facts);

enum retry_verdict retry_judge(const struct retry_facts *facts);

#endif
