/* count - /api/count: a number that no other request of the cluster gets. */
#include <stdlib.h>

#include <jansson.h>

#include "handler.h"
#include "tickets.h"

struct count {
	struct task task; /* first: it is a task */
	struct client *client;
	struct ticket ticket;
};

static void
abort_count(struct task *task)
{
	struct count *c = (struct count *)task;

	tickets_cancel(&c->ticket);
	loop_bury(c->client->runtime->loop, c, free);
}

static const struct task_ops ops = {.abort = abort_count};

static void
reply_number(struct client *client, uint64_t number, const char *state)
{
	json_t *json = handler_identity(client->runtime);

	if (json != NULL) {
		json_object_set_new(
		    json, "count", json_integer((json_int_t)number));
		json_object_set_new(json, "state", json_string(state));
	}
	handler_reply(client, 200, json);
}

static void
on_number(void *arg, bool ok, uint64_t number)
{
	struct count *c = arg;
	struct client *client = c->client;

	client_end_task(client);
	loop_bury(client->runtime->loop, c, free);
	if (ok)
		reply_number(client, number, "redis");
	else
		session_reply_error(client->session, 503,
		    "the counter is in Redis, which is away or refuses");
}

/* The way that does not scale, to show it: each process counts for itself,
 * so numbers repeat, and start anew when a worker does. */
static void
count_in_memory(struct client *client)
{
	static uint64_t count;

	reply_number(client, ++count, "memory");
}

void
count_start(struct client *client)
{
	struct runtime *rt = client->runtime;
	const struct message *m = session_request(client->session);
	struct count *c;

	if (slice_is(message_query(m, "state"), "memory")) {
		count_in_memory(client);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		session_reply_error(client->session, 503, "out of memory");
		return;
	}
	c->task.ops = &ops;
	c->client = client;
	client_begin_task(client, &c->task);
	tickets_take(rt->tickets, &c->ticket, on_number, c);
}
