/*
 * relay_l4 - the floor of any proxy: copies bytes between a client and a
 * connection of its own to the backend, and knows nothing about them.
 *
 *   relay_l4 LISTEN BACKEND       both as 127.0.0.1:PORT
 *
 * One read and one write per piece, no epoll_ctl but at the start of a
 * connection. The end of either side ends both.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "carry.h"
#include "net.h"

#define BATCH 256
#define ACCEPT_MAX 16

struct side {
	int fd;
	bool is_readable; /* edge-triggered: true until a read says otherwise */
	bool is_ending;   /* a short read is not yet the end */
	struct carry out; /* bytes still to be taken by this side */
	struct side *peer;
	struct pair *pair;
};

struct pair {
	struct side client, backend;
	bool is_closed;
	struct pair *next_closed;
};

static int epoll_fd;
static int listener;
static struct sockaddr_in backend_addr;
/* Freed after the batch: later events of the batch may name them. */
static struct pair *closed;
static char buffer[128 * 1024];

static void
pair_close(struct pair *pair)
{
	if (pair->is_closed)
		return;
	pair->is_closed = true;
	close(pair->client.fd);
	close(pair->backend.fd);
	carry_drop(&pair->client.out);
	carry_drop(&pair->backend.out);
	pair->next_closed = closed;
	closed = pair;
}

static void
side_init(struct side *side, int fd, struct side *peer, struct pair *pair)
{
	side->fd = fd;
	side->peer = peer;
	side->pair = pair;
	net_watch(
	    epoll_fd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, side);
}

static void
accept_clients(void)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = net_accept(listener);
		int backend;
		struct pair *pair;

		if (fd < 0)
			return;
		backend = net_connect(&backend_addr, NULL);
		if (backend < 0) {
			warn("connect");
			close(fd);
			continue;
		}
		pair = calloc(1, sizeof *pair);
		if (!pair)
			err(1, "calloc");
		side_init(&pair->client, fd, &pair->backend, pair);
		side_init(&pair->backend, backend, &pair->client, pair);
	}
}

static void
copy_from(struct side *from)
{
	struct side *to = from->peer;

	while (from->is_readable && to->out.len == 0) {
		ssize_t len = recv(from->fd, buffer, sizeof buffer, 0);
		struct iovec part = {buffer, (size_t)len};

		if (len < 0 && errno == EAGAIN) {
			from->is_readable = false;
			return;
		}
		if (len <= 0 || carry_write(&to->out, to->fd, &part, 1) != 0) {
			pair_close(from->pair);
			return;
		}
		if ((size_t)len < sizeof buffer && !from->is_ending)
			from->is_readable = false;
	}
}

static void
side_on_event(struct side *side, uint32_t events)
{
	struct pair *pair = side->pair;

	if (pair->is_closed)
		return;
	if (events & EPOLLOUT && side->out.len > 0) {
		if (carry_flush(&side->out, side->fd) != 0) {
			pair_close(pair);
			return;
		}
		copy_from(side->peer);
	}
	if (!pair->is_closed && events & ~(uint32_t)EPOLLOUT) {
		side->is_readable = true;
		if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			side->is_ending = true;
		copy_from(side);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr;

	if (argc != 3)
		errx(1, "usage: relay_l4 LISTEN BACKEND");
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
				side_on_event(
				    events[i].data.ptr, events[i].events);
			else
				accept_clients();
		}
		while (closed) {
			struct pair *pair = closed;

			closed = pair->next_closed;
			free(pair);
		}
	}
}
