/*
 * reply - a whole response in one call, on a stream of either version. Both
 * processes.
 *
 * A stream that is no longer answerable gets nothing.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stddef.h>

#include "fields.h"

struct stream;

struct reply {
	unsigned status;
	const char *type;           /* of the body; NULL: no body */
	const struct field *fields; /* more fields; NULL: none */
	const void *body;
	size_t len;
};

void reply_send(struct stream *s, const struct reply *reply);
/* A JSON error {"error":what,"status":status}, the form of every error. */
void reply_error(struct stream *s, unsigned status, const char *what);

#endif
