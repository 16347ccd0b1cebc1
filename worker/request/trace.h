/*
 * trace - the names by which a request is known everywhere: X-Request-Id and
 * W3C trace context. Worker only; pure but for its random numbers.
 *
 * A client's valid names are passed on; others are made anew. A new id has 32
 * hex digits. A new traceparent has version 00, a new trace, a new parent and
 * the sampled flag. When both are new, the id is the trace's.
 *
 * A valid X-Request-Id is 1 to TRACE_ID_MAX letters, digits and -_.~:/+=@|#%!*
 *
 * The set has room for UUIDs, ULIDs, base64, traceparents and hierarchical ids.
 * No character separates, quotes or escapes in a header, a log line, JSON, HTML
 * or a shell.
 *
 * Source: https://www.w3.org/TR/trace-context/, section 3.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "head.h"

#define TRACE_ID_MAX 128      /* of an accepted X-Request-Id */
#define TRACE_NEW_ID_LEN 32   /* of an id of our own */
#define TRACE_PARENT_BYTES 55 /* of a traceparent of version 00 */

/* Random numbers for names: quick, not secret. Seeded by getrandom(2). */
struct trace_source {
	uint64_t state[4]; /* xoshiro256** of Blackman and Vigna (2018) */
};

struct trace {
	char id[TRACE_ID_MAX + 1];
	uint8_t id_len;
	char parent[TRACE_PARENT_BYTES + 1];
	bool id_is_new;
	bool parent_is_new; /* then tracestate is dropped */
};

/* -1 with errno. */
int trace_source_init(struct trace_source *source);
uint64_t trace_random(struct trace_source *source);

/* A new id, TRACE_NEW_ID_LEN digits and a NUL. */
void trace_new_id(struct trace_source *source, char id[TRACE_NEW_ID_LEN + 1]);

/* Finds both names. A repeated header is invalid. A valid traceparent of a
 * later version may be longer and is passed on unchanged. Then `parent` is
 * empty and parent_is_new false. */
void trace_of_request(
    struct trace *trace, struct trace_source *source, const struct head *head);

#endif
