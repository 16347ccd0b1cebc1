/*
 * h1_head - renders the head of an HTTP/1.1 message around its fields: the
 * start line before them, the framing, the blank line behind them (RFC 9112).
 *
 * Both processes. Pure. Start line, fields and framing lie in one text, in the
 * order in which they are sent.
 */
#ifndef H1_HEAD_H
#define H1_HEAD_H

#include "fields.h"
#include "stream.h"

/* The request line, of version 1.minor. */
void h1_head_request(
    struct fields *f, const char *method, struct slice path, unsigned minor);
/* The status line; reason.at NULL: the standard one. */
void h1_head_status(struct fields *f, unsigned status, struct slice reason);
/* How the end of the body will be marked. */
void h1_head_length(struct fields *f, uint64_t length);
void h1_head_chunked(struct fields *f);
/* Both for a request, and Expect; no_body omits the framing. */
void h1_head_frame_request(struct fields *f, const struct stream_start *start);
/* The blank line. */
void h1_head_end(struct fields *f);

#endif
