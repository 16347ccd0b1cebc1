/* count - /api/count: a number that no other request of the cluster gets. */
#include <stdlib.h>

#include <jansson.h>

#include "handler.h"
#include "tickets.h"

struct count {
	struct task task; /* first: it is a task */
	struct request *request;
	struct ticket ticket;
};

static void
abort_count(struct task *task)
{
	struct count *c = (struct count *)task;

	tickets_cancel(&c->ticket);
	loop_bury(c->request->runtime->loop, c, free);
}

static const struct task_ops ops = {.abort = abort_count};

static void
reply_number(struct request *request, uint64_t number, const char *state)
{
	json_t *json = handler_identity(request->runtime);

	if (json != NULL) {
		json_object_set_new(
		    json, "count", json_integer((json_int_t)number));
		json_object_set_new(json, "state", json_string(state));
	}
	handler_reply(request, 200, json);
}

static void
on_number(void *arg, bool ok, uint64_t number)
{
	struct count *c = arg;
	struct request *request = c->request;

	request_end_task(request);
	loop_bury(request->runtime->loop, c, free);
	if (ok)
		reply_number(request, number, "redis");
	else
		session_reply_error(request->session, 503,
		    "the counter is in Redis, which is away or refuses");
}

/* The way that does not scale, to show it: each process counts for itself,
 * so numbers repeat, and start anew when a worker does. */
static void
count_in_memory(struct request *request)
{
	static uint64_t count;

	reply_number(request, ++count, "memory");
}

void
count_start(struct request *request)
{
	struct runtime *rt = request->runtime;
	const struct message *m = session_request(request->session);
	struct count *c;

	if (slice_is(message_query(m, "state"), "memory")) {
		count_in_memory(request);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		session_reply_error(request->session, 503, "out of memory");
		return;
	}
	c->task.ops = &ops;
	c->request = request;
	request_begin_task(request, &c->task);
	tickets_take(rt->tickets, &c->ticket, on_number, c);
}
