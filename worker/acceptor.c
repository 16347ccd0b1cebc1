#include "acceptor.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "log.h"

/* Per wake-up: more would keep those who are being served waiting. */
#define ACCEPT_MAX 32
#define NEIGHBOUR_BUSY_NS 10000000
#define COMPLAIN_US 10000000

/* One listener of one slot, as this worker polls it. */
struct listener {
	struct acceptor *acceptor;
	struct loop_watch watch;
	int fd;
	bool own;
};

struct acceptor {
	struct worker *worker;
	struct listener *listeners; /* [address * workers + slot] */
	size_t count;
	int spare_fd; /* given up to get rid of a client at EMFILE */
	uint64_t complained_us;
	bool joined;
};

static struct listener *
listener_at(struct acceptor *a, size_t address, unsigned slot)
{
	return &a->listeners[address * a->worker->boot->workers + slot];
}

static enum config_accept
mode_of(const struct acceptor *a, size_t address)
{
	const struct config_listen *l = &a->worker->config->listen[address];

	/* There is no SO_REUSEPORT for unix sockets. */
	return l->addr.sa.sa_family == AF_UNIX ? CONFIG_ACCEPT_SHARED
					       : l->accept;
}

/* No descriptor left: closes one client rather than be woken for it for ever
 * and ever. */
static void
refuse_one(struct acceptor *a, int listener)
{
	struct worker *w = a->worker;
	uint64_t now_us = loop_now_us(w->loop);
	struct sock_addr peer;
	int fd;

	if (now_us - a->complained_us > COMPLAIN_US) {
		log_error("out of file descriptors: refusing clients; raise "
			  "the limit (ulimit -n) or lower "
			  "client.connections");
		a->complained_us = now_us;
	}
	close(a->spare_fd);
	fd = sock_accept(listener, &peer);
	if (fd != -1) {
		close(fd);
		worker_count(w, SCOREBOARD_REFUSED);
	}
	a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static unsigned
accept_some(struct listener *l)
{
	struct acceptor *a = l->acceptor;
	unsigned n = 0;

	while (n < ACCEPT_MAX) {
		struct sock_addr peer;
		int fd = sock_accept(l->fd, &peer);

		if (fd == -1) {
			int error = errno;

			if (error == EMFILE || error == ENFILE)
				refuse_one(a, l->fd);
			/* A client that gave up is no reason to stop. */
			if (error == ECONNABORTED || error == EINTR)
				continue;
			break;
		}
		n++;
		if (!l->own)
			worker_count(a->worker, SCOREBOARD_STOOD_IN);
		clients_accept(a->worker->clients, fd, &peer);
	}
	return n;
}

static void
on_listener(void *arg, uint32_t events)
{
	(void)events;
	(void)accept_some(arg);
}

static int
start_polling(struct listener *l)
{
	return loop_watch_add(l->acceptor->worker->loop, &l->watch, l->fd,
	    EPOLLIN | EPOLLEXCLUSIVE);
}

struct acceptor *
acceptor_new(struct worker *w)
{
	const struct worker_boot *boot = w->boot;
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->worker = w;
	a->count = w->config->listen_count * boot->workers;
	a->listeners = calloc(a->count, sizeof(*a->listeners));
	a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (a->listeners == NULL || a->spare_fd == -1)
		goto fail;
	for (size_t i = 0; i < a->count; i++) {
		struct listener *l = &a->listeners[i];

		l->acceptor = a;
		l->fd = boot->listeners[i];
		l->own = i % boot->workers == boot->slot;
		loop_watch_init(&l->watch, on_listener, l);
		l->watch.first = true;
	}
	for (size_t i = 0; i < w->config->listen_count; i++)
		if (start_polling(listener_at(a, i, boot->slot)) == -1)
			goto fail;
	return a;
fail:
	acceptor_free(a);
	return NULL;
}

void
acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; a->listeners != NULL && i < a->count; i++)
		if (a->listeners[i].acceptor != NULL)
			loop_watch_del(a->worker->loop, &a->listeners[i].watch);
	if (a->spare_fd != -1)
		close(a->spare_fd);
	free(a->listeners);
	free(a);
}

static void
stand_in(struct acceptor *a, size_t address, unsigned slot)
{
	struct listener *l = listener_at(a, address, slot);

	loop_watch_del(a->worker->loop, &l->watch);
	if (start_polling(l) == -1)
		log_warn("can't stand in for worker %u: %s", slot + 1,
		    strerror(errno));
}

void
acceptor_join(struct acceptor *a)
{
	unsigned workers = a->worker->boot->workers;

	if (a->joined)
		return;
	a->joined = true;
	for (size_t i = 0; i < a->worker->config->listen_count; i++) {
		if (mode_of(a, i) != CONFIG_ACCEPT_REUSEPORT)
			continue;
		for (unsigned d = 1; d < workers; d++)
			stand_in(a, i, (a->worker->boot->slot + d) % workers);
	}
}

void
acceptor_rejoin(struct acceptor *a, unsigned slot)
{
	if (!a->joined || slot == a->worker->boot->slot ||
	    slot >= a->worker->boot->workers)
		return;
	for (size_t i = 0; i < a->worker->config->listen_count; i++)
		if (mode_of(a, i) == CONFIG_ACCEPT_REUSEPORT)
			stand_in(a, i, slot);
}

void
acceptor_rescue(struct acceptor *a)
{
	struct worker *w = a->worker;
	uint64_t now_ns = loop_now_us(w->loop) * 1000;

	if (!a->joined)
		return;
	for (unsigned n = 0; n < w->boot->workers; n++) {
		const struct scoreboard_slot *slot = &w->scoreboard->slots[n];

		if (n == w->boot->slot ||
		    scoreboard_busy_ns(slot, now_ns) < NEIGHBOUR_BUSY_NS)
			continue;
		for (size_t i = 0; i < w->config->listen_count; i++)
			if (mode_of(a, i) == CONFIG_ACCEPT_REUSEPORT)
				(void)accept_some(listener_at(a, i, n));
	}
}

bool
acceptor_sweep(struct acceptor *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->worker->config->listen_count; i++)
		n += accept_some(listener_at(a, i, a->worker->boot->slot));
	return n > 0;
}
