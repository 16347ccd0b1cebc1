/*
 * checker - active health checks, by one worker for the whole host. Worker
 * only.
 *
 * The ready worker with the lowest slot does the checks: each health.interval,
 * a request for health.path on a new connection to every endpoint. A status and
 * a body as of health.expect, within health.timeout, pass; anything else fails.
 * `fall` failures in a row make an endpoint down, `rise` passes in a row make
 * the endpoint up. The scoreboard tells the other workers. A check that this
 * host is too short for (shortage.h) is left out.
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "runtime.h"

struct checker;

/* For the services with health.path. NULL with ENOMEM. */
struct checker *checker_new(struct runtime *rt);
/* Call before service_free(). */
void checker_free(struct checker *c);

#endif
