/*
 * route - which route a request belongs to. Pure; worker only.
 *
 * The longest matching prefix wins. A prefix matches on a path segment's
 * boundary: "/api/pay" takes "/api/pay", "/api/pay/1" and "/api/pay?x", not
 * "/api/payments". Among routes of the same prefix the one that asks for most
 * wins: an exact host before a wildcard before none, then the one with more
 * headers and parameters, then with a list of methods, then the first in the
 * file. A route whose conditions do not hold is passed over for a shorter
 * prefix. The query is no part of the match, but for `query` conditions.
 * `OPTIONS *` belongs to the route of "/".
 *
 * The table is built once; a search costs a step per segment of the path,
 * however many routes there are.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "config.h"
#include "message.h"

struct route_table;

/* routes outlive it. NULL with ENOMEM. */
struct route_table *route_table_new(
    const struct config_route *routes, size_t count);
void route_table_free(struct route_table *table);

enum route_result {
	ROUTE_FOUND,
	ROUTE_NONE,      /* no route for this path, host, headers */
	ROUTE_NO_METHOD, /* there are, for other methods */
};

/* methods: of ROUTE_NO_METHOD, which ones would do, as in config_route. */
enum route_result route_find(const struct route_table *table,
    const struct message *request, const struct config_route **route,
    uint64_t *methods);

#endif
