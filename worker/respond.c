#include "respond.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define RANDOM_MARK "{{random}}"

/* An answer that waits for its delay to pass. */
struct respond {
	struct task task; /* first: it is a task */
	struct request *request;
	const struct config_respond *config;
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
		session_reply_error(
		    request->session, 503, "failing on purpose (fail_percent)");
		return;
	}
	b = buffer_get(rt->buffers);
	if (b == NULL) {
		session_reply_error(request->session, 503, "out of memory");
		return;
	}
	text_init(&body, b->data, BUFFER_BYTES);
	fill_in(&body, config->json);
	/* That it fits was checked with the configuration. */
	if (CONFINED(!text_is_full(&body), "an answer of %zu bytes of JSON",
		strlen(config->json)))
		session_reply(request->session, config->status,
		    "application/json", NULL, body.data, body.len);
	else
		session_cut(request->session);
	buffer_put(rt->buffers, b);
}

static void
on_timer(void *arg)
{
	struct respond *r = arg;
	struct request *request = r->request;

	request_end_task(request);
	loop_bury(request->runtime->loop, r, free);
	answer(request, r->config);
}

static void
abort_respond(struct task *task)
{
	struct respond *r = (struct respond *)task;
	struct loop *loop = r->request->runtime->loop;

	loop_timer_clear(loop, &r->timer);
	loop_bury(loop, r, free);
}

static const struct task_ops ops = {.abort = abort_respond};

void
respond_start(struct request *request, const struct config_respond *config)
{
	struct respond *r;

	if (config->delay_us == 0) {
		answer(request, config);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		session_reply_error(request->session, 503, "out of memory");
		return;
	}
	r->task.ops = &ops;
	r->request = request;
	r->config = config;
	timer_init(&r->timer, on_timer, r);
	request_begin_task(request, &r->task);
	loop_timer_after(request->runtime->loop, &r->timer, config->delay_us);
}
