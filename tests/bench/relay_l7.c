/*
 * relay_l7 - the smallest proxy that still is one: finds the end of a head,
 * adds one field to a request's, and lends each request a connection to the
 * backend from a pool.
 *
 *   relay_l7 LISTEN BACKEND       both as 127.0.0.1:PORT
 *
 * Bodies need a Content-Length; a request without one has none. Pipelined
 * requests go to the backend one after the other. After a 101 bytes are copied
 * both ways. A client that says `Connection: close`, alone on its line, has its
 * connection ended after the answer. It checks nothing else: no deadlines, no
 * limits, no hop-by-hop fields, no errors of its own.
 */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "carry.h"
#include "head.h"
#include "net.h"

#define BATCH 256
#define ACCEPT_MAX 16

enum role { CLIENT, BACKEND };

struct conn {
	enum role role;
	int fd;
	bool is_readable; /* edge-triggered: true until a read says otherwise */
	bool is_ending;   /* a short read is not yet the end */
	bool is_closed;
	bool is_waiting; /* a client whose request is sent */
	bool is_last;    /* a client that wants no answer after this one */
	uint64_t body_left;
	struct carry in;   /* the start of a head, or of the next request */
	struct carry out;  /* bytes still to be taken by this side */
	struct conn *peer; /* NULL: idle */
	LIST_ENTRY(conn) link;
};

static LIST_HEAD(, conn) pool = LIST_HEAD_INITIALIZER(pool);
/* Freed after the batch: later events of the batch may name them. */
static LIST_HEAD(, conn) closed = LIST_HEAD_INITIALIZER(closed);
static int epoll_fd;
static int listener;
static struct sockaddr_in backend_addr;
static char field[] = "X-Forwarded-For: 127.0.0.1\r\n"; /* what is added */
static char buffer[128 * 1024];

static struct conn *
conn_new(enum role role, int fd)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		err(1, "calloc");
	conn->role = role;
	conn->fd = fd;
	net_watch(
	    epoll_fd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn);
	return conn;
}

/* Ends the peer, too, unless the peer is an idle backend. */
static void
conn_close(struct conn *conn)
{
	struct conn *peer = conn->peer;

	if (conn->is_closed)
		return;
	conn->is_closed = true;
	if (conn->role == BACKEND && !peer)
		LIST_REMOVE(conn, link);
	close(conn->fd);
	carry_drop(&conn->in);
	carry_drop(&conn->out);
	LIST_INSERT_HEAD(&closed, conn, link);
	if (peer)
		conn_close(peer);
}

static struct conn *
take_backend(void)
{
	struct conn *backend = LIST_FIRST(&pool);
	int fd;

	if (backend) {
		LIST_REMOVE(backend, link);
		return backend;
	}
	fd = net_connect(&backend_addr, NULL);
	if (fd < 0)
		err(1, "connect");
	return conn_new(BACKEND, fd);
}

/* Part of a body, or of a tunnel: returns the bytes used. -1: broken. */
static ssize_t
forward_body(struct conn *from, const char *bytes, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)bytes, len};

	if (part.iov_len > from->body_left)
		part.iov_len = from->body_left;
	if (carry_write(&from->peer->out, from->peer->fd, &part, 1) != 0)
		return -1;
	if (from->body_left != UINT64_MAX)
		from->body_left -= part.iov_len;
	return (ssize_t)part.iov_len;
}

/* A request's head as parts, with the added field, and without the field that
 * would end the connection to the backend. Returns the number of parts. */
static int
request_head(struct conn *client, const char *bytes, size_t head,
    struct iovec parts[static 3])
{
	static const char close_field[] = "connection: close";
	const char *end = head_field(bytes, head, close_field);
	const char *rest = bytes;
	int count = 0;

	if (end) {
		size_t line = (size_t)(end - bytes) - (sizeof close_field - 1);

		client->is_last = true;
		parts[count++] = (struct iovec){(void *)(uintptr_t)bytes, line};
		rest = end + 2;
	}
	parts[count++] = (struct iovec){
	    (void *)(uintptr_t)rest, head - 2 - (size_t)(rest - bytes)};
	parts[count++] = (struct iovec){field, sizeof field - 1};
	return count;
}

/* A head, and the present part of its body; returns the bytes used. */
static ssize_t
forward_head(struct conn *from, const char *bytes, size_t len)
{
	size_t head = head_find(bytes, len);
	uint64_t body = 0;
	size_t used;
	int count = 0;
	struct iovec parts[4];

	if (head == 0)
		return 0;
	head_length(bytes, head, &body);
	used = len - head < body ? len : head + body;
	from->body_left = body - (used - head);
	if (from->role == CLIENT) {
		from->peer = take_backend();
		from->peer->peer = from;
		count = request_head(from, bytes, head, parts);
		bytes += head - 2;
		used -= head - 2;
		head -= 2;
	} else if (head_status(bytes, head) == 101) {
		used = len;
		from->body_left = from->peer->body_left = UINT64_MAX;
		from->peer->is_waiting = false;
		head = 0;
	} else {
		head = 0;
	}
	parts[count++] = (struct iovec){(void *)(uintptr_t)bytes, used};
	if (carry_write(&from->peer->out, from->peer->fd, parts, count) != 0)
		return -1;
	return (ssize_t)(head + used);
}

static void
exchange_end(struct conn *backend)
{
	struct conn *client = backend->peer;

	client->peer = NULL;
	client->is_waiting = false;
	backend->peer = NULL;
	LIST_INSERT_HEAD(&pool, backend, link);
	if (client->is_last && client->out.len == 0)
		conn_close(client);
}

/* Uses as many bytes as possible and returns the count; -1: broken. */
static ssize_t
take(struct conn *from, const char *bytes, size_t len)
{
	size_t done = 0;

	if (from->role == BACKEND && !from->peer)
		return -1; /* an answer that nobody asked for */
	while (done < len && !from->is_waiting) {
		ssize_t used =
		    from->body_left > 0
			? forward_body(from, bytes + done, len - done)
			: forward_head(from, bytes + done, len - done);

		if (used <= 0)
			return used < 0 ? -1 : (ssize_t)done;
		done += (size_t)used;
		if (from->body_left > 0)
			continue;
		if (from->role == CLIENT) {
			from->is_waiting = true;
		} else {
			exchange_end(from);
			break;
		}
	}
	return (ssize_t)done;
}

/* Behind the kept bytes; keeps bytes that can't be used yet. */
static void
conn_take(struct conn *from, const char *bytes, size_t len)
{
	ssize_t used;

	if (from->in.len > 0) {
		carry_add(&from->in, bytes, len);
		used = take(from, from->in.bytes, from->in.len);
		if (used > 0)
			carry_cut(&from->in, (size_t)used);
	} else {
		used = take(from, bytes, len);
		if (used >= 0)
			carry_add(&from->in, bytes + used, len - (size_t)used);
	}
	if (used < 0)
		conn_close(from);
}

static bool
may_read(const struct conn *from)
{
	return from->is_readable && !from->is_closed && !from->is_waiting &&
	       (!from->peer || from->peer->out.len == 0);
}

static void conn_read(struct conn *from);

/* The response is out: goes on with bytes that came meanwhile. */
static void
client_resume(struct conn *client)
{
	if (client->in.len > 0)
		conn_take(client, NULL, 0);
	conn_read(client);
}

static void
conn_read(struct conn *from)
{
	while (may_read(from)) {
		struct conn *peer = from->peer;
		ssize_t len = recv(from->fd, buffer, sizeof buffer, 0);

		if (len < 0 && errno == EAGAIN) {
			from->is_readable = false;
			return;
		}
		if (len <= 0) {
			conn_close(from);
			return;
		}
		if ((size_t)len < sizeof buffer && !from->is_ending)
			from->is_readable = false;
		conn_take(from, buffer, (size_t)len);
		if (peer && from->role == BACKEND && !from->is_closed &&
		    !from->peer)
			client_resume(peer);
	}
}

static void
conn_on_event(struct conn *conn, uint32_t events)
{
	if (conn->is_closed)
		return;
	if (events & EPOLLOUT && conn->out.len > 0) {
		if (carry_flush(&conn->out, conn->fd) != 0) {
			conn_close(conn);
			return;
		}
		if (conn->peer)
			conn_read(conn->peer);
		else if (conn->is_last && conn->out.len == 0)
			conn_close(conn);
	}
	if (!conn->is_closed && events & ~(uint32_t)EPOLLOUT) {
		conn->is_readable = true;
		if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			conn->is_ending = true;
		conn_read(conn);
	}
}

static void
accept_clients(void)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = net_accept(listener);

		if (fd < 0)
			return;
		conn_new(CLIENT, fd);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr;

	if (argc != 3)
		errx(1, "usage: relay_l7 LISTEN BACKEND");
	addr = net_addr(argv[1]);
	backend_addr = net_addr(argv[2]);
	net_raise_limit();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	listener = net_listen(epoll_fd, &addr, NULL);
	for (;;) {
		struct epoll_event events[BATCH];
		int count = epoll_wait(epoll_fd, events, BATCH, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				conn_on_event(
				    events[i].data.ptr, events[i].events);
			else
				accept_clients();
		}
		while (!LIST_EMPTY(&closed)) {
			struct conn *conn = LIST_FIRST(&closed);

			LIST_REMOVE(conn, link);
			free(conn);
		}
	}
}
