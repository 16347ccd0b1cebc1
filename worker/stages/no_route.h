/*
 * no_route - the last stage of requests without a route: 405 when a route would
 * take another method, else 404. Worker only.
 */
#ifndef NO_ROUTE_H
#define NO_ROUTE_H

#include "chain.h"

extern const struct stage no_route_stage;

#endif
