#include "redis.h"

#include <sys/epoll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/async.h>

#include "log.h"
#include "sock.h"

#define US_PER_MS 1000
#define BACKOFF_MIN_US (10 * US_PER_MS)
#define BACKOFF_MAX_US (1000 * US_PER_MS)
#define REASON_MAX 160
#define ARGS_MAX 256

/*
 * hiredis' own bookkeeping is not enough for a deadline, so each command that
 * waits for its reply has an entry here; replies come in the same order.
 */
struct redis_call {
	redis_reply_fn *fn;
	void *arg;
	uint64_t sent_us;
};

enum link_state {
	LINK_WAITING,    /* for the next attempt */
	LINK_RESOLVING,  /* the name */
	LINK_CONNECTING, /* connect(2) is under way */
	LINK_SETTING_UP, /* AUTH ... SCRIPT LOAD, SUBSCRIBE */
	LINK_UP,
	LINK_CLOSED, /* redis_free() */
};

struct redis {
	struct loop *loop;
	struct resolver *resolver;
	struct redis_options options;
	enum link_state state;
	bool was_up; /* the connection that was just lost */
	uint64_t backoff_us;
	unsigned attempts;
	struct resolver_query *query;
	struct timer retry; /* the next attempt */
	struct timer setup; /* the deadline of connecting and setting up */
	struct timer reply; /* the deadline of the oldest command */

	redisAsyncContext *context; /* NULL: no connection */
	struct loop_watch watch;
	uint32_t interest;
	bool flushing;
	struct loop_deferred flush;
	struct loop_deferred lost;
	char reason[REASON_MAX]; /* why the connection is going, or "" */

	unsigned steps;    /* of setting up, not answered yet */
	size_t loaded;     /* scripts answered, in this round of loading */
	bool is_reloading; /* after a NOSCRIPT */
	char *channel;     /* NULL: takes commands */
	redis_reply_fn *message_fn;
	void *message_arg;

	unsigned head;  /* the oldest call */
	unsigned count; /* calls that wait for a reply */
	unsigned fresh; /* of these, the newest ones, still to be flushed */
	struct redis_call calls[REDIS_PENDING_MAX];
};

static const char *const link_state_names[] = {
    [LINK_WAITING] = "waiting",
    [LINK_RESOLVING] = "resolving",
    [LINK_CONNECTING] = "connecting",
    [LINK_SETTING_UP] = "setting up",
    [LINK_UP] = "up",
    [LINK_CLOSED] = "closed",
};

static void
set_state(struct redis *r, enum link_state state)
{
	/* Losing the way leads back to waiting from anywhere, and so does
	 * closing; forward it goes one by one, names being optional. */
	CHECK(r->state != LINK_CLOSED);
	CHECK(state == LINK_WAITING || state == LINK_CLOSED ||
	      state == r->state + 1 ||
	      (r->state == LINK_WAITING && state == LINK_CONNECTING));
	log_debug("redis %s: %s -> %s", r->options.name,
	    link_state_names[r->state], link_state_names[state]);
	r->state = state;
}

/* Ends the connection. hiredis answers every call with NULL, then calls
 * on_context_gone(), perhaps only once we have left its callback. */
__attribute__((format(printf, 2, 3))) static void
drop(struct redis *r, const char *fmt, ...)
{
	va_list ap;

	if (r->context == NULL || r->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
	redisAsyncFree(r->context);
}

/* False from the moment that a connection is known to be lost, which is
 * before the pending calls hear of it. */
static bool
is_sound(const struct redis *r)
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
	set_state(r, LINK_WAITING);
	retry_later(r);
	if (r->options.on_unreachable != NULL)
		r->options.on_unreachable(r->options.arg, reason);
}

/* The connection is gone, and we are out of hiredis. */
static void
on_lost(void *arg)
{
	struct redis *r = arg;
	bool was_up = r->was_up;

	r->was_up = false;
	if (!was_up) {
		unreachable(r, r->reason);
		return;
	}
	set_state(r, LINK_WAITING);
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

/* hiredis frees its context right after this. */
static void
on_context_gone(void *arg)
{
	struct redis *r = arg;

	if (r->reason[0] == '\0')
		(void)snprintf(r->reason, sizeof(r->reason), "%s",
		    r->context->c.err != 0 ? r->context->c.errstr
					   : "connection lost");
	loop_watch_del(r->loop, &r->watch);
	r->context = NULL;
	r->interest = 0;
	r->count = r->fresh = r->steps = 0;
	r->is_reloading = false;
	loop_timer_clear(r->loop, &r->setup);
	loop_timer_clear(r->loop, &r->reply);
	loop_defer_cancel(r->loop, &r->flush);
	if (r->state == LINK_CLOSED)
		return;
	r->was_up = r->state == LINK_UP;
	loop_defer(r->loop, &r->lost);
}

/* Deadlines. */

static void
set_reply_timer(struct redis *r)
{
	/* What was not flushed has no deadline yet. */
	if (r->count == r->fresh)
		loop_timer_clear(r->loop, &r->reply);
	else
		loop_timer_set(r->loop, &r->reply,
		    r->calls[r->head].sent_us + REDIS_REPLY_MS * US_PER_MS);
}

static void
on_setup_timeout(void *arg)
{
	struct redis *r = arg;

	drop(r, "%s: no answer for %d ms",
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
		drop(r, "no reply for %d ms", REDIS_REPLY_MS);
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
	now_us = loop_clock_ns() / 1000;
	for (; r->fresh != 0; r->fresh--) {
		unsigned i = r->head + r->count - r->fresh;

		r->calls[i % REDIS_PENDING_MAX].sent_us = now_us;
	}
	set_reply_timer(r);
	r->flushing = true;
	redisAsyncHandleWrite(r->context);
	r->flushing = false;
}

/* Commands. */

static void load_scripts(struct redis *r);

/* Somebody emptied the script cache: SCRIPT FLUSH, or a failover. */
static void
reload_if_lost(struct redis *r, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR || r->is_reloading ||
	    strncmp(reply->str, "NOSCRIPT", 8) != 0 || !redis_is_up(r))
		return;
	log_info(
	    "redis %s: its scripts are gone, loaded again", r->options.name);
	r->is_reloading = true;
	load_scripts(r);
}

static void
on_reply(redisAsyncContext *context, void *reply, void *arg)
{
	struct redis *r = arg;
	struct redis_call call;

	(void)context;
	CHECK(r->count != 0);
	call = r->calls[r->head];
	r->head = (r->head + 1) % REDIS_PENDING_MAX;
	r->count--;
	if (r->fresh > r->count)
		r->fresh = r->count;
	if (reply != NULL) {
		set_reply_timer(r);
		reload_if_lost(r, reply);
	}
	if (call.fn != NULL)
		call.fn(call.arg, reply);
}

static int
send_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	unsigned i = (r->head + r->count) % REDIS_PENDING_MAX;

	if (r->count == REDIS_PENDING_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if (redisAsyncCommandArgv(r->context, on_reply, r, argc, argv, lens) !=
	    REDIS_OK) {
		errno = ENOMEM;
		return -1;
	}
	r->calls[i] = (struct redis_call){.fn = fn, .arg = arg};
	r->count++;
	r->fresh++;
	return 0;
}

bool
redis_is_up(const struct redis *r)
{
	return r->state == LINK_UP && is_sound(r);
}

int
redis_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	if (!redis_is_up(r) || r->channel != NULL) {
		errno = ENOTCONN;
		return -1;
	}
	return send_command(r, fn, arg, argc, argv, lens);
}

int
redis_eval(struct redis *r, const struct redis_script *script,
    redis_reply_fn *fn, void *arg, int keys, int argc, const char **argv)
{
	const char *all[ARGS_MAX];
	char count[16];

	if (argc > ARGS_MAX - 3) {
		errno = E2BIG;
		return -1;
	}
	(void)snprintf(count, sizeof(count), "%d", keys);
	all[0] = "EVALSHA";
	all[1] = script->sha;
	all[2] = count;
	for (int i = 0; i < argc; i++)
		all[3 + i] = argv[i];
	return redis_command(r, fn, arg, 3 + argc, all, NULL);
}

/* Setting up: every step is sent at once, and the last answer makes it up. */

static void
step_done(struct redis *r)
{
	if (--r->steps != 0 || r->state != LINK_SETTING_UP)
		return;
	loop_timer_clear(r->loop, &r->setup);
	r->backoff_us = 0;
	set_state(r, LINK_UP);
	if (r->options.on_up != NULL)
		r->options.on_up(r->options.arg);
}

static bool
is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

static void
on_step(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	if (reply == NULL)
		return;
	if (is_error(reply))
		drop(r, "%s", reply->str);
	else
		step_done(r);
}

static void
on_auth(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	if (reply == NULL)
		return;
	/* Only the error's code: where AUTH was renamed, its text quotes the
	 * command, password and all. */
	if (is_error(reply))
		drop(r, "AUTH refused: %.*s", (int)strcspn(reply->str, " "),
		    reply->str);
	else
		step_done(r);
}

static void
on_name(void *arg, const redisReply *reply)
{
	/* Some proxies and ACLs refuse; it is only a name. */
	if (reply != NULL)
		step_done(arg);
}

static void
on_loaded(void *arg, const redisReply *reply)
{
	struct redis *r = arg;
	struct redis_script *script;

	if (reply == NULL)
		return;
	script = r->options.scripts[r->loaded++ % r->options.script_count];
	if (r->loaded == r->options.script_count)
		r->is_reloading = false;
	if (is_error(reply) || reply->type != REDIS_REPLY_STRING ||
	    reply->len >= sizeof(script->sha)) {
		drop(r, "script %s: %s", script->name,
		    is_error(reply) ? reply->str : "not loaded");
		return;
	}
	memcpy(script->sha, reply->str, reply->len + 1);
	step_done(r);
}

static void
send_step(
    struct redis *r, redis_reply_fn *fn, const char *const argv[], int argc)
{
	const char *copy[4];

	CHECK(argc <= 4);
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	r->steps++;
	if (send_command(r, fn, r, argc, copy, NULL) == -1)
		drop(r, "cannot send: %s", strerror(errno));
}

static void
load_scripts(struct redis *r)
{
	r->loaded = 0;
	for (size_t i = 0; i < r->options.script_count; i++) {
		const char *argv[] = {
		    "SCRIPT", "LOAD", r->options.scripts[i]->body};

		send_step(r, on_loaded, argv, 3);
	}
}

/* Called by hiredis with each message, with the confirmation of SUBSCRIBE,
 * and with NULL at the end. */
static void
on_message(redisAsyncContext *context, void *data, void *arg)
{
	struct redis *r = arg;
	const redisReply *reply = data;

	(void)context;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 3)
		return;
	if (strcmp(reply->element[0]->str, "subscribe") == 0)
		step_done(r);
	else if (strcmp(reply->element[0]->str, "message") == 0)
		r->message_fn(r->message_arg, reply->element[2]);
}

static void
subscribe(struct redis *r)
{
	const char *argv[] = {"SUBSCRIBE", r->channel};

	r->steps++;
	if (redisAsyncCommandArgv(r->context, on_message, r, 2, argv, NULL) !=
	    REDIS_OK)
		drop(r, "cannot subscribe");
}

int
redis_subscribe(
    struct redis *r, const char *channel, redis_reply_fn *fn, void *arg)
{
	char *copy = strdup(channel);

	if (copy == NULL)
		return -1;
	CHECK(r->channel == NULL);
	r->channel = copy;
	r->message_fn = fn;
	r->message_arg = arg;
	if (is_sound(r) && r->state >= LINK_SETTING_UP)
		subscribe(r);
	return 0;
}

static void
set_up(struct redis *r)
{
	const struct redis_url *url = &r->options.url;
	const char *name[] = {"CLIENT", "SETNAME", r->options.name};

	if (url->password[0] != '\0' && url->user[0] != '\0') {
		const char *argv[] = {"AUTH", url->user, url->password};

		send_step(r, on_auth, argv, 3);
	} else if (url->password[0] != '\0') {
		const char *argv[] = {"AUTH", url->password};

		send_step(r, on_auth, argv, 2);
	}
	if (url->db != 0) {
		char db[16];
		const char *argv[] = {"SELECT", db};

		(void)snprintf(db, sizeof(db), "%u", url->db);
		send_step(r, on_step, argv, 2);
	}
	send_step(r, on_name, name, 3);
	load_scripts(r);
	if (r->channel != NULL && is_sound(r))
		subscribe(r);
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
		set_up(r);
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
		set_state(r, LINK_SETTING_UP);
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
	char reason[REASON_MAX];

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
	set_state(r, LINK_CONNECTING);
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
	loop_timer_after(r->loop, &r->setup, REDIS_CONNECT_MS * US_PER_MS);
}

/* hiredis resolves names while it blocks, hence numbers only. */
static void
connect_to(struct redis *r, const struct sock_addr *addr)
{
	char host[SOCK_TEXT_MAX];

	attach(r,
	    redisAsyncConnect(sock_host_str(addr, host), r->options.url.port));
}

static void
on_resolved(void *arg, const char *error, const struct sock_addr *addrs,
    size_t count, uint32_t ttl_s)
{
	struct redis *r = arg;
	char reason[REASON_MAX];

	(void)ttl_s;
	r->query = NULL;
	if (error == NULL) {
		connect_to(r, &addrs[r->attempts++ % count]);
		return;
	}
	(void)snprintf(
	    reason, sizeof(reason), "%.100s: %s", r->options.url.host, error);
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
		set_state(r, LINK_RESOLVING);
		r->query = resolver_query(
		    r->resolver, url->host, url->port, on_resolved, r);
		if (r->query == NULL)
			unreachable(r, "out of memory");
	}
}

struct redis *
redis_new(struct loop *loop, struct resolver *resolver,
    const struct redis_options *options)
{
	struct redis *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->resolver = resolver;
	r->options = *options;
	r->state = LINK_WAITING;
	timer_init(&r->retry, on_retry, r);
	timer_init(&r->setup, on_setup_timeout, r);
	timer_init(&r->reply, on_reply_timeout, r);
	loop_watch_init(&r->watch, on_event, r);
	loop_deferred_init(&r->flush, on_flush, r);
	loop_deferred_init(&r->lost, on_lost, r);
	loop_timer_after(loop, &r->retry, 0);
	return r;
}

static void
redis_bury(void *p)
{
	struct redis *r = p;

	free(r->channel);
	free(r);
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	set_state(r, LINK_CLOSED);
	if (r->query != NULL)
		resolver_cancel(r->query);
	loop_timer_clear(r->loop, &r->retry);
	loop_defer_cancel(r->loop, &r->lost);
	/* Perhaps only once hiredis' callback that we are in has returned. */
	if (r->context != NULL)
		redisAsyncFree(r->context);
	loop_bury(r->loop, r, redis_bury);
}
