#include "resolver_channel.h"

#include <sys/epoll.h>
#include <sys/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define LOOK_US 1000000

/* One try of one server, doubled for the second try. With two silent servers
 * the last try still ends before RESOLVER_TIMEOUT_MS. */
#define TRY_MS 450
#define TRIES 2

#define US_PER_MS UINT64_C(1000)
#define US_PER_S 1000000

/* A socket of c-ares, watched by our loop. */
struct resolver_socket {
	struct loop_watch watch;
	struct resolver_channel *channel;
	struct resolver_socket *next;
};

/* ---- timer and sockets ---- */

static void
set_timer(struct resolver_channel *c)
{
	struct timeval tv;

	if (ares_timeout(c->ares, NULL, &tv) == NULL) {
		loop_timer_clear(c->loop, &c->timer);
		return;
	}
	/* Rounded up: waking before the deadline would be in vain. */
	loop_timer_after(c->loop, &c->timer,
	    (uint64_t)tv.tv_sec * US_PER_S + (uint64_t)tv.tv_usec + US_PER_MS);
}

static void
on_timer(void *arg)
{
	struct resolver_channel *c = arg;

	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(c);
}

static void
on_socket(void *arg, uint32_t events)
{
	struct resolver_socket *s = arg;
	struct resolver_channel *c = s->channel;
	int fd = s->watch.fd;
	bool failed = events & (EPOLLERR | EPOLLHUP);

	ares_process_fd(c->ares,
	    failed || (events & EPOLLIN) ? fd : ARES_SOCKET_BAD,
	    failed || (events & EPOLLOUT) ? fd : ARES_SOCKET_BAD);
	set_timer(c);
}

static void
socket_close(struct resolver_channel *c, struct resolver_socket **at)
{
	struct resolver_socket *s = *at;

	*at = s->next;
	loop_watch_del(c->loop, &s->watch);
	loop_bury(c->loop, s, free);
}

static void
socket_open(struct resolver_channel *c, int fd, uint32_t events)
{
	struct resolver_socket *s = calloc(1, sizeof(*s));

	/* Without a watch the query runs into its deadline. */
	if (s == NULL)
		return;
	s->channel = c;
	loop_watch_init(&s->watch, on_socket, s);
	if (loop_watch_add(c->loop, &s->watch, fd, events) == -1) {
		log_warn(
		    "resolver: cannot watch a socket: %s", strerror(errno));
		free(s);
		return;
	}
	s->next = c->sockets;
	c->sockets = s;
}

/* The interest of c-ares in fd; neither direction: c-ares will close fd. */
static void
on_interest(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver_channel *c = arg;
	struct resolver_socket **at = &c->sockets;
	uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) |
			  (writable ? (uint32_t)EPOLLOUT : 0);

	while (*at != NULL && (*at)->watch.fd != fd)
		at = &(*at)->next;
	if (*at == NULL) {
		if (events != 0)
			socket_open(c, fd, events);
	} else if (events == 0) {
		socket_close(c, at);
	} else {
		(void)loop_watch_modify(c->loop, &(*at)->watch, events);
	}
}

/* ---- the channel ---- */

static void
look_at_file(struct resolver_channel *c, struct stat *file)
{
	c->looked_us = loop_now_us(c->loop);
	if (stat(RESOLV_CONF, file) == -1)
		memset(file, 0, sizeof(*file));
}

static int
start(struct resolver_channel *c)
{
	struct ares_options options = {
	    .timeout = TRY_MS,
	    .tries = TRIES,
	    .sock_state_cb = on_interest,
	    .sock_state_cb_data = c,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;

#ifdef ARES_OPT_QUERY_CACHE
	/* From 1.31 on c-ares keeps answers for their TTL. Docker's TTL of 600
	 * s would hide changes of containers. 0 seconds: off. */
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return -1;
	if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS) {
		ares_library_cleanup();
		return -1;
	}
	return 0;
}

struct resolver_channel *
resolver_channel_new(struct loop *loop)
{
	struct resolver_channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	timer_init(&c->timer, on_timer, c);
	/* Before c-ares reads the file: a change in between is noticed later.
	 */
	look_at_file(c, &c->file);
	if (start(c) == -1) {
		free(c);
		errno = ENOMEM;
		return NULL;
	}
	return c;
}

void
resolver_channel_free(struct resolver_channel *c)
{
	ares_destroy(c->ares);
	ares_library_cleanup();
	while (c->sockets != NULL)
		socket_close(c, &c->sockets);
	loop_timer_clear(c->loop, &c->timer);
	loop_bury(c->loop, c, free);
}

bool
resolver_channel_is_stale(struct resolver_channel *c)
{
	struct stat now;

	if (loop_now_us(c->loop) - c->looked_us < LOOK_US)
		return false;
	look_at_file(c, &now);
	return now.st_dev != c->file.st_dev || now.st_ino != c->file.st_ino ||
	       now.st_size != c->file.st_size ||
	       now.st_mtim.tv_sec != c->file.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != c->file.st_mtim.tv_nsec;
}

void
resolver_channel_ask(struct resolver_channel *c,
    const struct resolver_channel_question *question, ares_addrinfo_callback fn,
    void *arg)
{
	struct ares_addrinfo_hints hints = {
	    .ai_flags = question->flags,
	    .ai_family = question->family,
	    .ai_socktype = SOCK_STREAM,
	};

	c->asked++;
	ares_getaddrinfo(c->ares, question->host, NULL, &hints, fn, arg);
	set_timer(c);
}

void
resolver_channel_answered(struct resolver_channel *c)
{
	c->asked--;
}
