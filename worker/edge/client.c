#include "client.h"

#include <sys/queue.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reply.h"
#include "h1.h"

/* With all places taken, the search for an idle connection looks at so many of
 * the oldest. */
#define EVICT_LOOKS 64

#define SECOND_US UINT64_C(1000000)

/* A connection. */
struct client {
	TAILQ_ENTRY(client) entry;
	struct clients *all;
	struct h1 *h1;
	struct request *request; /* NULL: none, it is idle */
	bool closing;            /* h1_is_closing(): all is said */
};

TAILQ_HEAD(client_list, client);

struct clients {
	struct runtime *runtime;
	struct requests *requests;
	struct client_list list;
	unsigned count;
	unsigned closing; /* included in count, but their places are free */
	char keep_alive_text[32];
	struct h1_limits limits;
	struct h1_context context;
};

/* ---- a connection ---- */

static void
on_request(struct h1 *s)
{
	struct client *client = h1_arg(s);

	client->request = request_new(client->all->requests, h1_stream(s));
	if (client->request != NULL)
		request_start(client->request);
	else
		reply_error(h1_stream(s), 503, "out of memory for requests");
}

static void
on_refusal(struct h1 *s)
{
	struct client *client = h1_arg(s);

	requests_name_refusal(client->all->requests, h1_stream(s));
}

static void
on_body(struct h1 *s, const struct stream_piece *piece)
{
	struct client *client = h1_arg(s);

	if (client->request != NULL)
		request_on_body(client->request, piece);
}

static void
on_drained(struct h1 *s)
{
	struct client *client = h1_arg(s);

	if (client->request != NULL)
		request_on_drained(client->request);
}

static void
on_left(struct h1 *s)
{
	struct client *client = h1_arg(s);

	if (client->request != NULL)
		request_on_left(client->request);
}

static void
on_response_end(struct h1 *s, bool complete)
{
	struct client *client = h1_arg(s);
	struct clients *clients = client->all;
	struct request *request = client->request;

	if (complete) {
		/* A client that has seen the response's end may connect again
		 * before on_close(): its place must be free. */
		client->closing = h1_is_closing(s);
		clients->closing += client->closing;
		client->request = NULL;
	}
	request_on_response_end(
	    clients->requests, h1_stream(s), request, complete);
}

static void
on_close(struct h1 *s, enum stream_end reason)
{
	struct client *client = h1_arg(s);
	struct clients *clients = client->all;

	if (client->request != NULL)
		request_on_close(client->request, reason);
	TAILQ_REMOVE(&clients->list, client, entry);
	clients->count--;
	clients->closing -= client->closing;
	counter_gauge(&clients->runtime->slot->connections, -1);
	loop_bury(clients->runtime->loop, client, free);
}

static void
describe(struct h1 *s, char *text, size_t cap)
{
	struct client *client = h1_arg(s);

	if (client->request != NULL)
		request_describe(client->request, text, cap);
}

static const struct h1_ops ops = {
    .on_request = on_request,
    .on_refusal = on_refusal,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_left = on_left,
    .on_response_end = on_response_end,
    .on_close = on_close,
    .describe = describe,
};

/* ---- all connections ---- */

struct clients *
clients_new(struct runtime *rt, struct requests *requests)
{
	struct clients *clients = calloc(1, sizeof(*clients));
	const struct config *c = rt->config;

	if (clients == NULL)
		return NULL;
	clients->runtime = rt;
	clients->requests = requests;
	TAILQ_INIT(&clients->list);
	/* Whole seconds; a client must not think a short time to be none. */
	if (c->client.keep_alive_us >= SECOND_US)
		snprintf(clients->keep_alive_text,
		    sizeof(clients->keep_alive_text), "timeout=%" PRIu64,
		    c->client.keep_alive_us / SECOND_US);
	clients->limits = (struct h1_limits){
	    .parser = {c->client.header_bytes, c->client.target_bytes,
		c->client.body_bytes},
	    .path = c->client.path,
	    .section = "client",
	    .header_timeout_us = c->client.header_timeout_us,
	    .body_timeout_us = c->client.body_timeout_us,
	    .body_rate = c->client.body_rate,
	    .send_timeout_us = c->client.send_timeout_us,
	    .keep_alive_us = c->client.keep_alive_us,
	    .keep_alive_text = clients->keep_alive_text[0] != '\0'
				   ? clients->keep_alive_text
				   : NULL,
	    .max_age_us = c->client.max_age_us,
	    .max_requests = c->client.max_requests,
	    .has_lifetime =
		c->client.max_age_us != 0 || c->client.max_requests != 0,
	};
	clients->context = (struct h1_context){
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
	h1_close(client->h1, STREAM_END_DRAINED);
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
		if (h1_is_idle(client->h1)) {
			h1_close(client->h1, STREAM_END_EVICTED);
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
	client->all = clients;
	client->h1 = h1_open(&clients->context, fd, peer);
	if (client->h1 == NULL) {
		free(client);
		runtime_count(rt, SCOREBOARD_REFUSED);
		return;
	}
	h1_set_arg(client->h1, client);
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
	h1_drain(client->h1);
}
