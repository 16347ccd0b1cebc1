/*
 * h1 - the server side of one HTTP/1.1 client connection: one stream at a time.
 *
 * Both processes: the worker's front and the master's admin endpoint. The
 * connection reads and checks requests, frames responses, is kept alive, and
 * holds every client-side deadline and cap. Routes are not known here.
 *
 * The life of a request: on_request() once the head is complete. The owner
 * answers the stream, in the same call or later, with reply_send() or with
 * stream_begin() and stream_write(). Meanwhile the owner may take the request's
 * body piece by piece (stream_take()). When response and request have both
 * ended, the connection continues with the next request by itself. An untaken
 * body, a request that is not HTTP, or a response cut short closes the
 * connection after the response.
 *
 * stream.h and reply.h declare the answering, h1_context.h the callbacks and
 * limits.
 *
 * Callbacks never fire inside the calls of stream.h. A connection frees itself
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
 * this iteration of the loop. NULL without memory; fd is closed then.
 */
struct h1 *h1_open(
    const struct h1_context *context, int fd, const struct sock_addr *peer);
/* Closes now, in any state; calls on_close. */
void h1_close(struct h1 *s, enum stream_end reason);
/* The connection's next response is the last; an idle connection closes soon.
 */
void h1_drain(struct h1 *s);

const struct h1_context *h1_context_of(const struct h1 *s);
/* The request in hand, from on_request() to the end of its response, and to
 * on_close() if the connection closes before; NULL: none. */
struct stream *h1_stream(struct h1 *s);
/* The owner's pointer, for the life of the connection; NULL at first. */
void h1_set_arg(struct h1 *s, void *arg);
void *h1_arg(const struct h1 *s);
/* Between two requests, or before the first: may be closed. */
bool h1_is_idle(const struct h1 *s);
/* The connection closes in this iteration of the loop or the next, and calls
 * on_close() then. A client with a whole response may see the end before. */
bool h1_is_closing(const struct h1 *s);

#endif
