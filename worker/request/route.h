/*
 * route - the route of a request. Pure; worker only.
 *
 * The longest matching prefix wins. A prefix matches on the boundary of a path
 * segment. "/api/pay" takes "/api/pay", "/api/pay/1" and "/api/pay?x", not
 * "/api/payments". "/static/" takes paths below "/static/", not "/static". An
 * exact route takes its path alone.
 *
 * Among routes of the same prefix the most specific wins. The host is compared
 * first: an exact host, a wildcard (the longer first), none. Then come an exact
 * path, more headers and parameters, a list of methods, and the order in the
 * file. A route whose conditions do not hold is passed over for the next, and
 * at last for a shorter prefix. `OPTIONS *` belongs to the route of "/", unless
 * exact.
 *
 * The path is compared in the normal form of path.h, byte by byte, without the
 * query. Host is
 * compared without port and final dot, ignoring case; an IPv6 address with its
 * brackets, as text. "*.example.org" is any name below example.org, however
 * deep. A header's name is compared ignoring case, the value exactly. A
 * parameter's name and value are compared byte by byte, not decoded: "a%2Fb" is
 * not "a/b". Of several headers or parameters of one name, one match is enough.
 * HEAD is allowed where GET is.
 *
 * The table is built once. A search allocates nothing and costs a step per
 * segment of the path, for any number of routes. Routes with hosts add a step
 * per label of the host. Each route that shares path and host with the result
 * adds a step.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "config.h"
#include "head.h"
#include "text.h"

struct route_table;

/* routes outlive the table. NULL with ENOMEM. */
struct route_table *route_table_new(
    const struct config_route *routes, size_t count);
void route_table_free(struct route_table *table);

enum route_result {
	ROUTE_FOUND,
	ROUTE_NONE,      /* no route for the path, host, headers */
	ROUTE_NO_METHOD, /* routes exist for other methods */
};

/* methods: the allowed methods of ROUTE_NO_METHOD, as in config_route. */
enum route_result route_find(const struct route_table *table,
    const struct head *request, const struct config_route **route,
    uint64_t *methods);

/* "GET, HEAD": the value of Allow (RFC 9110 section 10.2.1). */
void route_add_methods(struct text *out, uint64_t methods);

#endif
