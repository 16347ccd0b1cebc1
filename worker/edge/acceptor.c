#include "acceptor.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "log.h"
#include "preamble.h"

/* Per wake-up: more would keep the connected clients waiting. */
#define ACCEPT_MAX 32
#define NEIGHBOUR_BUSY_NS 10000000
#define COMPLAIN_US 10000000

/* A listener of a slot, as polled by this worker. */
struct listener {
	struct acceptor *acceptor;
	struct loop_watch watch;
	int fd;
	bool own;
	bool proxy_protocol; /* of the address */
};

struct acceptor {
	struct runtime *runtime;
	const struct worker_boot *boot;
	struct clients *clients;
	struct preambles *preambles;
	struct listener *listeners; /* [address * workers + slot] */
	size_t count;
	int spare_fd; /* given up to get rid of a client at EMFILE */
	uint64_t complained_us;
	bool joined;
};

static struct listener *
listener_at(struct acceptor *a, size_t address, unsigned slot)
{
	return &a->listeners[address * a->boot->workers + slot];
}

static enum config_accept
mode_of(const struct acceptor *a, size_t address)
{
	const struct config_listen *l = &a->runtime->config->listen[address];

	/* Unix sockets have no SO_REUSEPORT. */
	return l->addr.sa.sa_family == AF_UNIX ? CONFIG_ACCEPT_SHARED
					       : l->accept;
}

/* No descriptor is left: closes a client, lest the listener wake the worker for
 * ever. */
static void
refuse_one(struct acceptor *a, int listener)
{
	struct runtime *rt = a->runtime;
	uint64_t now_us = loop_now_us(rt->loop);
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
		runtime_count(rt, SCOREBOARD_REFUSED);
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
			/* The client gave up; the next may be waiting. */
			if (error == ECONNABORTED || error == EINTR)
				continue;
			break;
		}
		n++;
		if (!l->own)
			runtime_count(a->runtime, SCOREBOARD_STOOD_IN);
		if (l->proxy_protocol)
			preambles_accept(a->preambles, fd, &peer);
		else
			clients_accept(a->clients, fd, &peer);
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
	return loop_watch_add(l->acceptor->runtime->loop, &l->watch, l->fd,
	    EPOLLIN | EPOLLEXCLUSIVE);
}

struct acceptor *
acceptor_new(
    struct runtime *rt, const struct worker_boot *boot, struct clients *clients)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->runtime = rt;
	a->boot = boot;
	a->clients = clients;
	a->count = rt->config->listen_count * boot->workers;
	a->listeners = calloc(a->count, sizeof(*a->listeners));
	a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	a->preambles = preambles_new(rt, clients);
	if (a->listeners == NULL || a->spare_fd == -1 || a->preambles == NULL)
		goto fail;
	for (size_t i = 0; i < a->count; i++) {
		struct listener *l = &a->listeners[i];

		l->acceptor = a;
		l->fd = boot->listeners[i];
		l->own = i % boot->workers == boot->slot;
		l->proxy_protocol =
		    rt->config->listen[i / boot->workers].proxy_protocol;
		loop_watch_init(&l->watch, on_listener, l);
		l->watch.urgent = true;
	}
	for (size_t i = 0; i < rt->config->listen_count; i++)
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
			loop_watch_del(
			    a->runtime->loop, &a->listeners[i].watch);
	if (a->spare_fd != -1)
		close(a->spare_fd);
	preambles_free(a->preambles);
	free(a->listeners);
	free(a);
}

static void
stand_in(struct acceptor *a, size_t address, unsigned slot)
{
	struct listener *l = listener_at(a, address, slot);

	loop_watch_del(a->runtime->loop, &l->watch);
	if (start_polling(l) == -1)
		log_warn("can't stand in for worker %u: %s", slot + 1,
		    strerror(errno));
}

void
acceptor_join(struct acceptor *a)
{
	unsigned workers = a->boot->workers;

	if (a->joined)
		return;
	a->joined = true;
	for (size_t i = 0; i < a->runtime->config->listen_count; i++) {
		if (mode_of(a, i) != CONFIG_ACCEPT_REUSEPORT)
			continue;
		for (unsigned d = 1; d < workers; d++)
			stand_in(a, i, (a->runtime->index + d) % workers);
	}
}

void
acceptor_rejoin(struct acceptor *a, unsigned slot)
{
	if (!a->joined || slot == a->runtime->index || slot >= a->boot->workers)
		return;
	for (size_t i = 0; i < a->runtime->config->listen_count; i++)
		if (mode_of(a, i) == CONFIG_ACCEPT_REUSEPORT)
			stand_in(a, i, slot);
}

void
acceptor_rescue(struct acceptor *a)
{
	struct runtime *rt = a->runtime;
	uint64_t now_ns = loop_now_us(rt->loop) * 1000;

	if (!a->joined)
		return;
	for (unsigned n = 0; n < a->boot->workers; n++) {
		const struct scoreboard_slot *slot = &rt->scoreboard->slots[n];

		if (n == rt->index ||
		    scoreboard_busy_ns(slot, now_ns) < NEIGHBOUR_BUSY_NS)
			continue;
		for (size_t i = 0; i < rt->config->listen_count; i++)
			if (mode_of(a, i) == CONFIG_ACCEPT_REUSEPORT)
				(void)accept_some(listener_at(a, i, n));
	}
}

unsigned
acceptor_pending(const struct acceptor *a)
{
	return preambles_count(a->preambles);
}

bool
acceptor_sweep(struct acceptor *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->runtime->config->listen_count; i++)
		n += accept_some(listener_at(a, i, a->runtime->index));
	return n > 0;
}
