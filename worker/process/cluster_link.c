#include "cluster_link.h"

#include <stdio.h>

#include "breakers.h"
#include "log.h"
#include "redis.h"
#include "sequence.h"
#include "totals.h"

static void
set_state(struct runtime *rt, enum redis_state state)
{
	atomic_store(&rt->slot->redis, (uint32_t)state);
}

static void
say_degraded(struct runtime *rt, const char *reason)
{
	uint32_t no = 0;
	char where[256];

	if (atomic_compare_exchange_strong(
		&rt->scoreboard->redis_degraded, &no, 1))
		log_warn("redis %s: %s; degraded mode: proxying goes on, "
			 "breakers decide on this host, totals wait, "
			 "/api/count answers 503",
		    redis_url_str(&rt->config->redis.url, where, sizeof(where)),
		    reason);
}

static void
on_up(void *arg)
{
	struct cluster_link *link = arg;
	struct runtime *rt = link->runtime;
	uint32_t yes = 1;

	set_state(rt, REDIS_STATE_UP);
	if (atomic_compare_exchange_strong(
		&rt->scoreboard->redis_degraded, &yes, 0))
		log_info("redis: back, degraded mode is over");
	breakers_on_up(rt->breakers);
	sequence_on_up(rt->sequence);
	totals_flush(rt->totals);
}

static void
on_down(void *arg, const char *reason)
{
	struct cluster_link *link = arg;

	set_state(link->runtime, REDIS_STATE_DOWN);
	runtime_count(link->runtime, SCOREBOARD_REDIS_LOSSES);
	say_degraded(link->runtime, reason);
}

static void
on_unreachable(void *arg, const char *reason)
{
	struct cluster_link *link = arg;

	set_state(link->runtime, REDIS_STATE_DOWN);
	say_degraded(link->runtime, reason);
	sequence_on_unreachable(link->runtime->sequence);
}

static int
open_redis(struct cluster_link *link)
{
	struct runtime *rt = link->runtime;
	struct redis_options options = {
	    .url = rt->config->redis.url,
	    .name = link->name,
	    .scripts = {&breakers_script, &breakers_peek_script, &totals_script,
		&sequence_script},
	    .script_count = 4,
	    .on_up = on_up,
	    .on_down = on_down,
	    .on_unreachable = on_unreachable,
	    .arg = link,
	};

	if (!rt->config->redis.enabled)
		return 0;
	snprintf(link->name, sizeof(link->name), "drover-worker-%u",
	    runtime_number(rt));
	set_state(rt, REDIS_STATE_DOWN);
	link->redis = redis_new(rt->loop, rt->resolver, &options);
	return link->redis != NULL ? 0 : -1;
}

int
cluster_link_open(struct cluster_link *link, struct runtime *rt)
{
	char who[32];
	struct breakers_options options = {
	    .loop = rt->loop,
	    .resolver = rt->resolver,
	    .config = rt->config,
	    .scoreboard = rt->scoreboard,
	    .who = who,
	};

	link->runtime = rt;
	if (open_redis(link) == -1)
		return -1;
	snprintf(who, sizeof(who), "worker %u", runtime_number(rt));
	options.redis = link->redis;
	rt->breakers = breakers_new(&options);
	rt->totals = totals_new(
	    rt->loop, link->redis, rt->config, rt->scoreboard, rt->index);
	rt->sequence = sequence_new(
	    rt->loop, link->redis, rt->config, rt->scoreboard, rt->index);
	return rt->breakers != NULL && rt->totals != NULL &&
		       rt->sequence != NULL
		   ? 0
		   : -1;
}

void
cluster_link_close(struct cluster_link *link)
{
	/* Not opened: the worker could not start. */
	if (link->runtime == NULL)
		return;
	totals_free(link->runtime->totals);
	sequence_free(link->runtime->sequence);
	breakers_free(link->runtime->breakers);
	/* For a probe that was given back just now. */
	redis_flush(link->redis);
	redis_free(link->redis);
}
