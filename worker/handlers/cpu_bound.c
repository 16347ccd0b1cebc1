/*
 * cpu_bound - /api/cpu-bound: work that keeps a processor busy, to show how a
 * blocked event loop delays other requests.
 *
 * ?ms=N is the time in milliseconds (3000; 60000 at most). The work runs on the
 * loop and blocks the worker. With ?offload=true the work runs in a thread.
 */
#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "clock.h"
#include "handler.h"
#include "offload.h"
#include "reply.h"

#define DEFAULT_MS 3000
#define MAX_MS 60000
#define NS_PER_MS 1000000

struct cpu_bound {
	struct request *request; /* NULL: gone meanwhile */
	struct loop *loop;
	struct offload_job job;
	uint64_t ms;
	uint64_t took_ns;
	uint64_t result;
};

/* A linear congruential generator: nothing a compiler can leave out. */
static void
burn(struct cpu_bound *c, const _Atomic bool *stopping)
{
	uint64_t start_ns = clock_ns();
	uint64_t until_ns = start_ns + c->ms * NS_PER_MS;
	uint64_t now_ns = start_ns;
	uint64_t x = 1;

	while (now_ns < until_ns && (stopping == NULL || !*stopping)) {
		for (int i = 0; i < 1000; i++)
			x = x * 6364136223846793005u + 1442695040888963407u;
		now_ns = clock_ns();
	}
	c->took_ns = now_ns - start_ns;
	c->result = x;
}

static void
reply(struct request *request, const struct cpu_bound *c, bool offloaded)
{
	json_t *json = handler_identity(request->runtime);
	json_t *more = json_pack("{s:I, s:f, s:b, s:o}", "ms",
	    (json_int_t)c->ms, "durationMs", (double)c->took_ns / NS_PER_MS,
	    "offloaded", offloaded, "result",
	    json_sprintf("%016llx", (unsigned long long)c->result));

	if (json != NULL)
		json_object_update(json, more);
	json_decref(more);
	handler_reply(request, 200, json);
}

static struct cpu_bound *
of_job(struct offload_job *job)
{
	return (
	    struct cpu_bound *)((char *)job - offsetof(struct cpu_bound, job));
}

static void
run_job(struct offload_job *job, const _Atomic bool *stopping)
{
	burn(of_job(job), stopping);
}

static void
job_done(struct offload_job *job)
{
	struct cpu_bound *c = of_job(job);

	if (c->request != NULL)
		reply(c->request, c, true);
	loop_bury(c->loop, c, free);
}

/* NULL: too many are under way, or no memory. */
static struct cpu_bound *
submit(struct request *request, uint64_t ms)
{
	struct cpu_bound *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->request = request;
	c->loop = request->runtime->loop;
	c->ms = ms;
	c->job.run = run_job;
	c->job.done = job_done;
	if (!offload_submit(request->runtime->offload, &c->job)) {
		free(c);
		return NULL;
	}
	return c;
}

/* -1: not a permitted number of milliseconds. */
static int
parse_ms(struct slice text, uint64_t *ms)
{
	*ms = 0;
	if (text.len == 0 || text.len > 5)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		*ms = *ms * 10 + (uint64_t)(text.at[i] - '0');
	}
	return *ms <= MAX_MS ? 0 : -1;
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct runtime *rt = r->runtime;
	const struct head *head = r->stream->head;
	struct slice ms_text = head_query(head, "ms");
	struct cpu_bound c = {.ms = DEFAULT_MS};
	struct cpu_bound **job = state;

	*job = NULL;
	if (ms_text.at != NULL && parse_ms(ms_text, &c.ms) == -1) {
		reply_error(
		    r->stream, 400, "ms must be a number from 0 to 60000");
		return STAGE_DONE;
	}
	if (slice_is(head_query(head, "offload"), "true")) {
		*job = submit(r, c.ms);
		if (*job == NULL)
			reply_error(
			    r->stream, 503, "too many jobs are under way");
		return STAGE_DONE;
	}
	/* Earlier responses need not wait for the block's end. */
	outbox_send(rt->outbox);
	endings_settle_now(&rt->endings);
	burn(&c, NULL);
	rt->blocked_us = loop_now_us(rt->loop);
	reply(r, &c, false);
	return STAGE_DONE;
}

/* The thread goes on to its end; the result is dropped. */
static void
end(struct request *r, void *state)
{
	struct cpu_bound **job = state;

	(void)r;
	if (*job != NULL)
		(*job)->request = NULL;
	*job = NULL;
}

const struct stage cpu_bound_stage = {
    .name = "cpu_bound",
    .handler = CONFIG_HANDLER_CPU_BOUND,
    .state_bytes = sizeof(struct cpu_bound *),
    .begin = begin,
    .end = end,
};
