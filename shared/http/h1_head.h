/*
 * h1_head - renders the head of an HTTP/1.1 message around its fields (RFC
 * 9112). The start line stands before the fields; the framing and the blank
 * line stand behind.
 *
 * Both processes. Pure. Start line, fields and framing lie in one text, in the
 * order in which they are sent. Only shared/http and the back side of a stream
 * include this header. All others add fields by name and value.
 */
#ifndef H1_HEAD_H
#define H1_HEAD_H

#include "fields.h"
#include "stream.h"

/* The request line, of version 1.minor. */
void h1_head_request(
    struct fields *f, struct slice method, struct slice path, unsigned minor);
/* The status line; reason.at NULL: the standard one. */
void h1_head_status(struct fields *f, unsigned status, struct slice reason);
/* How the end of the body will be marked. */
void h1_head_length(struct fields *f, uint64_t length);
void h1_head_chunked(struct fields *f);
/* The blank line. */
void h1_head_end(struct fields *f);
/* The whole head of a request that stream_lay_out() has laid out, in place. The
 * parts are the start line, the fields, Expect, the framing (not for no_body),
 * the end. May be called again. */
struct slice h1_head_around(const struct stream_start *start);

#endif
