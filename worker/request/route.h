/*
 * route - which route a request belongs to. Pure; worker only.
 *
 * The longest matching prefix wins. A prefix matches on a path segment's
 * boundary: "/api/pay" takes "/api/pay", "/api/pay/1" and "/api/pay?x", not
 * "/api/payments"; "/static/" takes what begins so, not "/static". An
 * exact route takes its path alone. Among
 * routes of the same prefix the one that asks for most wins: an exact host
 * before a wildcard (the longer one first) before none, then an exact path,
 * then the one with more headers and parameters, then with a list of methods,
 * then the first in the file. A route whose conditions do not hold is passed
 * over for the next one, and at last for a shorter prefix. `OPTIONS *` belongs
 * to the route of
 * "/", unless that is exact.
 *
 * The path is compared as it was sent, byte by byte; the query is no part of
 * it. Host is compared without its port and a final dot, in any case; an IPv6
 * address with its brackets, as text. "*.example.org" is any name below
 * example.org, however deep. A header's name is compared in any case, its
 * value exactly; a parameter's name and value byte by byte, not decoded:
 * "a%2Fb" is not "a/b". Of several headers or parameters of one name it is
 * enough that one holds. HEAD is allowed where GET is.
 *
 * The table is built once. A search allocates nothing and costs a step per
 * segment of the path, however many routes there are; then one per label of
 * the host, where routes have hosts, and one per route that shares both path
 * and host with the one found.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "config.h"
#include "head.h"
#include "text.h"

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
    const struct head *request, const struct config_route **route,
    uint64_t *methods);

/* "GET, HEAD": what Allow says (RFC 9110 section 10.2.1). */
void route_add_methods(struct text *out, uint64_t methods);

#endif
