#include "admin.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "instance_json.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"
#include "h1.h"
#include "sock.h"

#define ACCEPTS_MAX 16
/* After the kernel had no descriptor or memory for another connection. */
#define PAUSE_US 1000000
/* Refusals are one burst, and one line, until so long without one. */
#define BURST_US 10000000
/* 65 KiB each. A page of /metrics is about 1 MiB for 128 workers. 1,000 routes
 * with all kinds of answers make up to 10 MiB. */
#define BUFFERS_MAX 512

static const struct h1_limits limits = {
    .parser = {.head_bytes = 8192, .target_bytes = 4096, .body_bytes = 65536},
    .header_timeout_us = 10000000,
    .body_timeout_us = 10000000,
    .send_timeout_us = 10000000,
    .keep_alive_us = 75000000,
    .keep_alive_text = "timeout=75",
};

struct admin {
	struct loop *loop;
	const struct instance *instance;
	int fd;
	struct loop_watch listener;
	struct timer pause;
	struct buffer_pool *buffers;
	struct h1_context context;
	struct h1 *connections[ADMIN_CONNECTIONS_MAX]; /* the oldest first */
	size_t count;
	uint64_t quiet_us; /* when the burst of refusals is over */
};

static void
reply_text(struct stream *s, unsigned status, const char *text)
{
	reply_send(s, &(struct reply){.status = status,
			  .type = "text/plain; charset=utf-8",
			  .body = text,
			  .len = strlen(text)});
}

static void
reply_metrics(struct stream *s, const struct instance *instance)
{
	size_t len;
	char *page = metrics_page(instance, clock_ns(), &len);

	if (page == NULL) {
		reply_error(s, 503, "out of memory");
		return;
	}
	reply_send(s,
	    &(struct reply){
		.status = 200, .type = METRICS_TYPE, .body = page, .len = len});
	free(page);
}

static void
reply_cluster(struct stream *s, const struct instance *instance)
{
	char *json = instance_json(instance, clock_ns());

	if (json == NULL) {
		reply_error(s, 503, "out of memory");
		return;
	}
	reply_send(s, &(struct reply){.status = 200,
			  .type = "application/json",
			  .body = json,
			  .len = strlen(json)});
	free(json);
}

static void
reply_health(struct stream *s, const struct instance *instance)
{
	(void)instance;
	reply_text(s, 200, "ok\n");
}

static void
reply_readiness(struct stream *s, const struct instance *instance)
{
	const struct scoreboard *sb = instance->scoreboard;

	for (unsigned i = 0; i < instance->workers; i++) {
		if (atomic_load(&sb->slots[i].state) != SLOT_READY)
			continue;
		reply_text(s, 200, "ready\n");
		return;
	}
	reply_text(s, 503, "no worker is ready\n");
}

static const struct {
	const char *path;
	void (*reply)(struct stream *s, const struct instance *instance);
} routes[] = {
    {"/metrics", reply_metrics},
    {"/api/cluster", reply_cluster},
    {"/healthz", reply_health},
    {"/readyz", reply_readiness},
};

static void
on_request(struct h1 *h1)
{
	static const struct field allow[] = {
	    {"Allow", "GET, HEAD"}, {NULL, NULL}};
	const struct admin *a = h1_context_of(h1)->arg;
	struct stream *s = h1_stream(h1);
	const struct head *m = s->head;
	const char *method = head_method_str(m);
	const struct slice path = head_path_only(m);

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		reply_error_with(s, 405, "method not allowed", allow);
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (slice_is(path, routes[i].path)) {
			routes[i].reply(s, a->instance);
			return;
		}
	reply_error(s, 404, "not found");
}

/* No route of the endpoint takes a body. */
static void
on_body(struct h1 *s, const struct stream_piece *piece)
{
	(void)s;
	(void)piece;
}

static void
on_close(struct h1 *s, enum stream_end reason)
{
	struct admin *a = h1_context_of(s)->arg;
	size_t i = 0;

	(void)reason;
	while (i < a->count && a->connections[i] != s)
		i++;
	if (i == a->count)
		return;
	a->count--;
	memmove(a->connections + i, a->connections + i + 1,
	    (a->count - i) * sizeof(*a->connections));
}

static const struct h1_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_close = on_close,
};

/* One line for a burst. */
static void
log_busy(struct admin *a)
{
	uint64_t now_us = loop_now_us(a->loop);

	if (now_us >= a->quiet_us)
		log_warn("admin: all %d connections are busy: the oldest is "
			 "closed for a new one",
		    ADMIN_CONNECTIONS_MAX);
	a->quiet_us = now_us + BURST_US;
}

/* No peer locks out an operator: the oldest idle connection makes way, or else
 * the oldest of all, which has half a request or does not read its response. */
static void
make_way(struct admin *a)
{
	size_t i = 0;

	while (i < a->count && !h1_is_idle(a->connections[i]))
		i++;
	if (i == a->count) {
		log_busy(a);
		i = 0;
	}
	h1_close(a->connections[i], STREAM_END_EVICTED);
}

static void
serve(struct admin *a, int fd, const struct sock_addr *peer)
{
	struct h1 *s;

	if (a->count == ADMIN_CONNECTIONS_MAX)
		make_way(a);
	s = h1_open(&a->context, fd, peer);
	if (s != NULL)
		a->connections[a->count++] = s;
}

static void
listen_again(void *arg)
{
	struct admin *a = arg;

	if (loop_watch_add(a->loop, &a->listener, a->fd, EPOLLIN) == -1)
		log_error("admin: can't listen: %s", strerror(errno));
}

static void
on_listener(void *arg, uint32_t events)
{
	struct admin *a = arg;
	struct sock_addr peer;

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = sock_accept(a->fd, &peer);

		if (fd != -1) {
			serve(a, fd, &peer);
			continue;
		}
		if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
			return;
		log_warn("admin: can't accept: %s, pause of %d ms",
		    strerror(errno), PAUSE_US / 1000);
		loop_watch_del(a->loop, &a->listener);
		loop_timer_after(a->loop, &a->pause, PAUSE_US);
		return;
	}
}

struct admin *
admin_new(struct loop *loop, const struct instance *instance, int fd)
{
	struct admin *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->loop = loop;
	a->instance = instance;
	a->fd = fd;
	timer_init(&a->pause, listen_again, a);
	loop_watch_init(&a->listener, on_listener, a);
	a->buffers = buffer_pool_new(BUFFERS_MAX);
	if (a->buffers == NULL ||
	    loop_watch_add(loop, &a->listener, fd, EPOLLIN) == -1) {
		buffer_pool_free(a->buffers);
		free(a);
		return NULL;
	}
	a->context = (struct h1_context){
	    .loop = loop,
	    .buffers = a->buffers,
	    .ops = &ops,
	    .limits = &limits,
	    .arg = a,
	};
	return a;
}

static void
bury(void *p)
{
	struct admin *a = p;

	buffer_pool_free(a->buffers);
	free(a);
}

void
admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	loop_watch_del(a->loop, &a->listener);
	loop_timer_clear(a->loop, &a->pause);
	while (a->count > 0)
		h1_close(a->connections[a->count - 1], STREAM_END_DRAINED);
	/* After the connections, which may hold buffers until they are buried.
	 */
	loop_bury(a->loop, a, bury);
}
