/* count - /api/count: a number that no other request of the cluster gets. */
#include <jansson.h>

#include "handler.h"
#include "reply.h"
#include "sequence.h"

struct count {
	struct request *request;
	struct sequence_wait wait;
};

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

	if (ok)
		reply_number(c->request, number, "redis");
	else
		reply_error(c->request->stream, 503,
		    "the counter is in Redis, which is away or refuses");
}

/* The way that does not scale, for comparison: each process counts alone.
 * Numbers repeat, and begin at 1 in a new worker. */
static void
count_in_memory(struct request *request)
{
	static uint64_t count;

	reply_number(request, ++count, "memory");
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	const struct head *head = r->stream->head;
	struct count *c = state;

	*c = (struct count){.request = r};
	if (slice_is(head_query(head, "state"), "memory")) {
		count_in_memory(r);
		return STAGE_DONE;
	}
	sequence_take(r->runtime->sequence, &c->wait, on_number, c);
	return STAGE_DONE;
}

static void
end(struct request *r, void *state)
{
	struct count *c = state;

	(void)r;
	sequence_cancel(&c->wait);
}

const struct stage count_stage = {
    .name = "count",
    .handler = CONFIG_HANDLER_COUNT,
    .state_bytes = sizeof(struct count),
    .begin = begin,
    .end = end,
};
