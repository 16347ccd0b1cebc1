/*
 * admission - the stage that asks the circuit breaker of the route's service
 * whether the request may go there. Worker only.
 *
 * Nearly always the answer is in shared memory. A half-open breaker asks Redis
 * for the one probe, and the request waits. A refused request is answered 503
 * with Retry-After. The stages behind it find the breaker's ticket in
 * request->ticket and report the outcome; a request that ends without one says
 * nothing of the service.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "chain.h"

extern const struct stage admission_stage;

#endif
