/*
 * upstream - one connection to a backend. Worker only.
 *
 * The pool owns it while it is idle, an exchange while it is lent; there is
 * always exactly one owner, who gets its events through on_event and closes
 * it or gives it back. It carries the one deadline of whatever it is doing:
 * connecting, sending, waiting for the response, or being idle.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <sys/queue.h>

#include "endpoint.h"
#include "io.h"
#include "parser.h"
#include "stream.h"

struct upstream;

enum upstream_event {
	UPSTREAM_READY,   /* connected, readable, or the backlog went down */
	UPSTREAM_FAILED,  /* connecting failed, or the stream broke */
	UPSTREAM_TIMEOUT, /* the deadline passed */
};

typedef void upstream_fn(
    void *arg, struct upstream *up, enum upstream_event event);

enum upstream_state {
	UPSTREAM_CONNECTING,
	UPSTREAM_LENT,
	UPSTREAM_IDLE,
	UPSTREAM_CLOSED,
};

struct upstream {
	struct endpoint *endpoint;
	struct io io;
	struct timer timer;
	enum upstream_state state;
	bool reused; /* has carried an exchange before this one */
	int error;   /* errno of UPSTREAM_FAILED */
	upstream_fn *on_event;
	void *arg;
	TAILQ_ENTRY(upstream) idle_entry;
	struct buffer *in;
	struct parser message; /* the response that is being read */
};

/* Starts to connect to the endpoint. NULL with errno. */
struct upstream *upstream_open(struct endpoint *endpoint);
/* Closes it; the memory goes after the event batch. No callback. */
void upstream_close(struct upstream *up);
/* Who gets its events from now on. */
void upstream_set_owner(struct upstream *up, upstream_fn *on_event, void *arg);
/* False: it was not lent, which is a bug. */
bool upstream_set_idle(struct upstream *up);
/* False: it was not idle, which is a bug. */
bool upstream_set_lent(struct upstream *up);
/* Moves the deadline to delay_us from now. */
void upstream_set_deadline(struct upstream *up, uint64_t delay_us);

enum upstream_read {
	UPSTREAM_READ_SOME,  /* up->message moved on: look at it */
	UPSTREAM_READ_WAIT,  /* nothing there now */
	UPSTREAM_READ_END,   /* closed; up->message is done or in error */
	UPSTREAM_READ_ERROR, /* reset: up->error; or no buffer */
};

/*
 * One read, parsed into up->message. Body bytes that it brought are in
 * up->message.body and must be used before the next call.
 */
enum upstream_read upstream_read(struct upstream *up);
/* How many bytes before those may be overwritten: the head's, once it has been
 * passed on, and what a block leaves free. */
size_t upstream_room(const struct upstream *up);
/* Parses what is left over after an interim (1xx) response. False: nothing
 * is left. */
bool upstream_read_rest(struct upstream *up);
/*
 * The same for some of a long body that goes on as it is: to the stream,
 * inside the kernel, but never the body's last bytes. Only if
 * upstream_can_splice() and stream_can_splice().
 */
bool upstream_can_splice(const struct upstream *up);
enum upstream_read upstream_splice(struct upstream *up, struct stream *to);
/* One read of a connection that has switched protocols, as it comes; first
 * what was read behind the response's head. Bytes are to be used before the
 * next call. */
enum upstream_read upstream_read_bytes(
    struct upstream *up, struct slice *bytes);

#endif
