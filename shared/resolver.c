#include "resolver.h"

#include <sys/epoll.h>
#include <sys/time.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "log.h"

/* One try of one server, doubled for the second: with two servers that are
 * both silent the last try still ends before RESOLVER_TIMEOUT_MS. */
#define TRY_MS 450
#define TRIES 2

#define US_PER_MS UINT64_C(1000)
#define US_PER_S 1000000

/* A socket of c-ares that we watch for it. */
struct resolver_socket {
	struct loop_watch watch;
	struct resolver *resolver;
	struct resolver_socket *next;
};

struct resolver {
	struct loop *loop;
	ares_channel channel;
	struct timer timer; /* when c-ares wants to look at its own */
	struct resolver_socket *sockets;
	struct resolver_query *queries; /* whose owner still waits */
};

struct resolver_query {
	struct resolver *resolver;
	struct resolver_query *next;
	struct resolver_query **at; /* what points at us; NULL: not listed */
	resolver_fn *fn;
	void *arg;
	uint16_t port;
	bool asked; /* c-ares holds a pointer to us */
	struct timer deadline;
	struct loop_deferred done;
	/* The answer, kept until it may be told. */
	enum resolver_outcome outcome;
	const char *why;
	uint32_t ttl_s;
	size_t count;
	struct sock_addr *addrs;
};

static void
set_timer(struct resolver *r)
{
	struct timeval tv;

	if (ares_timeout(r->channel, NULL, &tv) == NULL) {
		loop_timer_clear(r->loop, &r->timer);
		return;
	}
	/* One more: to wake before the deadline would only mean to turn. */
	loop_timer_after(r->loop, &r->timer,
	    (uint64_t)tv.tv_sec * US_PER_S + (uint64_t)tv.tv_usec + US_PER_MS);
}

static void
on_timer(void *arg)
{
	struct resolver *r = arg;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(r);
}

static void
on_socket(void *arg, uint32_t events)
{
	struct resolver_socket *s = arg;
	struct resolver *r = s->resolver;
	int fd = s->watch.fd;
	bool failed = events & (EPOLLERR | EPOLLHUP);

	ares_process_fd(r->channel,
	    failed || (events & EPOLLIN) ? fd : ARES_SOCKET_BAD,
	    failed || (events & EPOLLOUT) ? fd : ARES_SOCKET_BAD);
	set_timer(r);
}

static void
socket_close(struct resolver *r, struct resolver_socket **at)
{
	struct resolver_socket *s = *at;

	*at = s->next;
	loop_watch_del(r->loop, &s->watch);
	loop_bury(r->loop, s, free);
}

static void
socket_open(struct resolver *r, int fd, uint32_t events)
{
	struct resolver_socket *s = calloc(1, sizeof(*s));

	/* Not watched, its query simply runs into its deadline. */
	if (s == NULL)
		return;
	s->resolver = r;
	loop_watch_init(&s->watch, on_socket, s);
	if (loop_watch_add(r->loop, &s->watch, fd, events) == -1) {
		log_warn(
		    "resolver: cannot watch a socket: %s", strerror(errno));
		free(s);
		return;
	}
	s->next = r->sockets;
	r->sockets = s;
}

/* c-ares tells what it wants to know of fd; neither: it will close it. */
static void
on_interest(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	struct resolver_socket **at = &r->sockets;
	uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) |
			  (writable ? (uint32_t)EPOLLOUT : 0);

	while (*at != NULL && (*at)->watch.fd != fd)
		at = &(*at)->next;
	if (*at == NULL) {
		if (events != 0)
			socket_open(r, fd, events);
	} else if (events == 0) {
		socket_close(r, at);
	} else {
		(void)loop_watch_modify(r->loop, &(*at)->watch, events);
	}
}

struct resolver *
resolver_new(struct loop *loop)
{
	struct ares_options options = {
	    .timeout = TRY_MS,
	    .tries = TRIES,
	    .sock_state_cb = on_interest,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
#ifdef ARES_OPT_QUERY_CACHE
	/* Since 1.31 c-ares keeps answers for their TTL, and Docker's TTL of
	 * 600 s would hide containers that came and went. Off: 0 seconds. */
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	r->loop = loop;
	timer_init(&r->timer, on_timer, r);
	options.sock_state_cb_data = r;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		goto fail;
	if (ares_init_options(&r->channel, &options, mask) != ARES_SUCCESS)
		goto fail_library;
	return r;

fail_library:
	ares_library_cleanup();
fail:
	free(r);
	errno = ENOMEM;
	return NULL;
}

/* The owner no longer waits. */
static void
query_unlist(struct resolver_query *q)
{
	if (q->at == NULL)
		return;
	*q->at = q->next;
	if (q->next != NULL)
		q->next->at = q->at;
	q->at = NULL;
	loop_timer_clear(q->resolver->loop, &q->deadline);
	loop_defer_cancel(q->resolver->loop, &q->done);
}

static void
query_free(void *p)
{
	struct resolver_query *q = p;

	free(q->addrs);
	free(q);
}

/* Its memory goes once neither its owner nor c-ares knows it any more. */
static void
query_drop(struct resolver_query *q)
{
	query_unlist(q);
	if (!q->asked)
		loop_bury(q->resolver->loop, q, query_free);
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	while (r->queries != NULL)
		query_drop(r->queries);
	/* Ends what c-ares still has under way, in on_answer(). */
	ares_destroy(r->channel);
	ares_library_cleanup();
	while (r->sockets != NULL)
		socket_close(r, &r->sockets);
	loop_timer_clear(r->loop, &r->timer);
	loop_bury(r->loop, r, free);
}

static void
on_done(void *arg)
{
	struct resolver_query *q = arg;
	struct resolver_answer answer = {
	    .outcome = q->outcome,
	    .why = q->why,
	    .count = q->outcome == RESOLVER_FOUND ? q->count : 0,
	    .ttl_s = q->ttl_s,
	};

	/* First, since fn may free the resolver; the memory lasts as long as
	 * this batch. */
	query_drop(q);
	answer.addrs = q->addrs;
	q->fn(q->arg, &answer);
}

static void
query_finish(
    struct resolver_query *q, enum resolver_outcome outcome, const char *why)
{
	q->outcome = outcome;
	q->why = why;
	loop_timer_clear(q->resolver->loop, &q->deadline);
	loop_defer(q->resolver->loop, &q->done);
}

static void
on_deadline(void *arg)
{
	query_finish(arg, RESOLVER_FAILED, "no answer in time");
}

static enum resolver_outcome
outcome_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return RESOLVER_FOUND;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
		return RESOLVER_ABSENT;
	default:
		return RESOLVER_FAILED;
	}
}

static const char *
reason_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return NULL;
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
		return "no such name";
	case ARES_ENODATA:
		return "the name has no address";
	case ARES_EBADNAME:
		return "not a valid name";
	case ARES_ETIMEOUT:
		return "no answer in time";
	case ARES_ECONNREFUSED:
		return "no name server reachable";
	case ARES_ESERVFAIL:
		return "the name server failed";
	case ARES_EREFUSED:
		return "the name server refused";
	case ARES_ENOMEM:
		return "out of memory";
	default:
		return ares_strerror(status);
	}
}

/* Copies what c-ares found. -1 with ENOMEM. */
static int
take_addrs(struct resolver_query *q, const struct ares_addrinfo *info)
{
	const struct ares_addrinfo_node *n;

	q->addrs = calloc(RESOLVER_ADDRS_MAX, sizeof(*q->addrs));
	if (q->addrs == NULL)
		return -1;
	q->ttl_s = UINT32_MAX;
	for (n = info->nodes; n != NULL && q->count < RESOLVER_ADDRS_MAX;
	    n = n->ai_next) {
		struct sock_addr *addr = &q->addrs[q->count];
		uint32_t ttl_s = n->ai_ttl > 0 ? (uint32_t)n->ai_ttl : 0;

		if (n->ai_addrlen > sizeof(addr->in6))
			continue;
		memcpy(&addr->sa, n->ai_addr, n->ai_addrlen);
		addr->len = n->ai_addrlen;
		if (n->ai_family == AF_INET6)
			addr->in6.sin6_port = htons(q->port);
		else
			addr->in.sin_port = htons(q->port);
		if (ttl_s < q->ttl_s)
			q->ttl_s = ttl_s;
		q->count++;
	}
	return 0;
}

/* c-ares has the answer, or gives up; also from within ares_getaddrinfo(). */
static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct resolver_query *q = arg;

	(void)timeouts;
	q->asked = false;
	if (q->at == NULL) {
		query_drop(q);
	} else if (q->done.queued) {
		/* Too late: the deadline has already spoken. */
	} else {
		if (status == ARES_SUCCESS && take_addrs(q, info) == -1)
			status = ARES_ENOMEM;
		else if (status == ARES_SUCCESS && q->count == 0)
			status = ARES_ENODATA;
		query_finish(q, outcome_of(status), reason_of(status));
	}
	if (info != NULL)
		ares_freeaddrinfo(info);
}

static int
answer_numeric(struct resolver_query *q, const struct sock_addr *addr)
{
	q->addrs = malloc(sizeof(*q->addrs));
	if (q->addrs == NULL)
		return -1;
	q->addrs[0] = *addr;
	q->count = 1;
	q->ttl_s = UINT32_MAX;
	query_finish(q, RESOLVER_FOUND, NULL);
	return 0;
}

static void
ask(struct resolver_query *q, const char *host)
{
	struct ares_addrinfo_hints hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	};
	struct resolver *r = q->resolver;

	q->asked = true;
	loop_timer_after(
	    r->loop, &q->deadline, RESOLVER_TIMEOUT_MS * US_PER_MS);
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_answer, q);
	set_timer(r);
}

struct resolver_query *
resolver_query(struct resolver *r, const char *host, uint16_t port,
    resolver_fn *fn, void *arg)
{
	struct resolver_query *q = calloc(1, sizeof(*q));
	struct sock_addr addr;

	if (q == NULL)
		return NULL;
	q->resolver = r;
	q->fn = fn;
	q->arg = arg;
	q->port = port;
	timer_init(&q->deadline, on_deadline, q);
	loop_deferred_init(&q->done, on_done, q);
	q->next = r->queries;
	q->at = &r->queries;
	if (q->next != NULL)
		q->next->at = &q->next;
	r->queries = q;
	if (sock_addr_from_host(&addr, host, port) == -1) {
		ask(q, host);
	} else if (answer_numeric(q, &addr) == -1) {
		query_drop(q);
		return NULL;
	}
	return q;
}

void
resolver_cancel(struct resolver_query *q)
{
	query_drop(q);
}
