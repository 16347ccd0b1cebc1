/*
 * backend - what the bench's proxies stand in front of: answers every request
 * with as many bytes as the last segment of its path says (/128, /bytes/16k,
 * /1m; any other path: 2), and echoes WebSocket messages.
 *
 *   backend LISTEN [ADDRESSES]
 *
 * LISTEN is 127.0.0.1:PORT; with ADDRESSES, it also listens on that many
 * addresses from 127.1.0.1 on. One process, keep-alive, bodies of requests
 * read and thrown away. Answers to pipelined requests go out in one write.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "carry.h"
#include "frame.h"
#include "head.h"
#include "net.h"

#define BATCH 256
#define ACCEPT_MAX 64
#define BODY_MAX (16ul * 1024 * 1024)

struct conn {
	int fd;
	bool is_closed;
	bool is_upgraded;
	bool is_last;       /* closes when the answer is out */
	bool waits_to_send; /* the epoll set asks for EPOLLOUT */
	uint64_t skip;      /* of a request's body */
	size_t answer_size; /* of the answer that follows it */
	size_t body_left;   /* of an answer, behind out */
	struct carry in;
	struct carry out;
	struct conn *next_closed;
};

static int epoll_fd;
static struct conn *closed;
static char buffer[128 * 1024];
static char batch[64 * 1024]; /* small answers on their way into one write */
static size_t batch_len;
static char *body; /* BODY_MAX times 'x' */

static void
conn_close(struct conn *conn)
{
	if (conn->is_closed)
		return;
	conn->is_closed = true;
	close(conn->fd);
	carry_drop(&conn->in);
	carry_drop(&conn->out);
	conn->next_closed = closed;
	closed = conn;
}

static void
want(struct conn *conn, bool to_send)
{
	struct epoll_event event = {
	    .events = to_send ? EPOLLOUT : EPOLLIN, .data.ptr = conn};

	if (conn->waits_to_send == to_send)
		return;
	conn->waits_to_send = to_send;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) != 0)
		err(1, "epoll_ctl");
}

static bool
is_pending(const struct conn *conn)
{
	return conn->out.len > 0 || conn->body_left > 0;
}

/* Sends the waiting bytes; -1: the connection is broken. */
static int
send_pending(struct conn *conn)
{
	if (carry_flush(&conn->out, conn->fd) != 0)
		return -1;
	while (conn->out.len == 0 && conn->body_left > 0) {
		ssize_t sent =
		    send(conn->fd, body, conn->body_left, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN ? 0 : -1;
		conn->body_left -= (size_t)sent;
	}
	return 0;
}

static int
batch_send(struct conn *conn)
{
	struct iovec part = {batch, batch_len};

	batch_len = 0;
	return part.iov_len == 0 ? 0
				 : carry_write(&conn->out, conn->fd, &part, 1);
}

/* Makes room for len bytes. */
static int
batch_room(struct conn *conn, size_t len)
{
	return batch_len + len > sizeof batch ? batch_send(conn) : 0;
}

/* A big answer: the body is sent in place, and the rest is only counted. */
static int
answer_big(struct conn *conn, const char *head, size_t head_len, size_t size)
{
	struct iovec parts[] = {
	    {(void *)(uintptr_t)head, head_len}, {body, size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent = 0;

	if (batch_send(conn) != 0)
		return -1;
	if (conn->out.len == 0) {
		sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return -1;
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent < head_len) {
		carry_add(&conn->out, head + sent, head_len - (size_t)sent);
		sent = (ssize_t)head_len;
	}
	conn->body_left = size - ((size_t)sent - head_len);
	return 0;
}

static int
answer(struct conn *conn, size_t size)
{
	static char head[160];
	static size_t head_len, head_size = SIZE_MAX;

	/* The last size is nearly always the next size, too. */
	if (size != head_size) {
		head_len = (size_t)snprintf(head, sizeof head,
		    "HTTP/1.1 200 OK\r\n"
		    "Content-Type: application/octet-stream\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    size);
		head_size = size;
	}
	if (head_len + size > sizeof batch / 4)
		return answer_big(conn, head, head_len, size);
	if (batch_room(conn, head_len + size) != 0)
		return -1;
	memcpy(batch + batch_len, head, head_len);
	memcpy(batch + batch_len + head_len, body, size);
	batch_len += head_len + size;
	return 0;
}

static int
answer_upgrade(struct conn *conn)
{
	static const char head[] =
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: " FRAME_ACCEPT "\r\n\r\n";

	if (batch_room(conn, sizeof head) != 0)
		return -1;
	conn->is_upgraded = true;
	memcpy(batch + batch_len, head, sizeof head - 1);
	batch_len += sizeof head - 1;
	return 0;
}

static size_t
path_size(const char *head, size_t len)
{
	const char *path = memchr(head, ' ', len);
	const char *end =
	    path ? memchr(path + 1, ' ', len - (size_t)(path + 1 - head))
		 : NULL;
	const char *segment =
	    end ? memrchr(path, '/', (size_t)(end - path)) : NULL;
	char *unit;
	size_t size;

	if (!segment || segment[1] < '0' || segment[1] > '9')
		return 2;
	size = strtoul(segment + 1, &unit, 10);
	if (*unit == 'k')
		size <<= 10;
	else if (*unit == 'm')
		size <<= 20;
	return size < BODY_MAX ? size : BODY_MAX;
}

/* One request; returns the bytes used, 0: incomplete, -1: broken. */
static ssize_t
take_request(struct conn *conn, const char *bytes, size_t len)
{
	size_t head = head_find(bytes, len);
	const char *connection;

	if (head == 0)
		return 0;
	if (*bytes != 'G') /* a GET has none: the most frequent case is fast */
		head_length(bytes, head, &conn->skip);
	connection = head_field(bytes, head, "connection:");
	conn->is_last = connection && strncasecmp(connection, "close", 5) == 0;
	if (connection && strncasecmp(connection, "upgrade", 7) == 0)
		return answer_upgrade(conn) == 0 ? (ssize_t)head : -1;
	conn->answer_size = path_size(bytes, head);
	if (conn->skip == 0 && answer(conn, conn->answer_size) != 0)
		return -1;
	return (ssize_t)head;
}

/* One message, likewise; the answer is an unmasked copy. */
static ssize_t
take_message(struct conn *conn, const char *bytes, size_t len)
{
	struct frame frame;
	size_t whole;

	if (!frame_parse(&frame, bytes, len))
		return 0;
	whole = frame.head_bytes + frame.bytes;
	if (frame.bytes > sizeof batch - FRAME_HEAD_MAX)
		return -1;
	if (len < whole)
		return 0;
	if (batch_room(conn, FRAME_HEAD_MAX + frame.bytes) != 0)
		return -1;
	batch_len += frame_head(batch + batch_len, frame.bytes, NULL);
	memcpy(batch + batch_len, bytes + frame.head_bytes, frame.bytes);
	if (frame.is_masked)
		frame_mask(batch + batch_len, frame.bytes, frame.mask);
	batch_len += frame.bytes;
	return (ssize_t)whole;
}

/* Part of a request's body; the answer follows the last byte. */
static ssize_t
skip_body(struct conn *conn, size_t len)
{
	if (len > conn->skip)
		len = conn->skip;
	conn->skip -= len;
	if (conn->skip == 0 && answer(conn, conn->answer_size) != 0)
		return -1;
	return (ssize_t)len;
}

/* Uses as many bytes as possible and returns the count; -1: broken. */
static ssize_t
take(struct conn *conn, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len && !is_pending(conn)) {
		size_t left = len - done;
		ssize_t used;

		if (conn->skip > 0)
			used = skip_body(conn, left);
		else if (conn->is_upgraded)
			used = take_message(conn, bytes + done, left);
		else
			used = take_request(conn, bytes + done, left);
		if (used < 0)
			return -1;
		if (used == 0)
			break;
		done += (size_t)used;
	}
	return batch_send(conn) == 0 ? (ssize_t)done : -1;
}

/* Behind the kept bytes; keeps bytes that can't be used yet. */
static void
conn_take(struct conn *conn, const char *bytes, size_t len)
{
	ssize_t used;

	if (conn->in.len > 0) {
		carry_add(&conn->in, bytes, len);
		used = take(conn, conn->in.bytes, conn->in.len);
		if (used > 0)
			carry_cut(&conn->in, (size_t)used);
	} else {
		used = take(conn, bytes, len);
		if (used >= 0)
			carry_add(&conn->in, bytes + used, len - (size_t)used);
	}
	if (used < 0 || (conn->is_last && !is_pending(conn) && conn->skip == 0))
		conn_close(conn);
	else
		want(conn, is_pending(conn));
}

static void
conn_on_event(struct conn *conn)
{
	ssize_t len;

	if (conn->is_closed)
		return;
	if (conn->waits_to_send) {
		if (send_pending(conn) != 0)
			conn_close(conn);
		else if (!is_pending(conn))
			conn_take(conn, NULL, 0);
		return;
	}
	len = recv(conn->fd, buffer, sizeof buffer, 0);
	if (len > 0)
		conn_take(conn, buffer, (size_t)len);
	else if (len == 0 || errno != EAGAIN)
		conn_close(conn);
}

static void
accept_all(int listener)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = net_accept(listener);
		struct conn *conn;

		if (fd < 0)
			return;
		conn = calloc(1, sizeof *conn);
		if (!conn)
			err(1, "calloc");
		conn->fd = fd;
		net_watch(epoll_fd, fd, EPOLLIN, conn);
	}
}

/* A listener's event points to its descriptor in this array. */
static int listeners[1 + 4096];

static void
listen_on(const struct sockaddr_in *addr, unsigned addresses)
{
	struct sockaddr_in more = *addr;

	for (unsigned i = 0; i < addresses; i++) {
		more.sin_addr.s_addr =
		    htonl(0x7f010000 | (i / 250) << 8 | (i % 250 + 1));
		listeners[1 + i] =
		    net_listen(epoll_fd, &more, &listeners[1 + i]);
	}
	/* Listens here last: the other addresses listen already. */
	listeners[0] = net_listen(epoll_fd, addr, &listeners[0]);
}

static bool
is_listener(const void *data)
{
	const char *at = data;

	return at >= (const char *)listeners &&
	       at < (const char *)listeners + sizeof listeners;
}

int
main(int argc, char **argv)
{
	unsigned long addresses = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct sockaddr_in addr;

	if (argc < 2 || argc > 3 || addresses > 4096)
		errx(1, "usage: backend LISTEN [ADDRESSES]");
	net_raise_limit();
	body = malloc(BODY_MAX);
	if (!body)
		err(1, "malloc");
	memset(body, 'x', BODY_MAX);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	addr = net_addr(argv[1]);
	listen_on(&addr, (unsigned)addresses);
	for (;;) {
		struct epoll_event events[BATCH];
		int count = epoll_wait(epoll_fd, events, BATCH, -1);

		for (int i = 0; i < count; i++) {
			void *data = events[i].data.ptr;

			if (is_listener(data))
				accept_all(*(int *)data);
			else
				conn_on_event(data);
		}
		while (closed) {
			struct conn *conn = closed;

			closed = conn->next_closed;
			free(conn);
		}
	}
}
