#include "respond.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "reply.h"
#include "request.h"

#define RANDOM_MARK "{{random}}"

/* A response that waits for its delay to pass. */
struct respond {
	struct request *request;
	struct timer timer;
};

static void
add_random(struct text *t)
{
	char digits[16];
	uint64_t n;

	arc4random_buf(&n, sizeof(n));
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] = "0123456789abcdef"[(n >> (4 * i)) & 15];
	text_add(t, digits, sizeof(digits));
}

static void
fill_in(struct text *t, const char *json)
{
	const char *mark;

	while ((mark = strstr(json, RANDOM_MARK)) != NULL) {
		text_add(t, json, (size_t)(mark - json));
		add_random(t);
		json = mark + strlen(RANDOM_MARK);
	}
	text_add_str(t, json);
}

static void
answer(struct request *request, const struct config_respond *config)
{
	struct runtime *rt = request->runtime;
	struct buffer *b;
	struct text body;

	if (arc4random_uniform(100) < config->fail_percent) {
		reply_error(
		    request->stream, 503, "failing on purpose (fail_percent)");
		return;
	}
	b = buffer_get(rt->buffers);
	if (b == NULL) {
		reply_error(request->stream, 503, "out of memory");
		return;
	}
	text_init(&body, b->data, BUFFER_BYTES);
	fill_in(&body, config->json);
	/* The configuration's check made sure of the size. */
	if (CONFINED(!text_is_full(&body), "an answer of %zu bytes of JSON",
		strlen(config->json)))
		reply_send(
		    request->stream, &(struct reply){.status = config->status,
					 .type = "application/json",
					 .body = body.data,
					 .len = body.len});
	else
		stream_cut(request->stream);
	buffer_put(rt->buffers, b);
}

static void
on_timer(void *arg)
{
	struct respond *respond = arg;

	answer(respond->request, &respond->request->route->respond);
}

static bool
is_for(const struct config_route *route)
{
	return route != NULL && route->has_respond;
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct respond *respond = state;
	const struct config_respond *config = &r->route->respond;

	respond->request = r;
	timer_init(&respond->timer, on_timer, respond);
	if (config->delay_us == 0)
		answer(r, config);
	else
		loop_timer_after(
		    r->runtime->loop, &respond->timer, config->delay_us);
	return STAGE_DONE;
}

static void
end(struct request *r, void *state)
{
	struct respond *respond = state;

	loop_timer_clear(r->runtime->loop, &respond->timer);
}

const struct stage respond_stage = {
    .name = "respond",
    .is_for = is_for,
    .state_bytes = sizeof(struct respond),
    .begin = begin,
    .end = end,
};
