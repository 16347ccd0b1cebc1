/*
 * session - the server side of one HTTP/1.1 client connection.
 *
 * Both processes: the worker's front and the master's admin endpoint. It
 * reads and checks requests, frames responses, keeps the connection alive and
 * holds every client-side deadline and cap. It knows nothing of routes.
 *
 * The life of a request: on_request() once its head is complete; then the
 * owner answers, in that call or later, with reply_send() or with
 * stream_begin(), stream_write()... ; meanwhile it may take the request's
 * body piece by piece (stream_take()). When response and request have
 * both ended the session goes on to the next one by itself. A body nobody
 * took, a request that is not HTTP, or a response cut short closes the
 * connection after the response.
 *
 * Answering is declared in stream.h and reply.h, the callbacks and limits in
 * session_context.h.
 *
 * Callbacks never fire inside the calls of stream.h; a session frees itself
 * after on_close(), by way of the loop's graveyard.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "session_close.h"
#include "session_context.h"
#include "sock.h"
#include "stream.h"

struct session;

/*
 * Takes over fd (accepted, non-blocking), and looks for a request at the end of
 * this iteration of the loop. NULL when memory ends; fd is closed then.
 */
struct session *session_open(const struct session_context *context, int fd,
    const struct sock_addr *peer);
/* Closes now, whatever is under way; calls on_close. */
void session_close(struct session *s, enum session_close reason);
/* Its next response is its last; while none is asked for, it closes soon. */
void session_drain(struct session *s);

const struct session_context *session_context_of(const struct session *s);
/* The request in hand, from on_request() to the end of its response, and to
 * on_close() if the session closes before; NULL: none. */
struct stream *session_stream(struct session *s);
/* The owner's pointer, for the life of the connection; NULL at first. */
void session_set_arg(struct session *s, void *arg);
void *session_arg(const struct session *s);
/* Between two requests, or before the first: it may be closed. */
bool session_is_idle(const struct session *s);
/* It closes in this iteration of the loop or the next, and says so then by
 * on_close(); who has its answer may see the end before. */
bool session_is_closing(const struct session *s);

#endif
