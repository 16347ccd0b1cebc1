/*
 * admission - the stage that asks the service's circuit breaker whether the
 * request may go to the service. Worker only.
 *
 * Nearly always the answer is in shared memory. A half-open breaker asks Redis
 * for the one probe, and the request waits. A refused request is answered 503
 * with Retry-After. The stages behind admission find the breaker's ticket in
 * request->ticket and report the outcome. A request without an outcome does not
 * change the breaker.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "chain.h"

extern const struct stage admission_stage;

#endif
