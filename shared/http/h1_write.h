/*
 * h1_write - the response to the request in hand: head, framing of the body,
 * end. stream.h has the contract of the calls.
 */
#ifndef H1_WRITE_H
#define H1_WRITE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "io.h"
#include "stream.h"

struct h1;

struct fields *h1_begin(
    struct stream *stream, const struct stream_start *start);
struct fields *h1_begin_interim(
    struct stream *stream, unsigned status, struct slice reason);
void h1_send_interim(struct stream *stream);
/* Sends 100 Continue, if awaited and not sent yet. */
void h1_send_continue(struct h1 *s);
void h1_write(struct stream *stream, const struct stream_piece *piece);
bool h1_can_splice(const struct stream *stream);
ssize_t h1_splice(struct stream *stream, struct io *from,
    struct pipe_pool *pipes, size_t max);

#endif
