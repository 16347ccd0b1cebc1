/*
 * route - which route a path belongs to. Pure; worker only.
 *
 * The longest matching prefix wins. A prefix matches on a path segment's
 * boundary: "/api/pay" takes "/api/pay", "/api/pay/1" and "/api/pay?x", not
 * "/api/payments". The query is no part of the match.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "config.h"
#include "message.h"

/* NULL when no route matches. path: origin-form, with or without a query. */
const struct config_route *route_find(
    const struct config_route *routes, size_t count, struct message_slice path);

#endif
