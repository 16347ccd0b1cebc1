#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "handler.h"
#include "last_hop.h"
#include "check.h"
#include "respond.h"
#include "route.h"
#include "trace.h"

/* For the access log only: nginx's "client closed request". */
#define CLIENT_GONE_STATUS 499

/* When all connections are taken, so many of the oldest are looked at for one
 * that is idle and can go. */
#define EVICT_LOOKS 64

TAILQ_HEAD(client_list, client);

struct clients {
	struct runtime *runtime;
	struct client_list list;
	unsigned count;
	unsigned closing; /* of them: counted, but their places are free */
	struct session_limits limits;
	struct session_context context;
};

struct client *
client_of(struct session *s)
{
	return session_arg(s);
}

static void
abort_task(struct client *client)
{
	struct task *task = client->task;

	client->task = NULL;
	if (task != NULL)
		task->ops->abort(task);
}

void
client_begin_task(struct client *client, struct task *task)
{
	if (!CONFINED(client->task == NULL, "a second task for one request")) {
		abort_task(client);
		session_cut(client->session);
	}
	client->task = task;
}

void
client_end_task(struct client *client)
{
	client->task = NULL;
}

/* ---- a request ---- */

/* A copy with an end, and a mark where it was cut. cap: 4 at least. Returns its
 * length. */
static size_t
copy_cut(char *to, size_t cap, struct slice from)
{
	size_t len = from.len;

	CHECK(cap >= 4);
	if (len >= cap)
		len = cap - 1;
	if (len != 0)
		memcpy(to, from.at, len);
	to[len] = '\0';
	if (len < from.len)
		memcpy(to + len - 3, "...", 3);
	return len;
}

/* What the access log says of it. */
static void
note_request(struct client_request *r, const struct message *m)
{
	struct client_text *text = malloc(sizeof(*text));
	const char *method = message_method(m);
	const char *version =
	    m->parser.http_minor == 0 ? " HTTP/1.0" : " HTTP/1.1";
	size_t room = sizeof(text->line) - strlen(version), len;

	if (text == NULL)
		return;
	r->text = text;
	len =
	    copy_cut(text->line, room, (struct slice){method, strlen(method)});
	text->line[len++] = ' ';
	len += copy_cut(text->line + len, room - len, m->path);
	memcpy(text->line + len, version, strlen(version) + 1);
	r->record.request = text->line;
	if (m->host.at != NULL) {
		copy_cut(text->host, sizeof(text->host), m->host);
		r->record.host = text->host;
	}
}

static struct client_request *
request_new(const struct client *client, const struct message *m)
{
	struct client_request *r = slab_get(&client->runtime->requests);

	if (r == NULL)
		return NULL;
	access_record_init(&r->record);
	r->text = NULL;
	r->series = 0;
	r->cut = false;
	if (client->runtime->access_log != NULL)
		note_request(r, m);
	return r;
}

static void
drop_request(struct client *client)
{
	if (client->request == NULL)
		return;
	free(client->request->text);
	slab_put(&client->runtime->requests, client->request);
	client->request = NULL;
}

/* A request that was none, and was refused, has only its answer's facts. */
static void
log_request(
    struct client *client, unsigned status, uint64_t bytes_out, const char *end)
{
	struct access_log *log = client->runtime->access_log;
	struct session *s = client->session;
	struct access_record r;
	char peer[SOCK_TEXT_MAX];

	if (log == NULL)
		return;
	access_record_init(&r);
	if (client->request != NULL) {
		r = client->request->record;
		r.bytes_in = session_request(s)->body_bytes;
		r.total_us = clock_ns() / 1000 - session_request_us(s);
	}
	r.client = sock_host_str(session_peer(s), peer);
	r.status = status;
	r.bytes_out = bytes_out;
	if (r.end == NULL)
		r.end = end;
	access_log_add(log, &r);
}

/* Its head is the clock's start: one that was refused before has no time. */
static void
end_request(struct client *client, unsigned status, enum scoreboard_code code,
    uint64_t bytes_out, const char *end)
{
	struct runtime *rt = client->runtime;

	if (client->request != NULL)
		endings_add(&rt->endings,
		    &rt->durations[client->request->series *
				       SCOREBOARD_CODE_COUNT +
				   code],
		    session_request_us(client->session));
	log_request(client, status, bytes_out, end);
}

void
client_note_id(struct client *client, const char *id)
{
	struct client_request *r = client->request;

	if (r->text == NULL)
		return;
	strlcpy(r->text->id, id, sizeof(r->text->id));
	r->record.id = r->text->id;
}

void
client_note_upstream(struct client *client, const char *address)
{
	struct client_request *r = client->request;

	r->record.tries++;
	if (r->text == NULL)
		return;
	strlcpy(r->text->upstream, address, sizeof(r->text->upstream));
	r->record.upstream = r->text->upstream;
}

/* What the worker is on, "GET /path", for whoever watches it stall: without
 * the query, which is nobody's business in a log. Who blocked this iteration
 * keeps the blame: the delay is logged at its end. */
static void
note_activity(struct runtime *rt, const struct message *m)
{
	struct scoreboard_slot *slot = rt->slot;
	const char *query;
	struct text activity;
	size_t len = m->path.len;

	if (rt->blocked_us == loop_now_us(rt->loop))
		return;
	text_init(&activity, slot->activity, sizeof(slot->activity));
	text_add_str(&activity, message_method(m));
	text_add(&activity, " ", 1);
	if (len > activity.cap - activity.len)
		len = activity.cap - activity.len;
	query = memchr(m->path.at, '?', len);
	if (query != NULL)
		len = (size_t)(query - m->path.at);
	text_add(&activity, m->path.at, len);
	atomic_store_explicit(
	    &slot->activity_len, (uint32_t)activity.len, memory_order_release);
}

/* RFC 9110 section 15.5.6. */
static void
refuse_method(struct session *s, uint64_t methods)
{
	static const char body[] =
	    "{\"error\":\"method not allowed here\",\"status\":405}";
	char allow[512];
	struct text t;

	text_init(&t, allow, sizeof(allow) - 1);
	text_add_str(&t, "Allow: ");
	route_add_methods(&t, methods);
	text_add(&t, "\r\n", 2);
	if (!CONFINED(!text_is_full(&t), "the methods of a 405")) {
		session_cut(s);
		return;
	}
	allow[t.len] = '\0';
	session_reply(
	    s, 405, "application/json", allow, body, sizeof(body) - 1);
}

/* What is answered here: the log has its id, too. */
static void
note_own_id(struct client *client)
{
	struct trace trace;

	if (client->request->text == NULL)
		return;
	trace_of_request(
	    &trace, client->runtime->trace, session_request(client->session));
	client_note_id(client, trace.id);
}

static void
start_task(struct client *client, const struct config_route *route)
{
	client->request->record.route = route->path;
	client->request->series = route->series;
	if (route->service >= 0) {
		exchange_start(client, route);
		return;
	}
	note_own_id(client);
	if (route->has_respond)
		respond_start(client, &route->respond);
	else
		handler_start(client, route->handler);
}

static void
on_request(struct session *s)
{
	struct client *client = client_of(s);
	struct runtime *rt = client->runtime;
	const struct message *m = session_request(s);
	const struct config_route *route;
	uint64_t methods;

	client->request = request_new(client, m);
	if (client->request == NULL) {
		session_reply_error(s, 503, "out of memory for requests");
		return;
	}
	runtime_count(rt, SCOREBOARD_REQUESTS);
	counter_gauge(&rt->slot->in_flight, 1);
	note_activity(rt, m);
	if (m->max_forwards == 0) {
		note_own_id(client);
		last_hop_start(client);
		return;
	}
	switch (route_find(rt->routes, m, &route, &methods)) {
	case ROUTE_FOUND:
		start_task(client, route);
		break;
	case ROUTE_NO_METHOD:
		note_own_id(client);
		refuse_method(s, methods);
		break;
	case ROUTE_NONE:
		note_own_id(client);
		if (last_hop_is_for(m))
			last_hop_start(client);
		else
			session_reply_error(s, 404, "no route for this path");
		break;
	}
}

static void
on_body(struct session *s, const char *data, size_t len, bool last)
{
	struct task *task = client_of(s)->task;

	if (task != NULL)
		task->ops->on_body(task, data, len, last);
}

static void
on_drained(struct session *s)
{
	struct task *task = client_of(s)->task;

	if (task != NULL && task->ops->on_drained != NULL)
		task->ops->on_drained(task);
}

static bool
has_left(const struct session *s)
{
	return session_why(s) == SESSION_CLOSE_PEER ||
	       session_why(s) == SESSION_CLOSE_RESET;
}

static void
on_response_end(struct session *s, bool complete)
{
	struct client *client = client_of(s);
	struct runtime *rt = client->runtime;
	enum scoreboard_code code = scoreboard_code_of(session_status(s));

	if (!complete && client->task != NULL && has_left(s))
		runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
	/* The session refused the request in mid-body: the task is off. */
	abort_task(client);
	/* Without one, it was answered by the session itself. */
	if (client->request != NULL)
		counter_gauge(&rt->slot->in_flight, -1);
	else
		runtime_count(rt, SCOREBOARD_REQUESTS);
	if (session_request(s)->error != MESSAGE_NONE)
		runtime_count(rt, SCOREBOARD_BAD_REQUESTS);
	runtime_count(rt, SCOREBOARD_RESPONSES_1XX + code);
	if (complete) {
		/* Who has seen the end may be here again before we are told:
		 * it must find its place free. */
		client->closing = session_is_closing(s);
		rt->clients->closing += client->closing;
		end_request(client, session_status(s), code,
		    session_response_bytes(s),
		    session_close_word(session_why(s)));
		drop_request(client);
	} else if (client->request != NULL) {
		/* Why is known when the connection closes, which is next. */
		client->request->cut = true;
	}
}

static void
on_close(struct session *s, enum session_close reason)
{
	struct client *client = client_of(s);
	struct runtime *rt = client->runtime;

	if (client->task != NULL)
		runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
	abort_task(client);
	if (client->request != NULL && client->request->cut) {
		end_request(client, session_status(s),
		    scoreboard_code_of(session_status(s)),
		    session_response_bytes(s), session_close_word(reason));
	} else if (client->request != NULL) {
		/* Gone before its answer began. */
		counter_gauge(&rt->slot->in_flight, -1);
		end_request(client, CLIENT_GONE_STATUS, SCOREBOARD_CODE_499, 0,
		    session_close_word(reason));
	}
	drop_request(client);
	TAILQ_REMOVE(&rt->clients->list, client, entry);
	rt->clients->count--;
	rt->clients->closing -= client->closing;
	counter_gauge(&rt->slot->connections, -1);
	loop_bury(rt->loop, client, free);
}

static const struct session_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_response_end = on_response_end,
    .on_close = on_close,
};

/* ---- all of them ---- */

struct clients *
clients_new(struct runtime *rt)
{
	struct clients *clients = calloc(1, sizeof(*clients));
	const struct config *c = rt->config;

	if (clients == NULL)
		return NULL;
	clients->runtime = rt;
	TAILQ_INIT(&clients->list);
	clients->limits = (struct session_limits){
	    .message = {c->client.header_bytes, c->client.target_bytes,
		c->client.body_bytes},
	    .header_timeout_us = c->client.header_timeout_us,
	    .body_timeout_us = c->client.body_timeout_us,
	    .body_rate = c->client.body_rate,
	    .send_timeout_us = c->client.send_timeout_us,
	    .keep_alive_us = c->client.keep_alive_us,
	};
	clients->context = (struct session_context){
	    .loop = rt->loop,
	    .buffers = rt->buffers,
	    .outbox = rt->outbox,
	    .ops = &ops,
	    .limits = &clients->limits,
	    .arg = clients,
	    .bytes_in = &rt->slot->totals[SCOREBOARD_BYTES_IN],
	    .bytes_out = &rt->slot->totals[SCOREBOARD_BYTES_OUT],
	};
	return clients;
}

void
clients_free(struct clients *clients)
{
	struct client *client, *next;

	if (clients == NULL)
		return;
	TAILQ_FOREACH_SAFE(client, &clients->list, entry, next)
	session_close(client->session, SESSION_CLOSE_DRAINED);
	loop_bury(clients->runtime->loop, clients, free);
}

unsigned
clients_count(const struct clients *clients)
{
	return clients->count;
}

/* Idle keep-alive connections must not keep new clients out. */
static void
evict(struct clients *clients)
{
	struct client *client = TAILQ_LAST(&clients->list, client_list);

	for (int i = 0; client != NULL && i < EVICT_LOOKS; i++) {
		if (session_is_idle(client->session)) {
			session_close(client->session, SESSION_CLOSE_EVICTED);
			return;
		}
		client = TAILQ_PREV(client, client_list, entry);
	}
}

static bool
is_full(const struct clients *clients)
{
	return clients->count - clients->closing >=
	       clients->runtime->config->client.connections;
}

void
clients_accept(struct clients *clients, int fd, const struct sock_addr *peer)
{
	struct runtime *rt = clients->runtime;
	struct client *client = NULL;

	if (is_full(clients))
		evict(clients);
	if (!is_full(clients))
		client = calloc(1, sizeof(*client));
	if (client == NULL) {
		close(fd);
		runtime_count(rt, SCOREBOARD_REFUSED);
		return;
	}
	client->runtime = rt;
	client->session = session_open(&clients->context, fd, peer);
	if (client->session == NULL) {
		free(client);
		runtime_count(rt, SCOREBOARD_REFUSED);
		return;
	}
	session_set_arg(client->session, client);
	TAILQ_INSERT_HEAD(&clients->list, client, entry);
	clients->count++;
	runtime_count(rt, SCOREBOARD_ACCEPTED);
	counter_gauge(&rt->slot->connections, 1);
}

void
clients_drain(struct clients *clients)
{
	struct client *client, *next;

	clients->context.draining = true;
	TAILQ_FOREACH_SAFE(client, &clients->list, entry, next)
	session_drain(client->session);
}
