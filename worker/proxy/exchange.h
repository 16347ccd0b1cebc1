/*
 * exchange - the stage that sends a request on its way to a backend and its
 * response back. Worker only.
 *
 * Once the breaker has admitted it (admission.h): a connection from the pool;
 * the request, its body streamed as the backend takes it; the response,
 * streamed as the client takes it. Nothing is buffered whole: a side that does
 * not read stops the reading of the other.
 *
 * A try that fails before any of the response was passed on is made again on
 * another endpoint, where that is safe (RFC 9110 section 9.2.2): nothing was
 * sent, or the method is idempotent and its body, if any, kept; `retries` times
 * at most and within the service's retry budget. A kept-alive connection that
 * turns out to be closed gets one try more on a new one.
 *
 * What counts as the service's failure for its breaker: it can't be reached
 * or resolved, it is late, it breaks off, what it sends is not valid, or it
 * answers 502, 503 or 504. A client that goes away says nothing about it.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "chain.h"

extern const struct stage exchange_stage;

#endif
