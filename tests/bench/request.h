/*
 * request - the load generator's request, as text that is made once.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#include "fleet.h"

struct request {
	char *text;
	size_t len;
};

/* The plan's pipeline of requests; route is 0 .. plan->paths - 1. */
struct request request_batch(const struct plan *plan, unsigned route);
/* A WebSocket handshake for the plan's path. */
struct request request_handshake(const struct plan *plan);
/* A masked WebSocket message of plan->post_bytes times 'x'. */
struct request request_message(const struct plan *plan);

#endif
