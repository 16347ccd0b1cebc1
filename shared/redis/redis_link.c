#include "redis_link.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "log.h"
#include "machine.h"
#include "sock.h"

#define US_PER_MS UINT64_C(1000)
#define BACKOFF_MIN_US (10 * US_PER_MS)
#define BACKOFF_MAX_US (1000 * US_PER_MS)

/* A lost connection leads back to waiting from every state. Forward, only the
 * resolving may be left out. */
#define LOST_OR_CLOSED                                                         \
	(MACHINE_TO(REDIS_LINK_WAITING) | MACHINE_TO(REDIS_LINK_CLOSED))

static const struct machine_state states[] = {
    [REDIS_LINK_WAITING] = {"waiting", MACHINE_TO(REDIS_LINK_RESOLVING) |
					   MACHINE_TO(REDIS_LINK_CONNECTING) |
					   LOST_OR_CLOSED},
    [REDIS_LINK_RESOLVING] = {"resolving",
	MACHINE_TO(REDIS_LINK_CONNECTING) | LOST_OR_CLOSED},
    [REDIS_LINK_CONNECTING] = {"connecting",
	MACHINE_TO(REDIS_LINK_SETTING_UP) | LOST_OR_CLOSED},
    [REDIS_LINK_SETTING_UP] = {"setting up",
	MACHINE_TO(REDIS_LINK_UP) | LOST_OR_CLOSED},
    [REDIS_LINK_UP] = {"up", LOST_OR_CLOSED},
    [REDIS_LINK_CLOSED] = {"closed", 0},
};

static void
enter(struct redis_link *l, enum redis_link_state state)
{
	MACHINE_ENTER(
	    states, l->state, state, "redis %s", l->parts.options->name);
}

void
redis_link_drop(struct redis_link *l, const char *fmt, ...)
{
	va_list ap;

	if (l->context == NULL || l->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(l->reason, sizeof(l->reason), fmt, ap);
	va_end(ap);
	redisAsyncFree(l->context);
}

/* False as soon as a connection is known to be lost: the pending commands may
 * still be unaware. */
static bool
is_sound(const struct redis_link *l)
{
	return l->context != NULL && l->context->c.err == 0 &&
	       !(l->context->c.flags & (REDIS_DISCONNECTING | REDIS_FREEING));
}

bool
redis_link_is_up(const struct redis_link *l)
{
	return l->state == REDIS_LINK_UP && is_sound(l);
}

bool
redis_link_is_connected(const struct redis_link *l)
{
	return (l->state == REDIS_LINK_SETTING_UP ||
		   l->state == REDIS_LINK_UP) &&
	       is_sound(l);
}

void
redis_link_set_up(struct redis_link *l)
{
	loop_timer_clear(l->parts.loop, &l->setup);
	l->backoff_us = 0;
	enter(l, REDIS_LINK_UP);
}

/* Backoff with jitter: from half of the time to all of it. */
static void
retry_later(struct redis_link *l)
{
	uint32_t half;

	l->backoff_us = l->backoff_us == 0 ? BACKOFF_MIN_US : l->backoff_us * 2;
	if (l->backoff_us > BACKOFF_MAX_US)
		l->backoff_us = BACKOFF_MAX_US;
	half = (uint32_t)l->backoff_us / 2;
	loop_timer_after(
	    l->parts.loop, &l->retry, half + arc4random_uniform(half + 1));
}

static void
unreachable(struct redis_link *l, const char *reason)
{
	enter(l, REDIS_LINK_WAITING);
	retry_later(l);
	if (l->parts.options->on_unreachable != NULL)
		l->parts.options->on_unreachable(l->parts.options->arg, reason);
}

/* The connection is gone, and no hiredis callback is running. */
static void
on_lost(void *arg)
{
	struct redis_link *l = arg;

	CHECK(l->calls.count == 0);
	if (l->state != REDIS_LINK_UP) {
		unreachable(l, l->reason);
		return;
	}
	enter(l, REDIS_LINK_WAITING);
	retry_later(l);
	if (l->parts.options->on_down != NULL)
		l->parts.options->on_down(l->parts.options->arg, l->reason);
}

/*
 * The interest of hiredis in its descriptor: its ev hooks. While the link is
 * connected, output waits for on_flush() at the end of the iteration. Only
 * bytes that the kernel did not take wait for EPOLLOUT.
 */
static void
set_interest(struct redis_link *l, uint32_t interest)
{
	if (interest == l->interest || l->watch.fd == -1)
		return;
	l->interest = interest;
	(void)loop_watch_modify(l->parts.loop, &l->watch, interest);
}

static void
on_want_read(void *arg)
{
	struct redis_link *l = arg;

	set_interest(l, l->interest | EPOLLIN);
}

static void
on_unwant_read(void *arg)
{
	struct redis_link *l = arg;

	set_interest(l, l->interest & ~(uint32_t)EPOLLIN);
}

static void
on_want_write(void *arg)
{
	struct redis_link *l = arg;

	if (l->state == REDIS_LINK_CONNECTING || l->flushing)
		set_interest(l, l->interest | EPOLLOUT);
	else
		loop_defer(l->parts.loop, &l->flush);
}

static void
on_unwant_write(void *arg)
{
	struct redis_link *l = arg;

	set_interest(l, l->interest & ~(uint32_t)EPOLLOUT);
}

/*
 * hiredis is about to free the context. 0.14 has answered the pending calls
 * before; 1.x may answer later, and may call the hook twice.
 */
static void
on_context_gone(void *arg)
{
	struct redis_link *l = arg;

	if (l->context == NULL)
		return;
	if (l->reason[0] == '\0')
		(void)snprintf(l->reason, sizeof(l->reason), "%s",
		    l->context->c.err != 0 ? l->context->c.errstr
					   : "connection lost");
	loop_watch_del(l->parts.loop, &l->watch);
	l->context = NULL;
	l->interest = 0;
	loop_timer_clear(l->parts.loop, &l->setup);
	loop_timer_clear(l->parts.loop, &l->reply);
	loop_defer_cancel(l->parts.loop, &l->flush);
	if (l->state != REDIS_LINK_CLOSED)
		loop_defer(l->parts.loop, &l->lost);
}

/* ---- deadlines ---- */

/* An unsent call has no deadline yet. */
static void
set_reply_deadline(struct redis_link *l)
{
	uint64_t oldest_us;

	if (redis_calls_oldest_us(&l->calls, &oldest_us))
		loop_timer_set(l->parts.loop, &l->reply,
		    oldest_us + REDIS_REPLY_MS * US_PER_MS);
	else
		loop_timer_clear(l->parts.loop, &l->reply);
}

static void
on_setup_timeout(void *arg)
{
	struct redis_link *l = arg;

	redis_link_drop(l, "%s: no answer for %d ms",
	    l->state == REDIS_LINK_CONNECTING ? "connect" : "set up",
	    REDIS_CONNECT_MS);
}

static void
on_reply_timeout(void *arg)
{
	struct redis_link *l = arg;
	uint64_t before_us, oldest_us;

	if (!redis_calls_oldest_us(&l->calls, &before_us))
		return;
	/* Our process may have been late: the reply may have come. */
	redisAsyncHandleRead(l->context);
	if (l->context != NULL &&
	    redis_calls_oldest_us(&l->calls, &oldest_us) &&
	    oldest_us == before_us)
		redis_link_drop(l, "no reply for %d ms", REDIS_REPLY_MS);
}

/* ---- commands ---- */

static void
write_out(struct redis_link *l)
{
	l->flushing = true;
	redisAsyncHandleWrite(l->context);
	l->flushing = false;
}

static void
on_flush(void *arg)
{
	struct redis_link *l = arg;

	if (l->context == NULL)
		return;
	/* The clock, not the time of the loop: the iteration may have begun
	 * long ago. The deadline must not count our own delay. */
	redis_calls_sent(&l->calls, clock_ns() / 1000);
	set_reply_deadline(l);
	write_out(l);
}

void
redis_link_flush(struct redis_link *l)
{
	if (!l->flush.queued)
		return;
	loop_defer_cancel(l->parts.loop, &l->flush);
	on_flush(l);
}

static void
on_reply(redisAsyncContext *context, void *data, void *arg)
{
	struct redis_link *l = arg;
	const redisReply *reply = data;
	struct redis_call call = redis_calls_take(&l->calls);

	(void)context;
	if (reply != NULL) {
		set_reply_deadline(l);
		if (reply->type == REDIS_REPLY_ERROR)
			l->parts.on_error(l->parts.arg, reply);
	}
	if (call.fn != NULL)
		call.fn(call.arg, reply);
}

int
redis_link_send(struct redis_link *l, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	if (!redis_link_is_connected(l)) {
		errno = ENOTCONN;
		return -1;
	}
	if (redis_calls_is_full(&l->calls)) {
		errno = ENOBUFS;
		return -1;
	}
	if (redisAsyncCommandArgv(l->context, on_reply, l, argc, argv, lens) !=
	    REDIS_OK) {
		errno = ENOMEM;
		return -1;
	}
	redis_calls_add(&l->calls, fn, arg);
	return 0;
}

/* data: NULL at the end of the connection. */
static void
on_push(redisAsyncContext *context, void *data, void *arg)
{
	struct redis_link *l = arg;
	const redisReply *reply = data;

	(void)context;
	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY)
		l->push_fn(l->push_arg, reply);
}

int
redis_link_subscribe(
    struct redis_link *l, const char *channel, redis_reply_fn *fn, void *arg)
{
	const char *argv[] = {"SUBSCRIBE", channel};

	if (!redis_link_is_connected(l)) {
		errno = ENOTCONN;
		return -1;
	}
	l->push_fn = fn;
	l->push_arg = arg;
	if (redisAsyncCommandArgv(l->context, on_push, l, 2, argv, NULL) !=
	    REDIS_OK) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* ---- connecting ---- */

static void
on_event(void *arg, uint32_t events)
{
	struct redis_link *l = arg;
	bool failed = events & (EPOLLERR | EPOLLHUP);
	bool connecting = l->state == REDIS_LINK_CONNECTING;

	/* Either call may free the context: on_context_gone() clears it. */
	if ((events & EPOLLOUT) || (failed && connecting))
		write_out(l);
	if (connecting && l->state == REDIS_LINK_SETTING_UP)
		l->parts.on_connected(l->parts.arg);
	if (l->context != NULL && ((events & EPOLLIN) || failed))
		redisAsyncHandleRead(l->context);
}

static void
on_connected(const redisAsyncContext *context, int status)
{
	struct redis_link *l = context->data;

	/* on_event() does the rest: hiredis 0.14 may not be freed from this
	 * callback. A failure reaches on_context_gone() anyway. */
	if (status == REDIS_OK)
		enter(l, REDIS_LINK_SETTING_UP);
}

/* Takes over a connection that hiredis has begun to make. */
static void
attach(struct redis_link *l, redisAsyncContext *context)
{
	char reason[REDIS_REASON_MAX];

	if (context == NULL) {
		unreachable(l, "out of memory");
		return;
	}
	if (context->err != 0 || loop_watch_add(l->parts.loop, &l->watch,
				     context->c.fd, EPOLLOUT) == -1) {
		(void)snprintf(reason, sizeof(reason), "%s",
		    context->err != 0 ? context->errstr : strerror(errno));
		redisAsyncFree(context);
		unreachable(l, reason);
		return;
	}
	enter(l, REDIS_LINK_CONNECTING);
	(void)fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
	/* An idle subscriber sends nothing. */
	sock_keep_alive(context->c.fd);
	l->context = context;
	l->interest = EPOLLOUT;
	l->reason[0] = '\0';
	context->data = l;
	context->ev.data = l;
	context->ev.addRead = on_want_read;
	context->ev.delRead = on_unwant_read;
	context->ev.addWrite = on_want_write;
	context->ev.delWrite = on_unwant_write;
	context->ev.cleanup = on_context_gone;
	/* Last: it calls addWrite. */
	(void)redisAsyncSetConnectCallback(context, on_connected);
	loop_timer_after(
	    l->parts.loop, &l->setup, REDIS_CONNECT_MS * US_PER_MS);
}

/* hiredis blocks while it resolves a name, hence numbers only. */
static void
connect_to(struct redis_link *l, const struct sock_addr *addr)
{
	struct sock_host host = sock_host_of(addr);
	char text[SOCK_TEXT_MAX];

	attach(l, redisAsyncConnect(
		      sock_host_str(&host, text), l->parts.options->url.port));
}

static void
on_resolved(void *arg, const struct resolver_answer *answer)
{
	struct redis_link *l = arg;
	char reason[REDIS_REASON_MAX];

	l->query = NULL;
	if (answer->outcome == RESOLVER_FOUND) {
		connect_to(l, &answer->addrs[l->attempts++ % answer->count]);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%.100s: %s",
	    l->parts.options->url.host, answer->why);
	unreachable(l, reason);
}

static void
on_retry(void *arg)
{
	struct redis_link *l = arg;
	const struct redis_url *url = &l->parts.options->url;
	struct sock_addr addr;

	if (url->path[0] != '\0') {
		attach(l, redisAsyncConnectUnix(url->path));
	} else if (sock_addr_from_host(&addr, url->host, url->port) == 0) {
		connect_to(l, &addr);
	} else {
		enter(l, REDIS_LINK_RESOLVING);
		l->query = resolver_query(
		    l->parts.resolver, url->host, url->port, on_resolved, l);
		if (l->query == NULL)
			unreachable(l, "out of memory");
	}
}

void
redis_link_init(struct redis_link *l, const struct redis_link_parts *parts)
{
	l->parts = *parts;
	l->state = REDIS_LINK_WAITING;
	timer_init(&l->retry, on_retry, l);
	timer_init(&l->setup, on_setup_timeout, l);
	timer_init(&l->reply, on_reply_timeout, l);
	loop_watch_init(&l->watch, on_event, l);
	loop_deferred_init(&l->flush, on_flush, l);
	loop_deferred_init(&l->lost, on_lost, l);
	loop_timer_after(parts->loop, &l->retry, 0);
}

void
redis_link_close(struct redis_link *l)
{
	enter(l, REDIS_LINK_CLOSED);
	if (l->query != NULL)
		resolver_cancel(l->query);
	loop_timer_clear(l->parts.loop, &l->retry);
	loop_defer_cancel(l->parts.loop, &l->lost);
	if (l->context != NULL)
		redisAsyncFree(l->context);
}
