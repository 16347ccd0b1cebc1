/*
 * io - one connected stream socket on the loop, with edge-triggered readiness
 * and write batching. Bytes that the kernel does not take at once wait in a
 * queue (the backlog). Both processes; embedded in the owner (an h1, an
 * upstream connection).
 *
 * The descriptor is registered once, for reading and writing: the data path
 * makes no epoll_ctl(2). A connection that ends before its owner has to wait is
 * never registered. A short read has emptied the socket (epoll(7)), which saves
 * the read that would say EAGAIN.
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

/* Readiness changed, or the backlog shrank: the owner reads and writes. */
typedef void io_fn(void *arg);

struct io {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct loop_watch watch;
	struct buffer_chain out;     /* written, not yet taken by the kernel */
	struct pipe *pipe;           /* the same, spliced; NULL: none */
	struct outbox_writer writer; /* small writes are batched here */
	io_fn *on_ready;
	void *arg;
	bool polled;   /* registered: events come */
	bool readable; /* a read may bring something */
	bool writable;
	bool hangup;   /* the peer closed its side, or an error is pending */
	bool gone;     /* reset, or closed by either side */
	bool has_sent; /* bytes have left since io_begin() */
	bool must_be_fresh; /* see io_begin() */
	bool broken;        /* a write failed: nothing can be sent any more */
	int error;          /* then: errno of the write */
	bool finish;        /* shut our side down once the backlog has left */
	bool corked; /* more bytes, or the end, follow soon and may share a
			packet (MSG_MORE) */
	uint64_t progress_us; /* time of the last write that moved bytes */
};

void io_init(struct io *io, struct loop *loop, struct buffer_pool *buffers,
    io_fn *on_ready, void *arg);
/* Batches small writes from now on. The outbox sends the bytes at the end of
 * the iteration, if the iteration is large enough (outbox_add()). urgent: ahead
 * of writers that are not. Batched bytes are no backlog. */
void io_set_outbox(struct io *io, struct outbox *outbox, bool urgent);
/*
 * Takes over fd. connected: false while the socket is still connecting; the io
 * then becomes writable with the first event. -1 with errno; fd is closed then.
 */
int io_open(struct io *io, int fd, bool connected);
/* Takes over a connected fd without polling: no events come. The io counts as
 * readable and writable until a call finds otherwise. */
void io_adopt(struct io *io, int fd);
/* Starts polling; readiness so far arrives as an event. No effect on a polled
 * io. -1 with errno: the descriptor stays open. */
int io_poll(struct io *io);
/* Sends batched bytes, closes the descriptor and drops the backlog. Idempotent.
 */
void io_close(struct io *io);
bool io_is_open(const struct io *io);

/* > 0: bytes; 0: end of stream; -1: errno, EAGAIN when nothing has come. */
ssize_t io_read(struct io *io, void *data, size_t len);
/* Asks the kernel what a read would return, whatever the last poll reported. >
 * 0: bytes; 0: end of stream; -1: errno, EAGAIN when nothing has come. */
ssize_t io_peek(const struct io *io);
/* The same, with the bytes: they stay unread. */
ssize_t io_peek_into(const struct io *io, void *data, size_t len);
/* The number of bytes that have come and are not read yet; 0 when the kernel
 * does not say. */
size_t io_unread(const struct io *io);
/* True when io_peek() finds neither bytes nor an end. */
bool io_is_silent(const struct io *io);
/*
 * Writes what the kernel takes and queues the rest; the caller may reuse iov at
 * once. -1 with errno: the stream is broken (EPIPE, ECONNRESET), the reuse
 * check has failed (EPIPE), or the backlog cannot grow (ENOBUFS). A batched
 * write fails later: the io becomes `broken` with `error`, and on_ready() is
 * called.
 */
int io_write(struct io *io, const struct iovec *iov, int count);
/*
 * Starts a new request on the connection: has_sent is false again.
 *
 * must_be_fresh: the first write is checked just before the bytes leave (reuse
 * check). When the peer has sent bytes or closed since the last response,
 * nothing is written. The io becomes `broken`, and has_sent stays false: the
 * caller can retry elsewhere. One poll checks all batched writes at once; a
 * write that is not batched has a check of its own.
 */
static inline void
io_begin(struct io *io, bool must_be_fresh)
{
	io->must_be_fresh = must_be_fresh;
	io->has_sent = false;
}

/*
 * Moves up to max bytes from one socket to another inside the kernel. `to` must
 * be open, without a backlog; bytes batched for `to` are sent first.
 *
 * Returns the number of bytes taken from `from`. The part that `to` does not
 * take at once is its backlog, or lost when `to` is broken now. 0: end of
 * stream. -1: errno of `from` (EAGAIN when nothing has come), EAGAIN when the
 * batched bytes became a backlog, ENOBUFS without a pipe.
 */
ssize_t io_splice(
    struct io *to, struct io *from, struct pipe_pool *pipes, size_t max);
static inline size_t
io_backlog(const struct io *io)
{
	return io->out.bytes + (io->pipe != NULL ? io->pipe->bytes : 0);
}

/* Sends the batched bytes now, without a callback. has_polled: for the reuse
 * check the events of the last poll are new enough. */
void io_send_batched(struct io *io, bool has_polled);
/* True while the outbox has an entry of this io, sent or not. */
static inline bool
io_is_batched(const struct io *io)
{
	return io->writer.batched != NULL;
}

/* Discards the batched bytes. */
void io_withdraw(struct io *io);
/* Ends the writing: the peer sees the end of the stream behind the backlog. */
void io_finish(struct io *io);

#endif
