/*
 * session_write - the response to the request that a session has in hand: its
 * head, the framing of its body, its end. The calls are those of stream.h,
 * which has the contract.
 */
#ifndef SESSION_WRITE_H
#define SESSION_WRITE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "io.h"
#include "stream.h"

struct session;

struct fields *session_begin(
    struct stream *stream, const struct stream_start *start);
struct fields *session_begin_interim(
    struct stream *stream, unsigned status, struct slice reason);
void session_send_interim(struct stream *stream);
/* 100 Continue, where the client awaits it and it was not sent yet. */
void session_send_continue(struct session *s);
void session_write(struct stream *stream, const struct stream_piece *piece);
bool session_can_splice(const struct stream *stream);
ssize_t session_splice(struct stream *stream, struct io *from,
    struct pipe_pool *pipes, size_t max);

#endif
