/*
 * forward - rewrites the heads and trailers of forwarded messages. Pure; worker
 * only.
 *
 * A request keeps its method, its path (prefix rewritten), its end-to-end
 * headers in order, and Host as sent by the client. X-Real-IP, X-Request-Id and
 * traceparent are set, Via appended to, Max-Forwards counted down. A response
 * keeps its end-to-end headers but X-Request-Id, which the exchange adds; Via
 * is appended to.
 *
 * X-Forwarded-For, -Proto, -Host, -Port, -Prefix and Forwarded (RFC 7239) are
 * words of a proxy about the client. From a trusted proxy the fields pass, and
 * the proxy's address is appended to X-Forwarded-For. From any other peer the
 * fields are dropped; X-Forwarded-For and -Proto are set to the facts.
 *
 * Dropped are the hop-by-hop headers of RFC 9110 section 7.6.1, headers named
 * by Connection, and headers of framing (Content-Length, Transfer-Encoding). A
 * request also loses names that differ from a known name only by `_` for `-`.
 * The body is framed anew: no ambiguity is passed on. Two wishes of the
 * client's connection are repeated to the backend: `TE: trailers`, and the
 * protocols to upgrade to.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "config.h"
#include "fields.h"
#include "head.h"
#include "trace.h"

struct forward_request {
	const struct head *head;
	const struct config_route *route;
	const char *peer; /* the address of the connection, without its port */
	/* The client behind the peer, a trusted proxy; NULL: the peer is the
	 * client. */
	const char *client;
	const char *host; /* for a request of HTTP/1.0 without a Host */
	const struct trace *trace;
};

/* The forwarded path: the head's own, or rewritten in room. */
struct slice forward_path(struct text *room, const struct head *head,
    const struct config_route *route);
/* Adds the fields of the request; the stream adds Expect and the framing.
 * Returns the protocols that the request offers, a list that lies in out; at
 * NULL: none. */
struct slice forward_request(
    struct fields *out, const struct forward_request *request);

/* Adds the forwarded fields of a response. trailers: the framing towards the
 * client can carry trailers. */
void forward_response(
    struct fields *out, const struct head *response, bool trailers);
/* The same for an interim response, and for a response that switches protocols.
 * The latter gets Connection and Upgrade as well. */
void forward_interim(struct fields *out, const struct head *response);
void forward_switch(struct fields *out, const struct head *response);

/* Adds the lines that may stand in a trailer section (RFC 9110 sections 6.5.1
 * and 7.6.1). Left out: fields that frame, route, authenticate or control,
 * fields named by the head's Connection, and each line without room. */
void forward_trailers(
    struct fields *out, const struct head *head, struct slice lines);

#endif
