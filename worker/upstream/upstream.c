#include "upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "machine.h"
#include "sock.h"
#include "runtime.h"

/* A body of which less is left is quicker copied. Its last bytes are, always:
 * one way to end. */
#define SPLICE_MIN UINT64_C(65536)
#define SPLICE_TAIL UINT64_C(16384)
#define SPLICE_MAX UINT64_C(1048576)

static const struct machine_state states[] = {
    [UPSTREAM_CONNECTING] = {"connecting",
	MACHINE_TO(UPSTREAM_LENT) | MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_LENT] = {"lent",
	MACHINE_TO(UPSTREAM_IDLE) | MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_IDLE] = {"idle",
	MACHINE_TO(UPSTREAM_LENT) | MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_CLOSED] = {"closed", 0},
};

/* False: a bug, and the connection is the caller's to close, if it is not
 * closed yet. */
static bool
enter(struct upstream *up, enum upstream_state state)
{
	if (!CONFINED(machine_allows(states, up->state, state),
		"upstream %d (%s), %s, to be %s", up->io.watch.fd,
		up->endpoint->text, states[up->state].name, states[state].name))
		return false;
	MACHINE_STEP(states, up->state, state, "upstream %d (%s)",
	    up->io.watch.fd, up->endpoint->text);
	return true;
}

static void
fail(struct upstream *up, int error)
{
	up->error = error;
	up->on_event(up->arg, up, UPSTREAM_FAILED);
}

/* A backend that answers before it has read all, and closes, breaks our
 * writing; its answer can still be read, even if the poll has not told of it
 * yet. But before it was asked there is none. */
static bool
may_have_answered(struct upstream *up)
{
	if (up->reused && !up->io.has_sent)
		return false;
	if (!up->io.readable && io_peek(&up->io) > 0)
		up->io.readable = true;
	return up->io.readable;
}

static void
on_ready(void *arg)
{
	struct upstream *up = arg;

	if (up->state == UPSTREAM_CONNECTING) {
		int error = sock_error(up->io.watch.fd);

		if (error != 0) {
			fail(up, error);
			return;
		}
		if (!up->io.writable)
			return;
		(void)enter(up, UPSTREAM_LENT);
	}
	if (up->io.broken && !may_have_answered(up))
		fail(up, EPIPE);
	else
		up->on_event(up->arg, up, UPSTREAM_READY);
}

static void
on_timer(void *arg)
{
	struct upstream *up = arg;

	up->on_event(up->arg, up, UPSTREAM_TIMEOUT);
}

struct upstream *
upstream_open(struct endpoint *endpoint)
{
	struct runtime *rt = endpoint->runtime;
	struct upstream *up;
	int fd;

	fd = sock_connect(&endpoint->addr);
	if (fd == -1)
		return NULL;
	up = calloc(1, sizeof(*up));
	if (up == NULL) {
		close(fd);
		return NULL;
	}
	up->endpoint = endpoint;
	up->state = UPSTREAM_CONNECTING;
	io_init(&up->io, rt->loop, rt->buffers, on_ready, up);
	io_set_outbox(&up->io, rt->outbox, true);
	timer_init(&up->timer, on_timer, up);
	if (io_open(&up->io, fd, false) == -1) {
		free(up);
		return NULL;
	}
	endpoint_connected(endpoint);
	return up;
}

void
upstream_close(struct upstream *up)
{
	struct runtime *rt = up->endpoint->runtime;

	if (!enter(up, UPSTREAM_CLOSED))
		return;
	/* It may be asked of another one instead. */
	if (!up->io.has_sent)
		io_withdraw(&up->io);
	io_close(&up->io);
	loop_timer_clear(rt->loop, &up->timer);
	buffer_put(rt->buffers, up->in);
	up->in = NULL;
	endpoint_disconnected(up->endpoint);
	loop_bury(rt->loop, up, free);
}

void
upstream_set_owner(struct upstream *up, upstream_fn *on_event, void *arg)
{
	up->on_event = on_event;
	up->arg = arg;
}

bool
upstream_set_idle(struct upstream *up)
{
	if (!enter(up, UPSTREAM_IDLE))
		return false;
	buffer_put(up->endpoint->runtime->buffers, up->in);
	up->in = NULL;
	return true;
}

bool
upstream_set_lent(struct upstream *up)
{
	up->reused = true;
	return enter(up, UPSTREAM_LENT);
}

void
upstream_set_deadline(struct upstream *up, uint64_t delay_us)
{
	loop_timer_after(up->endpoint->runtime->loop, &up->timer, delay_us);
}

/* Feeds what is in the buffer to the message. */
static void
parse(struct upstream *up)
{
	struct buffer *in = up->in;
	size_t taken;

	taken = parser_feed(&up->message, in->data + in->start, buffer_len(in));
	in->start += (uint32_t)taken;
}

/* Where the next bytes go: behind the head while it is coming, since the
 * parser points into it; else behind what was not yet used. */
static int
make_room(struct upstream *up)
{
	if (up->in == NULL)
		up->in = buffer_get_to_read(up->endpoint->runtime->buffers);
	if (up->in == NULL) {
		up->error = ENOBUFS;
		return -1;
	}
	if (up->message.head_done) {
		if (buffer_len(up->in) == 0)
			up->in->start = up->in->end = 0;
		else
			buffer_compact(up->in);
	}
	if (buffer_room(up->in) == 0) {
		up->error = EMSGSIZE;
		return -1;
	}
	return 0;
}

/* SOME: bytes were added to the buffer. */
static enum upstream_read
fill(struct upstream *up)
{
	ssize_t n;

	if (!up->io.readable)
		return UPSTREAM_READ_WAIT;
	if (make_room(up) == -1)
		return UPSTREAM_READ_ERROR;
	n = io_read(&up->io, up->in->data + up->in->end, buffer_room(up->in));
	if (n > 0) {
		up->in->end += (uint32_t)n;
		return UPSTREAM_READ_SOME;
	}
	if (n == 0)
		return UPSTREAM_READ_END;
	if (errno == EAGAIN)
		return UPSTREAM_READ_WAIT;
	up->error = errno;
	return UPSTREAM_READ_ERROR;
}

enum upstream_read
upstream_read(struct upstream *up)
{
	enum upstream_read result = fill(up);

	if (result == UPSTREAM_READ_SOME)
		parse(up);
	else if (result == UPSTREAM_READ_END)
		parser_finish(&up->message);
	return result;
}

size_t
upstream_room(const struct upstream *up)
{
	return (size_t)(up->message.body.at - up->in->data);
}

bool
upstream_can_splice(const struct upstream *up)
{
	const struct parser *m = &up->message;

	return m->head_done && m->head.has_length && !m->no_body && !m->done &&
	       m->head.length - m->body_bytes >= SPLICE_MIN + SPLICE_TAIL &&
	       buffer_len(up->in) == 0;
}

enum upstream_read
upstream_splice(struct upstream *up, struct stream *to)
{
	struct parser *m = &up->message;
	uint64_t left = m->head.length - m->body_bytes - SPLICE_TAIL;
	ssize_t n;

	if (!up->io.readable)
		return UPSTREAM_READ_WAIT;
	n = stream_splice(to, &up->io, up->endpoint->runtime->pipes,
	    left < SPLICE_MAX ? (size_t)left : SPLICE_MAX);
	if (n > 0) {
		m->body_bytes += (uint64_t)n;
		m->body = (struct slice){NULL, 0};
		return UPSTREAM_READ_SOME;
	}
	if (n == -1 && errno == ENOBUFS)
		return upstream_read(up);
	if (n == -1 && errno == EAGAIN)
		return UPSTREAM_READ_WAIT;
	if (n == -1) {
		up->error = errno;
		return UPSTREAM_READ_ERROR;
	}
	parser_finish(m);
	return UPSTREAM_READ_END;
}

bool
upstream_read_rest(struct upstream *up)
{
	buffer_compact(up->in);
	if (buffer_len(up->in) == 0)
		return false;
	parse(up);
	return true;
}

enum upstream_read
upstream_read_bytes(struct upstream *up, struct slice *bytes)
{
	enum upstream_read result = UPSTREAM_READ_SOME;

	if (up->in == NULL || buffer_len(up->in) == 0)
		result = fill(up);
	if (result == UPSTREAM_READ_WAIT && up->in != NULL) {
		/* A tunnel may be silent for long. */
		buffer_put(up->endpoint->runtime->buffers, up->in);
		up->in = NULL;
	}
	if (result == UPSTREAM_READ_SOME) {
		bytes->at = up->in->data + up->in->start;
		bytes->len = buffer_len(up->in);
		up->in->start = up->in->end;
	}
	return result;
}
