/*
 * forward - rewrites what passes through: heads and trailers. Pure; worker
 * only.
 *
 * Requests: the method and the path (prefix rewritten), the end-to-end
 * headers in their order, Host as the client sent it, X-Real-IP,
 * X-Forwarded-Proto, X-Request-Id and traceparent set, X-Forwarded-For and Via
 * appended to, Max-Forwards counted down, and our own framing. Responses: the
 * end-to-end headers, and Via. Dropped are the hop-by-hop headers of RFC 9110
 * section 7.6.1, what Connection names, and what frames a message
 * (Content-Length, Transfer-Encoding), because the body is framed anew: what
 * arrives ambiguous never leaves so. Of a connection's own wishes two are made
 * ours towards the backend: `TE: trailers`, and a protocol to upgrade to.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "config.h"
#include "fields.h"
#include "head.h"
#include "trace.h"

/* What we are called in Via. */
#define FORWARD_NAME "drover"

struct forward_request {
	const struct head *head;
	const struct config_route *route;
	const char *peer; /* the client's address, without its port */
	const char *host; /* for a request of HTTP/1.0 that names none */
	const struct trace *trace;
};

/* The path that goes on: the head's own, or rewritten in room. */
struct slice forward_path(struct text *room, const struct head *head,
    const struct config_route *route);
/* Adds the fields of the request; Expect and the framing are the stream's. */
void forward_request(struct fields *out, const struct forward_request *request);

/* Adds the fields of a response that may be passed on. trailers: the
 * framing towards the client can carry them. */
void forward_response(
    struct fields *out, const struct head *response, bool trailers);
/* The same of an interim response, and of one that switches protocols, which
 * then has Connection and Upgrade too. */
void forward_interim(struct fields *out, const struct head *response);
void forward_switch(struct fields *out, const struct head *response);
/* Whether the response brings a Date of its own. */
bool forward_has_date(const struct head *response);

/* Adds those of the lines that may stand in a trailer section (RFC 9110
 * sections 6.5.1 and 7.6.1): none that frame, route, authenticate or control,
 * and none that the head m's Connection names. What does not fit is left out,
 * line by line. */
void forward_trailers(
    struct fields *out, const struct head *head, struct slice lines);

#endif
