#include "preamble.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cidr.h"
#include "client.h"
#include "log.h"
#include "proxy_protocol.h"

#define COMPLAIN_US 10000000

/* A connection. */
struct preamble {
	TAILQ_ENTRY(preamble) entry;
	struct preambles *all;
	struct loop_watch watch;
	struct timer timer;
	struct sock_addr peer;
	size_t len; /* bytes of the header so far */
	char data[PROXY_PROTOCOL_MAX];
};

TAILQ_HEAD(preamble_list, preamble);

struct preambles {
	struct runtime *runtime;
	struct clients *clients;
	struct preamble_list list;
	unsigned count;
	uint64_t complained_us;
	unsigned silent; /* ends since then without a line */
};

/* ---- the end of a connection here ---- */

static void
complain(
    struct preambles *all, const struct sock_addr *peer, const char *reason)
{
	uint64_t now_us = loop_now_us(all->runtime->loop);
	char text[SOCK_TEXT_MAX];

	runtime_count(all->runtime, SCOREBOARD_REFUSED);
	if (all->complained_us != 0 &&
	    now_us - all->complained_us < COMPLAIN_US) {
		all->silent++;
		return;
	}
	log_warn("connection from %s closed: %s; %u others since the last "
		 "such line",
	    sock_addr_str(peer, text), reason, all->silent);
	all->complained_us = now_us;
	all->silent = 0;
}

/* Forgets the connection. The descriptor is the caller's, or closed. */
static void
leave(struct preamble *p)
{
	struct preambles *all = p->all;

	TAILQ_REMOVE(&all->list, p, entry);
	all->count--;
	loop_timer_clear(all->runtime->loop, &p->timer);
	loop_bury(all->runtime->loop, p, free);
}

static void
hang_up(struct preamble *p)
{
	loop_watch_close(p->all->runtime->loop, &p->watch);
	leave(p);
}

static void
refuse(struct preamble *p, const char *reason)
{
	complain(p->all, &p->peer, reason);
	hang_up(p);
}

static void
hand_over(struct preamble *p, const struct proxy_protocol *header)
{
	int fd = p->watch.fd;

	loop_watch_del(p->all->runtime->loop, &p->watch);
	leave(p);
	clients_accept(p->all->clients, fd,
	    header->has_source ? &header->source : &p->peer);
}

/* ---- reading ---- */

static ssize_t
receive(const struct preamble *p, void *to, size_t len, int flags)
{
	ssize_t n;

	do
		n = recv(p->watch.fd, to, len, flags);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Looks at the next bytes first: the bytes behind the header stay in the
 * socket, for the connection's next owner. False: wait for more, or the end. */
static bool
read_some(struct preamble *p)
{
	struct proxy_protocol header;
	char *to = p->data + p->len;
	ssize_t n = receive(p, to, sizeof(p->data) - p->len, MSG_PEEK);
	enum proxy_protocol_result result;
	size_t taken;

	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		if (p->len > 0)
			refuse(p, "its PROXY protocol header breaks off");
		else
			hang_up(p);
		return false;
	}
	result = proxy_protocol_parse(p->data, p->len + (size_t)n, &header);
	if (result == PROXY_PROTOCOL_BAD) {
		refuse(p, "it does not begin with a valid PROXY protocol "
			  "header");
		return false;
	}
	taken = result == PROXY_PROTOCOL_DONE ? header.len - p->len : (size_t)n;
	if (receive(p, to, taken, 0) != (ssize_t)taken) {
		refuse(p, "its PROXY protocol header can't be read");
		return false;
	}
	p->len += taken;
	if (result == PROXY_PROTOCOL_MORE)
		return true;
	hand_over(p, &header);
	return false;
}

static void
on_event(void *arg, uint32_t events)
{
	(void)events;
	while (read_some(arg))
		continue;
}

static void
on_timer(void *arg)
{
	refuse(arg, "its PROXY protocol header is late");
}

/* ---- all connections ---- */

struct preambles *
preambles_new(struct runtime *rt, struct clients *clients)
{
	struct preambles *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->runtime = rt;
	all->clients = clients;
	TAILQ_INIT(&all->list);
	return all;
}

void
preambles_free(struct preambles *all)
{
	struct preamble *p, *next;

	if (all == NULL)
		return;
	TAILQ_FOREACH_SAFE(p, &all->list, entry, next)
	hang_up(p);
	free(all);
}

unsigned
preambles_count(const struct preambles *all)
{
	return all->count;
}

static bool
is_trusted(const struct preambles *all, const struct sock_addr *peer)
{
	const struct config *c = all->runtime->config;
	struct sock_host host = sock_host_of(peer);

	return cidr_any(c->client.trusted, c->client.trusted_count, &host);
}

void
preambles_accept(struct preambles *all, int fd, const struct sock_addr *peer)
{
	struct loop *loop = all->runtime->loop;
	struct preamble *p = NULL;

	if (!is_trusted(all, peer)) {
		complain(all, peer,
		    "only client.trusted_proxies may send the "
		    "PROXY protocol");
		close(fd);
		return;
	}
	if (all->count < all->runtime->config->client.connections)
		p = malloc(sizeof(*p));
	if (p == NULL)
		goto refused;
	p->all = all;
	p->peer = *peer;
	p->len = 0;
	loop_watch_init(&p->watch, on_event, p);
	timer_init(&p->timer, on_timer, p);
	if (loop_watch_add(loop, &p->watch, fd, EPOLLIN | EPOLLRDHUP) == -1)
		goto unpolled;
	TAILQ_INSERT_TAIL(&all->list, p, entry);
	all->count++;
	loop_timer_after(
	    loop, &p->timer, all->runtime->config->client.header_timeout_us);
	return;
unpolled:
	free(p);
refused:
	close(fd);
	runtime_count(all->runtime, SCOREBOARD_REFUSED);
}
