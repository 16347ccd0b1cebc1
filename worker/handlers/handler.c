#include "handler.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "check.h"
#include "clock.h"
#include "reply.h"
#include "totals.h"

#define NS_PER_MS 1e6
#define MIB 1048576

json_t *
handler_identity(struct runtime *rt)
{
	return json_pack("{s:i, s:i, s:s}", "pid", (int)getpid(), "worker",
	    (int)runtime_number(rt), "instance", rt->config->instance);
}

void
handler_reply(struct request *request, unsigned status, json_t *json)
{
	char *text = json != NULL ? json_dumps(json,
					JSON_COMPACT | JSON_REAL_PRECISION(12))
				  : NULL;

	if (text != NULL)
		reply_send(request->stream, &(struct reply){.status = status,
						.type = "application/json",
						.no_store = true,
						.body = text,
						.len = strlen(text)});
	else
		reply_error(request->stream, 503, "out of memory");
	free(text);
	json_decref(json);
}

/* ---- health ---- */

static enum stage_verdict
begin_health(struct request *request, void *state)
{
	struct runtime *rt = request->runtime;
	json_t *json = handler_identity(rt);

	(void)state;
	if (json != NULL)
		json_object_set_new(json, "status",
		    json_string(rt->draining ? "draining" : "ok"));
	handler_reply(request, rt->draining ? 503 : 200, json);
	return STAGE_DONE;
}

const struct stage health_stage = {
    .name = "health",
    .handler = CONFIG_HANDLER_HEALTH,
    .begin = begin_health,
};

/* ---- metrics ---- */

static json_t *
megabytes(uint64_t bytes)
{
	return json_sprintf(
	    "%llu MB", (unsigned long long)((bytes + MIB / 2) / MIB));
}

static json_t *
memory_json(const struct scoreboard_slot *slot)
{
	struct mallinfo2 heap = mallinfo2();

	return json_pack("{s:o, s:o, s:o}", "rss",
	    megabytes(atomic_load(&slot->rss_bytes)), "heapTotal",
	    megabytes(heap.arena + heap.hblkhd), "heapUsed",
	    megabytes(heap.uordblks + heap.hblkhd));
}

static json_t *
milliseconds(uint64_t ns)
{
	return json_real((double)ns / NS_PER_MS);
}

static json_t *
delay_json(const struct scoreboard_slot *slot)
{
	const struct histogram *h = &slot->delay;

	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:I}", "p50Ms",
	    milliseconds(histogram_quantile(h, 0.5)), "p90Ms",
	    milliseconds(histogram_quantile(h, 0.9)), "p99Ms",
	    milliseconds(histogram_quantile(h, 0.99)), "maxMs",
	    milliseconds(histogram_max(h)), "warnings",
	    (json_int_t)atomic_load(&slot->totals[SCOREBOARD_DELAY_WARNINGS]),
	    "latenessMaxMs", milliseconds(histogram_max(&slot->lateness)),
	    "lateWakeups",
	    (json_int_t)atomic_load(&slot->totals[SCOREBOARD_LATE_WAKEUPS]));
}

/* Workers of this instance that are blocked at the time of the response. */
static json_t *
stalled_json(struct runtime *rt)
{
	uint64_t now_ns = clock_ns();
	uint64_t threshold_ns =
	    rt->config->event_loop.stall_threshold_us * 1000;
	json_t *list = json_array();

	for (unsigned i = 0; i < rt->scoreboard->slot_count; i++) {
		const struct scoreboard_slot *slot = &rt->scoreboard->slots[i];
		uint64_t busy_ns = scoreboard_busy_ns(slot, now_ns);
		char on[SCOREBOARD_ACTIVITY_MAX];

		if (slot == rt->slot || busy_ns < threshold_ns ||
		    !scoreboard_slot_is_live(slot))
			continue;
		json_array_append_new(
		    list, json_pack("{s:i, s:i, s:o, s:s}", "pid",
			      (int)atomic_load(&slot->pid), "worker",
			      (int)i + 1, "forMs", milliseconds(busy_ns), "on",
			      scoreboard_activity(slot, on)));
	}
	return list;
}

static enum stage_verdict
begin_metrics(struct request *request, void *state)
{
	struct runtime *rt = request->runtime;
	struct scoreboard_slot *slot = rt->slot;
	double uptime_s =
	    (double)(loop_now_us(rt->loop) - rt->started_us) / 1e6;
	json_t *json = handler_identity(rt);
	json_t *more = json_pack("{s:f, s:o, s:I, s:I, s:o, s:i, s:s, s:o}",
	    "uptime", uptime_s, "memory", memory_json(slot), "requestCount",
	    (json_int_t)totals_cluster_requests(rt->totals),
	    "workerRequestCount",
	    (json_int_t)atomic_load(&slot->totals[SCOREBOARD_REQUESTS]),
	    "eventLoopDelay", delay_json(slot), "connections",
	    (int)atomic_load(&slot->connections), "redis",
	    redis_state_str((enum redis_state)atomic_load(&slot->redis)),
	    "stalled", stalled_json(rt));

	(void)state;
	if (json == NULL || more == NULL ||
	    json_object_update(json, more) == -1) {
		json_decref(json);
		json = NULL;
	}
	json_decref(more);
	handler_reply(request, 200, json);
	return STAGE_DONE;
}

const struct stage metrics_stage = {
    .name = "metrics",
    .handler = CONFIG_HANDLER_METRICS,
    .begin = begin_metrics,
};
