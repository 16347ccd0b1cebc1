/*
 * io - one connected stream socket on the loop: edge-triggered readiness, and
 * a queue for what the kernel does not take at once. Both processes; embedded
 * in its owner (a connection, an upstream connection).
 *
 * The descriptor is registered once, for reading and writing, so the data
 * path makes no epoll_ctl(2); one that is done before anybody had to wait for
 * it is never registered. A read that brings less than was asked for has
 * emptied the socket (epoll(7)), which saves the read that would say EAGAIN.
 */
#ifndef IO_H
#define IO_H

#include <sys/types.h>
#include <sys/uio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "loop.h"
#include "outbox.h"
#include "pipe.h"

/* Readiness changed, or the backlog went down: look what can be done now. */
typedef void io_fn(void *arg);

struct io {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct loop_watch watch;
	struct buffer_chain out;     /* written, not yet taken by the kernel */
	struct pipe *pipe;           /* the same, spliced; NULL: none */
	struct outbox_writer writer; /* where small writes wait */
	io_fn *on_ready;
	void *arg;
	bool polled;   /* registered: events come */
	bool readable; /* a read may bring something */
	bool writable;
	bool hangup;   /* the peer has closed its side, or an error is up */
	bool gone;     /* reset, or closed in both directions */
	bool has_sent; /* something has left since io_begin() */
	bool must_be_fresh; /* see io_begin() */
	bool broken;        /* a write failed: nothing can be sent any more */
	bool finish;        /* shut our side down once the backlog has left */
	bool corked; /* what is written now may wait for what comes behind it,
		      * or for the end, and go out in one packet with that */
	uint64_t progress_us; /* of the last write that moved something */
};

void io_init(struct io *io, struct loop *loop, struct buffer_pool *buffers,
    io_fn *on_ready, void *arg);
/* From now on what is written to it, and is small, leaves with the end of the
 * loop's iteration, if that is about enough others (outbox_new()); urgent:
 * before what is held for others. Between the two it is no backlog. */
void io_set_outbox(struct io *io, struct outbox *outbox, bool urgent);
/*
 * Takes over fd. connected: false for a socket that is still connecting; it
 * becomes writable with its first event. -1 with errno; fd is closed then.
 */
int io_open(struct io *io, int fd, bool connected);
/* Takes over fd, which is connected, without polling it: there are no events,
 * and it counts as readable and writable until a call has found otherwise. */
void io_adopt(struct io *io, int fd);
/* Begins to poll it; what is ready by then comes as an event. Nothing when it
 * is polled. -1 with errno; it stays open. */
int io_poll(struct io *io);
/* Closes the descriptor, once what is held has left, and drops the backlog.
 * Idempotent. */
void io_close(struct io *io);
bool io_is_open(const struct io *io);

/* > 0: bytes; 0: end of stream; -1: errno, EAGAIN when there is nothing. */
ssize_t io_read(struct io *io, void *data, size_t len);
/* What a read would bring, asked of the kernel, whatever the poll has said:
 * > 0: bytes; 0: end of stream; -1: errno, EAGAIN when there is nothing. */
ssize_t io_peek(const struct io *io);
/* By such a look: neither bytes nor an end has come. */
bool io_is_silent(const struct io *io);
/*
 * Writes what the kernel takes and queues the rest, so iov is the caller's
 * again. -1 with errno when the stream is broken (EPIPE, ECONNRESET) or the
 * queue can't grow (ENOBUFS). Of what is held it turns out later: then it is
 * `broken`, and on_ready() is called.
 */
int io_write(struct io *io, const struct iovec *iov, int count);
/*
 * Something new begins on it: nothing of that has_sent. must_be_fresh: what is
 * written next is a question on a connection that was idle, and leaves only if
 * nothing has come there, which would be the end, or an answer that nobody
 * asked for and that would be taken for this one's. Else it is `broken`, and
 * not has_sent. The look is as late as can be, and there is one for all
 * questions that are held.
 */
void io_begin(struct io *io, bool must_be_fresh);
/*
 * Moves up to max bytes, as they are, from one socket to another inside the
 * kernel; `to` has no backlog, and is open. What is held for it leaves before.
 * Returns how many `from` gave, of which those that `to` did not take at once
 * are its backlog (or lost, if it is broken now); 0: end of stream; -1: errno
 * of `from`, EAGAIN when there is nothing, or when what was held is a backlog
 * now, ENOBUFS when there is no pipe.
 */
ssize_t io_splice(
    struct io *to, struct io *from, struct pipe_pool *pipes, size_t max);
size_t io_backlog(const struct io *io);
/* Sends now what is held for it, and calls nobody. has_polled: what the poll
 * has just told of it is enough of a look for io_begin(). */
void io_send_batched(struct io *io, bool has_polled);
/* The outbox has something of this io, sent or not. */
static inline bool
io_is_batched(const struct io *io)
{
	return io->writer.batched != NULL;
}

/* What is held for it does not leave. */
void io_withdraw(struct io *io);
/* Nothing more will be written: the peer sees the end of the stream behind
 * the backlog. */
void io_finish(struct io *io);

#endif
