/*
 * reply - a whole response in one call, on a stream of either version. Both
 * processes.
 *
 * Nothing is sent on a stream that is not answerable any more.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stddef.h>

#include "fields.h"

struct stream;

struct reply {
	unsigned status;
	const char *type;           /* of the body; NULL: no body */
	const struct field *fields; /* more of them; NULL: none */
	const void *body;
	size_t len;
};

void reply_send(struct stream *s, const struct reply *reply);
/* A JSON error {"error":what,"status":status}, as every error here is. */
void reply_error(struct stream *s, unsigned status, const char *what);

#endif
