#include "io.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define IOV_MAX_USED 16

static void
drop_backlog(struct io *io)
{
	buffer_chain_clear(&io->out, io->buffers);
	pipe_put(io->pipe);
	io->pipe = NULL;
}

static int
give_up(struct io *io, int error)
{
	io->broken = true;
	io->error = error;
	io->writer.is_stuck = true;
	/* The backlog can never leave: nobody needs to wait. */
	drop_backlog(io);
	errno = error;
	return -1;
}

/* Accounts for a send of n bytes, or -1. Returns n; 0 for EAGAIN; -1 when the
 * stream is broken. */
static ssize_t
account(struct io *io, ssize_t n)
{
	if (n == -1 && errno == EAGAIN) {
		io->writable = false;
		return 0;
	}
	if (n > 0) {
		io->has_sent = true;
		io->progress_us = loop_now_us(io->loop);
	}
	return n;
}

static ssize_t
send_iov(struct io *io, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
	    .msg_iovlen = (size_t)count};
	int flags = MSG_NOSIGNAL | (io->corked ? MSG_MORE : 0);
	ssize_t n;

	/* A single piece is the common case, and send(2) is cheaper. */
	do
		n = count == 1
			? send(io->watch.fd, iov->iov_base, iov->iov_len, flags)
			: sendmsg(io->watch.fd, &msg, flags);
	while (n == -1 && errno == EINTR);
	return account(io, n);
}

/* Sends the bytes of the pipe; an empty pipe returns to the pool. */
static void
flush_pipe(struct io *io)
{
	struct pipe *p = io->pipe;

	while (io->writable && p->bytes > 0) {
		ssize_t n = splice(p->out, NULL, io->watch.fd, NULL, p->bytes,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (n == -1 && errno == EINTR)
			continue;
		n = account(io, n);
		if (n == -1) {
			(void)give_up(io, errno);
			return;
		}
		p->bytes -= (size_t)n;
	}
	if (p->bytes == 0) {
		io->pipe = NULL;
		pipe_put(p);
	}
}

static void
flush(struct io *io)
{
	if (io->pipe != NULL)
		flush_pipe(io);
	while (io->writable && io->out.bytes > 0) {
		struct iovec iov[IOV_MAX_USED];
		int count = buffer_chain_iov(&io->out, iov, IOV_MAX_USED);
		ssize_t n = send_iov(io, iov, count);

		if (n == -1) {
			(void)give_up(io, errno);
			return;
		}
		buffer_chain_consume(&io->out, io->buffers, (size_t)n);
	}
	if (io->finish && io_backlog(io) == 0) {
		io->finish = false;
		shutdown(io->watch.fd, SHUT_WR);
	}
}

/* Appends to the backlog. */
static int
queue(struct io *io, const char *data, size_t len)
{
	if (buffer_chain_add(&io->out, io->buffers, data, len) == -1)
		return give_up(io, errno);
	/* The kernel's buffer is full; new room is an event. */
	if (io->out.bytes > 0) {
		io->writable = false;
		io->writer.is_stuck = true;
	}
	return 0;
}

/* The reuse check: true when a new request must not be written. */
static bool
is_stale(const struct io *io, bool has_polled)
{
	if (!io->must_be_fresh || io->has_sent)
		return false;
	if (has_polled)
		return !loop_watch_is_quiet(&io->watch);
	return !io_is_silent(io);
}

static void
on_send(void *arg, bool has_polled)
{
	struct io *io = arg;
	struct outbox_entry *batched = io->writer.batched;
	struct iovec iov;
	ssize_t n;

	batched->sent = true;
	if (is_stale(io, has_polled)) {
		(void)give_up(io, EPIPE);
		return;
	}
	iov.iov_base = (void *)(uintptr_t)outbox_bytes(batched);
	iov.iov_len = batched->len;
	n = send_iov(io, &iov, 1);
	if (n == -1)
		(void)give_up(io, errno);
	else
		(void)queue(
		    io, outbox_bytes(batched) + n, batched->len - (size_t)n);
}

/* The backlog may have left meanwhile. */
static void
on_stuck(void *arg)
{
	struct io *io = arg;

	if (io->broken || io_backlog(io) > 0)
		io->on_ready(io->arg);
}

void
io_send_batched(struct io *io, bool has_polled)
{
	if (io->writer.batched != NULL && !io->writer.batched->sent)
		on_send(io, has_polled);
}

void
io_withdraw(struct io *io)
{
	outbox_withdraw(&io->writer);
}

static void
on_event(void *arg, uint32_t events)
{
	struct io *io = arg;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		io->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		io->hangup = true;
	if (events & (EPOLLHUP | EPOLLERR))
		io->gone = true;
	if (events & EPOLLOUT) {
		io->writable = true;
		flush(io);
	}
	io->on_ready(io->arg);
}

void
io_init(struct io *io, struct loop *loop, struct buffer_pool *buffers,
    io_fn *on_ready, void *arg)
{
	memset(io, 0, sizeof(*io));
	io->loop = loop;
	io->buffers = buffers;
	io->on_ready = on_ready;
	io->arg = arg;
	io->writer = (struct outbox_writer){
	    .send = on_send, .on_stuck = on_stuck, .arg = io};
	loop_watch_init(&io->watch, on_event, io);
}

void
io_set_outbox(struct io *io, struct outbox *outbox, bool urgent)
{
	io->writer.box = outbox;
	io->writer.urgent = urgent;
}

void
io_adopt(struct io *io, int fd)
{
	io->watch.fd = fd;
	io->polled = false;
	io->readable = true;
	io->writable = true;
	io->hangup = false;
	io->gone = false;
	io->broken = false;
	io->error = 0;
	io->finish = false;
	io->corked = false;
	io->has_sent = false;
	io->must_be_fresh = false;
	io->progress_us = loop_now_us(io->loop);
}

int
io_poll(struct io *io)
{
	if (io->polled)
		return 0;
	if (loop_watch_add(io->loop, &io->watch, io->watch.fd,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) == -1)
		return -1;
	io->polled = true;
	return 0;
}

int
io_open(struct io *io, int fd, bool connected)
{
	io_adopt(io, fd);
	io->readable = false;
	io->writable = connected;
	if (io_poll(io) == -1) {
		int saved = errno;

		io_close(io);
		errno = saved;
		return -1;
	}
	return 0;
}

void
io_close(struct io *io)
{
	if (io->watch.fd == -1)
		return;
	io_send_batched(io, false);
	io_withdraw(io);
	loop_watch_close(io->loop, &io->watch);
	drop_backlog(io);
	io->polled = false;
	io->readable = false;
	io->writable = false;
}

bool
io_is_open(const struct io *io)
{
	return io->watch.fd != -1;
}

ssize_t
io_read(struct io *io, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(io->watch.fd, data, len, 0);
	while (n == -1 && errno == EINTR);
	/* After a hangup no further event may come. */
	if (n == -1 || (n > 0 && (size_t)n < len && !io->hangup))
		io->readable = false;
	return n;
}

ssize_t
io_peek_into(const struct io *io, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(io->watch.fd, data, len, MSG_PEEK);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
io_peek(const struct io *io)
{
	char byte;

	return io_peek_into(io, &byte, 1);
}

size_t
io_unread(const struct io *io)
{
	int bytes = 0;

	if (ioctl(io->watch.fd, FIONREAD, &bytes) == -1 || bytes < 0)
		return 0;
	return (size_t)bytes;
}

/* True for a write that the kernel would take at once, unless the write may
 * share a packet with the end. */
static bool
may_batch(const struct io *io)
{
	return io->writer.box != NULL && io->writable && !io->broken &&
	       !io->corked && io_backlog(io) == 0;
}

bool
io_is_silent(const struct io *io)
{
	return io_peek(io) == -1 && errno == EAGAIN;
}

int
io_write(struct io *io, const struct iovec *iov, int count)
{
	ssize_t sent = 0;

	if (may_batch(io) && outbox_add(&io->writer, iov, count,
				 io->must_be_fresh && !io->has_sent))
		return 0;
	io_send_batched(io, false);
	if (io->broken) {
		errno = EPIPE;
		return -1;
	}
	if (is_stale(io, false))
		return give_up(io, EPIPE);
	if (io->writable && io_backlog(io) == 0) {
		sent = send_iov(io, iov, count);
		if (sent == -1)
			return give_up(io, errno);
	}
	for (int i = 0; i < count; i++) {
		size_t skip = (size_t)sent < iov[i].iov_len ? (size_t)sent
							    : iov[i].iov_len;

		sent -= (ssize_t)skip;
		if (queue(io, (const char *)iov[i].iov_base + skip,
			iov[i].iov_len - skip) == -1)
			return -1;
	}
	return 0;
}

void
io_finish(struct io *io)
{
	io_send_batched(io, false);
	io->finish = true;
	flush(io);
}

ssize_t
io_splice(struct io *to, struct io *from, struct pipe_pool *pipes, size_t max)
{
	struct pipe *p;
	ssize_t n;

	io_send_batched(to, false);
	if (io_backlog(to) > 0) {
		errno = EAGAIN;
		return -1;
	}
	p = pipe_get(pipes);
	if (p == NULL) {
		errno = ENOBUFS;
		return -1;
	}
	do
		n = splice(from->watch.fd, NULL, p->in, NULL, max,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		int saved = errno;

		if (n == -1)
			from->readable = false;
		pipe_put(p);
		errno = saved;
		return n;
	}
	/* The pipe may have been the limit: `from` may still be readable. */
	p->bytes = (size_t)n;
	to->pipe = p;
	flush_pipe(to);
	if (to->pipe != NULL)
		to->writer.is_stuck = true;
	return n;
}
