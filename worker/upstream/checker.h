/*
 * checker - active health checks, by one worker for the whole host. Worker
 * only.
 *
 * The ready worker with the lowest slot is the one who checks: each
 * health.interval, a GET of health.path on a new connection to every endpoint.
 * 2xx and 3xx within health.timeout is good, anything else is not. After
 * `fall` bad ones in a row an endpoint is down and after `rise` good ones up
 * again; the scoreboard tells the other workers.
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "runtime.h"

struct checker;

/* For the services that have health.path. NULL with ENOMEM. */
struct checker *checker_new(struct runtime *rt);
/* Before the services go. */
void checker_free(struct checker *c);

#endif
