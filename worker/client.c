#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_log.h"
#include "exchange.h"
#include "handler.h"
#include "log.h"
#include "respond.h"
#include "route.h"

/* For the access log only: nginx's "client closed request". */
#define CLIENT_GONE_STATUS 499

LIST_HEAD(client_list, client);

struct clients {
	struct worker *worker;
	struct client_list list;
	unsigned count;
	struct session_limits limits;
	struct session_context context;
};

struct client *
client_of(struct session *s)
{
	return session_arg(s);
}

void
client_begin_task(struct client *client, struct task *task)
{
	CHECK(client->task == NULL);
	client->task = task;
}

void
client_end_task(struct client *client)
{
	client->task = NULL;
}

static void
abort_task(struct client *client)
{
	struct task *task = client->task;

	client->task = NULL;
	if (task != NULL)
		task->ops->abort(task);
}

/* ---- a request ---- */

/* "GET /path?query", cut to what fits: for the access log. */
static size_t
note_line(struct client *client, const struct message *m)
{
	struct text line;
	size_t room;

	text_init(&line, client->line, sizeof(client->line) - 1);
	text_add_str(&line, message_method(m));
	text_add(&line, " ", 1);
	room = line.cap - line.len;
	text_add(&line, m->path.at, m->path.len < room ? m->path.len : room);
	line.data[line.len] = '\0';
	return line.len;
}

/* What the worker is on, for whoever watches it stall: without the query,
 * which is nobody's business in a log. Who blocked this iteration keeps the
 * blame: the delay is logged at its end. */
static void
note_activity(struct worker *w, const char *line, size_t len)
{
	struct scoreboard_slot *slot = w->slot;
	const char *query = memchr(line, '?', len);

	if (w->blocked_us == loop_now_us(w->loop))
		return;
	if (query != NULL)
		len = (size_t)(query - line);
	if (len > SCOREBOARD_ACTIVITY_MAX)
		len = SCOREBOARD_ACTIVITY_MAX;
	memcpy(slot->activity, line, len);
	atomic_store_explicit(
	    &slot->activity_len, (uint32_t)len, memory_order_release);
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
	CHECK(!text_is_full(&t));
	allow[t.len] = '\0';
	session_reply(
	    s, 405, "application/json", allow, body, sizeof(body) - 1);
}

static void
on_request(struct session *s)
{
	struct client *client = client_of(s);
	struct worker *w = client->worker;
	const struct message *m = session_request(s);
	const struct config_route *route;
	enum route_result found;
	uint64_t methods;

	worker_count(w, SCOREBOARD_REQUESTS);
	scoreboard_gauge(&w->slot->in_flight, 1);
	client->counted = true;
	note_activity(w, client->line, note_line(client, m));
	found = route_find(w->routes, m, &route, &methods);
	if (found == ROUTE_NO_METHOD)
		refuse_method(s, methods);
	else if (found == ROUTE_NONE)
		session_reply_error(s, 404, "no route for this path");
	else if (route->service >= 0)
		exchange_start(client, route);
	else if (route->has_respond)
		respond_start(client, &route->respond);
	else
		handler_start(client, route->handler);
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

static void
count_response(struct worker *w, unsigned status)
{
	static const enum scoreboard_total totals[] = {SCOREBOARD_RESPONSES_2XX,
	    SCOREBOARD_RESPONSES_2XX, SCOREBOARD_RESPONSES_2XX,
	    SCOREBOARD_RESPONSES_3XX, SCOREBOARD_RESPONSES_4XX,
	    SCOREBOARD_RESPONSES_5XX};

	worker_count(w, totals[status < 600 ? status / 100 : 5]);
}

static void
on_response_end(struct session *s, bool complete)
{
	struct client *client = client_of(s);
	struct worker *w = client->worker;

	/* The session refused the request in mid-body: the task is off. */
	abort_task(client);
	if (!client->counted) {
		/* Not even a request: answered by the session itself. */
		worker_count(w, SCOREBOARD_REQUESTS);
		snprintf(client->line, sizeof(client->line), "-");
	} else {
		client->counted = false;
		scoreboard_gauge(&w->slot->in_flight, -1);
	}
	if (session_request(s)->error != MESSAGE_NONE)
		worker_count(w, SCOREBOARD_BAD_REQUESTS);
	count_response(w, session_status(s));
	if (w->access_log != NULL)
		access_log_add(w->access_log, s, client->line,
		    session_status(s), complete);
}

static void
on_close(struct session *s, enum session_close reason)
{
	struct client *client = client_of(s);
	struct worker *w = client->worker;

	(void)reason;
	if (client->task != NULL)
		worker_count(w, SCOREBOARD_CLIENT_ABORTS);
	abort_task(client);
	if (client->counted) {
		/* Gone before its answer began. */
		scoreboard_gauge(&w->slot->in_flight, -1);
		if (w->access_log != NULL)
			access_log_add(w->access_log, s, client->line,
			    CLIENT_GONE_STATUS, false);
	}
	LIST_REMOVE(client, entry);
	w->clients->count--;
	scoreboard_gauge(&w->slot->connections, -1);
	loop_bury(w->loop, client, free);
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
clients_new(struct worker *w)
{
	struct clients *clients = calloc(1, sizeof(*clients));
	const struct config *c = w->config;

	if (clients == NULL)
		return NULL;
	clients->worker = w;
	LIST_INIT(&clients->list);
	clients->limits = (struct session_limits){
	    .message = {c->client.header_bytes, c->client.target_bytes,
		c->client.body_bytes},
	    .header_timeout_us = c->client.header_timeout_us,
	    .body_timeout_us = c->client.body_timeout_us,
	    .send_timeout_us = c->client.send_timeout_us,
	    .keep_alive_us = c->client.keep_alive_us,
	};
	clients->context = (struct session_context){
	    .loop = w->loop,
	    .buffers = w->buffers,
	    .ops = &ops,
	    .limits = &clients->limits,
	    .arg = clients,
	    .bytes_in = &w->slot->totals[SCOREBOARD_BYTES_IN],
	    .bytes_out = &w->slot->totals[SCOREBOARD_BYTES_OUT],
	};
	return clients;
}

void
clients_free(struct clients *clients)
{
	struct client *client, *next;

	if (clients == NULL)
		return;
	LIST_FOREACH_SAFE(client, &clients->list, entry, next)
	session_close(client->session, SESSION_CLOSE_DRAINED);
	loop_bury(clients->worker->loop, clients, free);
}

unsigned
clients_count(const struct clients *clients)
{
	return clients->count;
}

void
clients_accept(struct clients *clients, int fd, const struct sock_addr *peer)
{
	struct worker *w = clients->worker;
	struct client *client = NULL;

	if (clients->count < w->config->client.connections)
		client = calloc(1, sizeof(*client));
	if (client == NULL) {
		close(fd);
		worker_count(w, SCOREBOARD_REFUSED);
		return;
	}
	client->worker = w;
	client->session = session_open(&clients->context, fd, peer);
	if (client->session == NULL) {
		free(client);
		worker_count(w, SCOREBOARD_REFUSED);
		return;
	}
	session_set_arg(client->session, client);
	LIST_INSERT_HEAD(&clients->list, client, entry);
	clients->count++;
	worker_count(w, SCOREBOARD_ACCEPTED);
	scoreboard_gauge(&w->slot->connections, 1);
}

void
clients_drain(struct clients *clients)
{
	struct client *client, *next;

	clients->context.draining = true;
	LIST_FOREACH_SAFE(client, &clients->list, entry, next)
	session_drain(client->session);
}
