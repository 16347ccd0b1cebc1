/*
 * h1 - the server side of one HTTP/1.1 client connection: one stream at a time.
 *
 * Both processes: the worker's front and the master's admin endpoint. The
 * connection reads and checks requests, frames responses, is kept alive, and
 * holds every client-side deadline and cap. Routes are not known here.
 *
 * The life of a request: on_request() once its head is complete; then the owner
 * answers the stream, in that call or later, with reply_send() or with
 * stream_begin(), stream_write()... ; meanwhile the owner may take the
 * request's body piece by piece (stream_take()). When response and request have
 * both ended, the connection goes on to the next request by itself. A body that
 * was not taken, a request that is not HTTP, or a response cut short closes the
 * connection after the response.
 *
 * Answering is declared in stream.h and reply.h, the callbacks and limits in
 * h1_context.h.
 *
 * Callbacks never fire inside the calls of stream.h; a connection frees itself
 * after on_close(), by way of the loop's graveyard.
 */
#ifndef H1_H
#define H1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser.h"
#include "stream_end.h"
#include "h1_context.h"
#include "sock.h"
#include "stream.h"

struct h1;

/*
 * Takes over fd (accepted, non-blocking), and looks for a request at the end of
 * this iteration of the loop. NULL when memory ends; fd is closed then.
 */
struct h1 *h1_open(
    const struct h1_context *context, int fd, const struct sock_addr *peer);
/* Closes now, whatever is under way; calls on_close. */
void h1_close(struct h1 *s, enum stream_end reason);
/* Its next response is its last; while none is asked for, it closes soon. */
void h1_drain(struct h1 *s);

const struct h1_context *h1_context_of(const struct h1 *s);
/* The request in hand, from on_request() to the end of its response, and to
 * on_close() if the connection closes before; NULL: none. */
struct stream *h1_stream(struct h1 *s);
/* The owner's pointer, for the life of the connection; NULL at first. */
void h1_set_arg(struct h1 *s, void *arg);
void *h1_arg(const struct h1 *s);
/* Between two requests, or before the first: it may be closed. */
bool h1_is_idle(const struct h1 *s);
/* It closes in this iteration of the loop or the next, and says so then by
 * on_close(); who has its answer may see the end before. */
bool h1_is_closing(const struct h1 *s);

#endif
