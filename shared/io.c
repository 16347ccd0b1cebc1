#include "io.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define IOV_MAX_USED 16

static int
give_up(struct io *io)
{
	io->broken = true;
	/* It can't leave any more, and nobody need wait for it. */
	buffer_chain_clear(&io->out, io->buffers);
	return -1;
}

static ssize_t
send_iov(struct io *io, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
	    .msg_iovlen = (size_t)count};
	ssize_t n;

	/* One piece is the common case, and cheaper said so. */
	do
		n = count == 1 ? send(io->watch.fd, iov->iov_base, iov->iov_len,
				     MSG_NOSIGNAL)
			       : sendmsg(io->watch.fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN) {
		io->writable = false;
		return 0;
	}
	if (n > 0)
		io->progress_us = loop_now_us(io->loop);
	return n;
}

static void
flush(struct io *io)
{
	while (io->writable && io->out.bytes > 0) {
		struct iovec iov[IOV_MAX_USED];
		int count = buffer_chain_iov(&io->out, iov, IOV_MAX_USED);
		ssize_t n = send_iov(io, iov, count);

		if (n == -1) {
			(void)give_up(io);
			return;
		}
		buffer_chain_consume(&io->out, io->buffers, (size_t)n);
	}
	if (io->finish && io->out.bytes == 0) {
		io->finish = false;
		shutdown(io->watch.fd, SHUT_WR);
	}
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
	loop_watch_init(&io->watch, on_event, io);
}

int
io_open(struct io *io, int fd, bool connected)
{
	io->readable = false;
	io->writable = connected;
	io->hangup = false;
	io->gone = false;
	io->broken = false;
	io->finish = false;
	io->progress_us = loop_now_us(io->loop);
	if (loop_watch_add(io->loop, &io->watch, fd,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return 0;
}

void
io_close(struct io *io)
{
	int fd = io->watch.fd;

	if (fd == -1)
		return;
	/* Not left to close(2): a process forked meanwhile may have a copy,
	 * and then the kernel would go on reporting it. */
	loop_watch_del(io->loop, &io->watch);
	close(fd);
	buffer_chain_clear(&io->out, io->buffers);
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
	/* With a hangup on record there may be no further event. */
	if (n == -1 || (n > 0 && (size_t)n < len && !io->hangup))
		io->readable = false;
	return n;
}

int
io_write(struct io *io, const struct iovec *iov, int count)
{
	ssize_t sent = 0;

	if (io->broken) {
		errno = EPIPE;
		return -1;
	}
	if (io->writable && io->out.bytes == 0) {
		sent = send_iov(io, iov, count);
		if (sent == -1)
			return give_up(io);
	}
	for (int i = 0; i < count; i++) {
		size_t skip = (size_t)sent < iov[i].iov_len ? (size_t)sent
							    : iov[i].iov_len;

		sent -= (ssize_t)skip;
		if (buffer_chain_add(&io->out, io->buffers,
			(const char *)iov[i].iov_base + skip,
			iov[i].iov_len - skip) == -1)
			return give_up(io);
	}
	/* The kernel's buffer is full; an event comes when it is not. */
	if (io->out.bytes > 0)
		io->writable = false;
	return 0;
}

void
io_finish(struct io *io)
{
	io->finish = true;
	flush(io);
}

size_t
io_backlog(const struct io *io)
{
	return io->out.bytes;
}
