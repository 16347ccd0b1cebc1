/*
 * exchange_failure - the failure of a try or of the exchange. Client, breaker
 * and endpoint get their reports, and retry_judge() says whether another try
 * follows. Part of exchange_state.h.
 */
#ifndef EXCHANGE_FAILURE_H
#define EXCHANGE_FAILURE_H

#include "exchange_state.h"

/* Answers without a word to the breaker: not the service's fault. */
void exchange_refuse(
    struct exchange *x, enum failure failure, unsigned retry_after_s);
/* The same, when a limit or a check of ours has refused the response: logs what
 * was wrong. */
void exchange_refuse_response(struct exchange *x);
/* The service has failed, and no other try follows. */
void exchange_fail(struct exchange *x, enum failure failure);
/* The try has failed. error: errno, or 0 for none. True: another try follows,
 * and the exchange is queued for a connection. False: the exchange ends with
 * the failure's answer. */
bool exchange_fail_try(struct exchange *x, enum failure failure, int error);
/* The response's head has a status of failure, and has not been passed on.
 * True: another try follows, as above. False: the caller passes the response
 * on, and reports the failure. */
bool exchange_retry_status(struct exchange *x);

#endif
