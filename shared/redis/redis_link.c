#include "clock.h"
#include "redis_private.h"

#include <sys/epoll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"
#include "machine.h"
#include "sock.h"

#define BACKOFF_MIN_US (10 * REDIS_US_PER_MS)
#define BACKOFF_MAX_US (1000 * REDIS_US_PER_MS)

/* Losing the way leads back to waiting from anywhere, and so does closing;
 * forward it goes one by one, names being optional. */
#define LOST_OR_CLOSED (MACHINE_TO(LINK_WAITING) | MACHINE_TO(LINK_CLOSED))

static const struct machine_state states[] = {
    [LINK_WAITING] = {"waiting", MACHINE_TO(LINK_RESOLVING) |
				     MACHINE_TO(LINK_CONNECTING) |
				     LOST_OR_CLOSED},
    [LINK_RESOLVING] = {"resolving",
	MACHINE_TO(LINK_CONNECTING) | LOST_OR_CLOSED},
    [LINK_CONNECTING] = {"connecting",
	MACHINE_TO(LINK_SETTING_UP) | LOST_OR_CLOSED},
    [LINK_SETTING_UP] = {"setting up", MACHINE_TO(LINK_UP) | LOST_OR_CLOSED},
    [LINK_UP] = {"up", LOST_OR_CLOSED},
    [LINK_CLOSED] = {"closed", 0},
};

void
redis_link_enter(struct redis *r, enum link_state state)
{
	MACHINE_ENTER(states, r->state, state, "redis %s", r->options.name);
}

void
redis_link_drop(struct redis *r, const char *fmt, ...)
{
	va_list ap;

	if (r->context == NULL || r->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
	redisAsyncFree(r->context);
}

bool
redis_link_is_sound(const struct redis *r)
{
	return r->context != NULL && r->context->c.err == 0 &&
	       !(r->context->c.flags & (REDIS_DISCONNECTING | REDIS_FREEING));
}

/* Backoff with jitter: from half of it to all of it. */
static void
retry_later(struct redis *r)
{
	uint32_t half;

	r->backoff_us = r->backoff_us == 0 ? BACKOFF_MIN_US : r->backoff_us * 2;
	if (r->backoff_us > BACKOFF_MAX_US)
		r->backoff_us = BACKOFF_MAX_US;
	half = (uint32_t)r->backoff_us / 2;
	loop_timer_after(
	    r->loop, &r->retry, half + arc4random_uniform(half + 1));
}

static void
unreachable(struct redis *r, const char *reason)
{
	redis_link_enter(r, LINK_WAITING);
	retry_later(r);
	if (r->options.on_unreachable != NULL)
		r->options.on_unreachable(r->options.arg, reason);
}

/* The connection is gone, and we are out of hiredis. */
static void
on_lost(void *arg)
{
	struct redis *r = arg;

	CHECK(r->count == 0);
	r->fresh = r->steps = 0;
	r->is_reloading = false;
	if (r->state != LINK_UP) {
		unreachable(r, r->reason);
		return;
	}
	redis_link_enter(r, LINK_WAITING);
	retry_later(r);
	if (r->options.on_down != NULL)
		r->options.on_down(r->options.arg, r->reason);
}

/*
 * The interest of hiredis in its descriptor: its ev hooks. While it is
 * connected, output waits for the end of the iteration, when on_flush() writes
 * all of it; only what the kernel did not take then waits for EPOLLOUT.
 */
static void
set_interest(struct redis *r, uint32_t interest)
{
	if (interest == r->interest || r->watch.fd == -1)
		return;
	r->interest = interest;
	(void)loop_watch_modify(r->loop, &r->watch, interest);
}

static void
on_want_read(void *arg)
{
	struct redis *r = arg;

	set_interest(r, r->interest | EPOLLIN);
}

static void
on_unwant_read(void *arg)
{
	struct redis *r = arg;

	set_interest(r, r->interest & ~(uint32_t)EPOLLIN);
}

static void
on_want_write(void *arg)
{
	struct redis *r = arg;

	if (r->state == LINK_CONNECTING || r->flushing)
		set_interest(r, r->interest | EPOLLOUT);
	else
		loop_defer(r->loop, &r->flush);
}

static void
on_unwant_write(void *arg)
{
	struct redis *r = arg;

	set_interest(r, r->interest & ~(uint32_t)EPOLLOUT);
}

/*
 * hiredis is about to free its context. 0.14 has answered the pending calls by
 * now; 1.x may do so after this, and may call this twice.
 */
static void
on_context_gone(void *arg)
{
	struct redis *r = arg;

	if (r->context == NULL)
		return;
	if (r->reason[0] == '\0')
		(void)snprintf(r->reason, sizeof(r->reason), "%s",
		    r->context->c.err != 0 ? r->context->c.errstr
					   : "connection lost");
	loop_watch_del(r->loop, &r->watch);
	r->context = NULL;
	r->interest = 0;
	loop_timer_clear(r->loop, &r->setup);
	loop_timer_clear(r->loop, &r->reply);
	loop_defer_cancel(r->loop, &r->flush);
	if (r->state != LINK_CLOSED)
		loop_defer(r->loop, &r->lost);
}

/* Deadlines. */

void
redis_link_set_deadline(struct redis *r)
{
	/* What was not flushed has no deadline yet. */
	if (r->count == r->fresh)
		loop_timer_clear(r->loop, &r->reply);
	else
		loop_timer_set(r->loop, &r->reply,
		    r->calls[r->head].sent_us +
			REDIS_REPLY_MS * REDIS_US_PER_MS);
}

static void
on_setup_timeout(void *arg)
{
	struct redis *r = arg;

	redis_link_drop(r, "%s: no answer for %d ms",
	    r->state == LINK_CONNECTING ? "connect" : "set up",
	    REDIS_CONNECT_MS);
}

static void
on_reply_timeout(void *arg)
{
	struct redis *r = arg;
	uint64_t oldest_us = r->calls[r->head].sent_us;

	/* It may be this process that was late: the reply may be there. */
	redisAsyncHandleRead(r->context);
	if (r->context == NULL || r->count == r->fresh)
		return;
	if (r->calls[r->head].sent_us == oldest_us)
		redis_link_drop(r, "no reply for %d ms", REDIS_REPLY_MS);
}

static void
on_flush(void *arg)
{
	struct redis *r = arg;
	uint64_t now_us;

	if (r->context == NULL)
		return;
	/* The clock, since this iteration may have begun long ago, and the
	 * deadline must not count what was our own delay. */
	now_us = clock_ns() / 1000;
	for (; r->fresh != 0; r->fresh--) {
		unsigned i = r->head + r->count - r->fresh;

		r->calls[i % REDIS_PENDING_MAX].sent_us = now_us;
	}
	redis_link_set_deadline(r);
	r->flushing = true;
	redisAsyncHandleWrite(r->context);
	r->flushing = false;
}

/* Connecting. */

static void
on_event(void *arg, uint32_t events)
{
	struct redis *r = arg;
	bool failed = events & (EPOLLERR | EPOLLHUP);

	bool connecting = r->state == LINK_CONNECTING;

	/* Either call may free the context; on_context_gone() says so. */
	if ((events & EPOLLOUT) || (failed && connecting)) {
		r->flushing = true;
		redisAsyncHandleWrite(r->context);
		r->flushing = false;
	}
	if (connecting && r->state == LINK_SETTING_UP)
		redis_setup_begin(r);
	if (r->context != NULL && ((events & EPOLLIN) || failed))
		redisAsyncHandleRead(r->context);
}

static void
on_connected(const redisAsyncContext *context, int status)
{
	struct redis *r = context->data;

	/* Nothing more in here: hiredis 0.14 may not be freed from this
	 * callback. A failure reaches on_context_gone() by itself. */
	if (status == REDIS_OK)
		redis_link_enter(r, LINK_SETTING_UP);
}

/* An idle subscriber sends nothing, so only keep-alive tells it that the
 * other side vanished without a word. */
static void
set_socket_options(int fd)
{
	int on = 1, idle_s = 5, interval_s = 1, probes = 3;

	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* Each fails on a unix socket, which needs none. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* Takes over what hiredis began to connect. */
static void
attach(struct redis *r, redisAsyncContext *context)
{
	char reason[REDIS_REASON_MAX];

	if (context == NULL) {
		unreachable(r, "out of memory");
		return;
	}
	if (context->err != 0 ||
	    loop_watch_add(r->loop, &r->watch, context->c.fd, EPOLLOUT) == -1) {
		(void)snprintf(reason, sizeof(reason), "%s",
		    context->err != 0 ? context->errstr : strerror(errno));
		redisAsyncFree(context);
		unreachable(r, reason);
		return;
	}
	redis_link_enter(r, LINK_CONNECTING);
	set_socket_options(context->c.fd);
	r->context = context;
	r->interest = EPOLLOUT;
	r->reason[0] = '\0';
	context->data = r;
	context->ev.data = r;
	context->ev.addRead = on_want_read;
	context->ev.delRead = on_unwant_read;
	context->ev.addWrite = on_want_write;
	context->ev.delWrite = on_unwant_write;
	context->ev.cleanup = on_context_gone;
	/* Last: it calls addWrite. */
	(void)redisAsyncSetConnectCallback(context, on_connected);
	loop_timer_after(
	    r->loop, &r->setup, REDIS_CONNECT_MS * REDIS_US_PER_MS);
}

/* hiredis resolves names while it blocks, hence numbers only. */
static void
connect_to(struct redis *r, const struct sock_addr *addr)
{
	struct sock_host host = sock_host_of(addr);
	char text[SOCK_TEXT_MAX];

	attach(r,
	    redisAsyncConnect(sock_host_str(&host, text), r->options.url.port));
}

static void
on_resolved(void *arg, const struct resolver_answer *answer)
{
	struct redis *r = arg;
	char reason[REDIS_REASON_MAX];

	r->query = NULL;
	if (answer->outcome == RESOLVER_FOUND) {
		connect_to(r, &answer->addrs[r->attempts++ % answer->count]);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%.100s: %s",
	    r->options.url.host, answer->why);
	unreachable(r, reason);
}

static void
on_retry(void *arg)
{
	struct redis *r = arg;
	const struct redis_url *url = &r->options.url;
	struct sock_addr addr;

	if (url->path[0] != '\0') {
		attach(r, redisAsyncConnectUnix(url->path));
	} else if (sock_addr_from_host(&addr, url->host, url->port) == 0) {
		connect_to(r, &addr);
	} else {
		redis_link_enter(r, LINK_RESOLVING);
		r->query = resolver_query(
		    r->resolver, url->host, url->port, on_resolved, r);
		if (r->query == NULL)
			unreachable(r, "out of memory");
	}
}

void
redis_link_init(struct redis *r)
{
	r->state = LINK_WAITING;
	timer_init(&r->retry, on_retry, r);
	timer_init(&r->setup, on_setup_timeout, r);
	timer_init(&r->reply, on_reply_timeout, r);
	loop_watch_init(&r->watch, on_event, r);
	loop_deferred_init(&r->flush, on_flush, r);
	loop_deferred_init(&r->lost, on_lost, r);
	loop_timer_after(r->loop, &r->retry, 0);
}

void
redis_flush(struct redis *r)
{
	if (r == NULL || !r->flush.queued)
		return;
	loop_defer_cancel(r->loop, &r->flush);
	on_flush(r);
}

void
redis_link_close(struct redis *r)
{
	redis_link_enter(r, LINK_CLOSED);
	if (r->query != NULL)
		resolver_cancel(r->query);
	loop_timer_clear(r->loop, &r->retry);
	loop_defer_cancel(r->loop, &r->lost);
	/* Perhaps only once hiredis' callback that we are in has returned. */
	if (r->context != NULL)
		redisAsyncFree(r->context);
}
