/*
 * exchange - the stage that forwards a request to a backend and the response to
 * the client. Worker only.
 *
 * The stage follows the breaker's admission (admission.h). The pool lends a
 * connection. The request leaves, its body streamed as the backend reads. The
 * response is streamed as the client reads. No message is buffered whole: a
 * side that does not read stops the reading of the opposite side.
 *
 * A try that fails before any part of the response was passed on is made again
 * on another endpoint, if safe (RFC 9110 section 9.2.2). Safe means: no byte
 * was sent, or the method is idempotent and its body, if any, kept. `retries`
 * limits the number, the service's retry budget the share. A kept-alive
 * connection that turns out to be closed gets one more try on a new connection.
 *
 * The service's failures, for its breaker: unreachable or unresolved, late,
 * broken off, an invalid response, a status of 502, 503 or 504. A client that
 * leaves is no evidence about the service.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "chain.h"

extern const struct stage exchange_stage;

#endif
