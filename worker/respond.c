#include "respond.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define RANDOM_MARK "{{random}}"

/* An answer that waits for its delay to pass. */
struct respond {
	struct task task; /* first: it is a task */
	struct client *client;
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
answer(struct client *client, const struct config_respond *config)
{
	struct runtime *rt = client->runtime;
	struct buffer *b;
	struct text body;

	if (arc4random_uniform(100) < config->fail_percent) {
		session_reply_error(
		    client->session, 503, "failing on purpose (fail_percent)");
		return;
	}
	b = buffer_get(rt->buffers);
	if (b == NULL) {
		session_reply_error(client->session, 503, "out of memory");
		return;
	}
	text_init(&body, b->data, BUFFER_BYTES);
	fill_in(&body, config->json);
	/* That it fits was checked with the configuration. */
	if (CONFINED(!text_is_full(&body), "an answer of %zu bytes of JSON",
		strlen(config->json)))
		session_reply(client->session, config->status,
		    "application/json", NULL, body.data, body.len);
	else
		session_cut(client->session);
	buffer_put(rt->buffers, b);
}

static void
on_timer(void *arg)
{
	struct respond *r = arg;
	struct client *client = r->client;

	client_end_task(client);
	loop_bury(client->runtime->loop, r, free);
	answer(client, r->config);
}

static void
abort_respond(struct task *task)
{
	struct respond *r = (struct respond *)task;
	struct loop *loop = r->client->runtime->loop;

	loop_timer_clear(loop, &r->timer);
	loop_bury(loop, r, free);
}

static const struct task_ops ops = {.abort = abort_respond};

void
respond_start(struct client *client, const struct config_respond *config)
{
	struct respond *r;

	if (config->delay_us == 0) {
		answer(client, config);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		session_reply_error(client->session, 503, "out of memory");
		return;
	}
	r->task.ops = &ops;
	r->client = client;
	r->config = config;
	timer_init(&r->timer, on_timer, r);
	client_begin_task(client, &r->task);
	loop_timer_after(client->runtime->loop, &r->timer, config->delay_us);
}
