/*
 * reply - a whole response in one call, on a stream of either version. Both
 * processes.
 *
 * A stream that is no longer answerable gets nothing. A named request's answer
 * has X-Request-Id.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "fields.h"

struct stream;

struct reply {
	unsigned status;
	const char *type;           /* of the body; NULL: no body */
	const struct field *fields; /* more fields; NULL: none */
	const void *body;
	size_t len;
	bool no_store; /* with Cache-Control: no-store */
};

void reply_send(struct stream *s, const struct reply *reply);
/* The request's own head (TRACE, RFC 9110 section 9.3.8), as message/http, put
 * together in data. leaves_out() tells the fields to omit. False: the head does
 * not fit, and nothing was sent. */
bool reply_echo(struct stream *s, char *data, size_t cap,
    bool (*leaves_out)(const struct head_field *field));
/* A JSON error {"error":what,"status":status,"requestId":id}, the form of every
 * error; without the id when the request has no name. No cache may keep an
 * error: some statuses can be kept unless the response says otherwise (RFC 9110
 * section 15.1). */
void reply_error(struct stream *s, unsigned status, const char *what);
/* The same with more fields. */
void reply_error_with(struct stream *s, unsigned status, const char *what,
    const struct field *fields);

#endif
