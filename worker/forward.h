/*
 * forward - rewrites the heads of what passes through. Pure; worker only.
 *
 * Requests: the method and the path (prefix rewritten), the end-to-end
 * headers in their order, Host as the client sent it, X-Real-IP and
 * X-Forwarded-Proto set, X-Forwarded-For appended to, and our own framing.
 * Responses: the end-to-end headers only. Dropped are the hop-by-hop headers
 * of RFC 9110 section 7.6.1, what Connection names, and what frames a message
 * (Content-Length, Transfer-Encoding), because the body is framed anew: what
 * arrives ambiguous never leaves so.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "config.h"
#include "message.h"
#include "text.h"

struct forward_request {
	const struct message *message;
	const struct config_route *route;
	const char *peer; /* the client's address, without its port */
	const char *host; /* for a request of HTTP/1.0 that names none */
};

/* Writes the whole head, blank line included; text_is_full() if it did not
 * fit. A body goes as it came: by Content-Length, or chunked. */
void forward_request(struct text *out, const struct forward_request *request);

/* Writes the header lines of a response that may be passed on. */
void forward_response(struct text *out, const struct message *response);
/* Whether the response brings a Date of its own. */
bool forward_has_date(const struct message *response);

#endif
