#include "instance_json.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "stall.h"

#define NS_SUFFIX "_ns"
#define KEY_MAX 64

static double
ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static json_int_t
integer(uint64_t n)
{
	return (json_int_t)n;
}

static json_t *
delay_json(const struct histogram *h)
{
	return json_pack("{s:f, s:f, s:f, s:f}", "p50Ms",
	    ms(histogram_quantile(h, 0.5)), "p90Ms",
	    ms(histogram_quantile(h, 0.9)), "p99Ms",
	    ms(histogram_quantile(h, 0.99)), "maxMs", ms(histogram_max(h)));
}

/* How long the worker has stood still by now; 0: no stall. */
static uint64_t
stalled_ns(const struct instance *instance, const struct scoreboard_slot *slot,
    uint64_t now_ns)
{
	struct stall_limits limits = stall_limits_of(instance->config);
	struct stall_facts facts = stall_facts_of(slot, now_ns);
	uint64_t busy_ns = scoreboard_busy_ns(slot, now_ns);

	if (!scoreboard_slot_is_live(slot))
		return 0;
	if (busy_ns != 0)
		return busy_ns > limits.threshold_ns ? busy_ns : 0;
	return stall_silent_ns(&limits, &facts);
}

static void
add_live(json_t *worker, const struct instance *instance,
    const struct scoreboard_slot *slot, uint64_t now_ns)
{
	uint64_t started_ns = atomic_load(&slot->started_ns);
	uint64_t stalled = stalled_ns(instance, slot, now_ns);
	char activity[SCOREBOARD_ACTIVITY_MAX];

	json_object_set_new(worker, "uptime",
	    json_real(started_ns < now_ns ? seconds(now_ns - started_ns) : 0));
	json_object_set_new(worker, "connections",
	    json_integer(atomic_load(&slot->connections)));
	json_object_set_new(
	    worker, "inFlight", json_integer(atomic_load(&slot->in_flight)));
	json_object_set_new(worker, "rssBytes",
	    json_integer(integer(atomic_load(&slot->rss_bytes))));
	json_object_set_new(
	    worker, "buffers", json_integer(atomic_load(&slot->buffers)));
	json_object_set_new(worker, "redis",
	    json_string(redis_state_str(atomic_load(&slot->redis))));
	json_object_set_new(worker, "stalledMs", json_real(ms(stalled)));
	if (stalled == 0)
		return;
	scoreboard_activity(slot, activity);
	/* json_string() returns NULL for text that is not UTF-8. */
	json_object_set_new(worker, "on",
	    activity[0] != '\0' ? json_string(activity) : json_null());
}

static json_t *
worker_json(const struct instance *instance, unsigned i, uint64_t now_ns)
{
	const struct scoreboard_slot *slot = &instance->scoreboard->slots[i];
	json_t *worker = json_pack("{s:i, s:i, s:s, s:I, s:I, s:I}", "pid",
	    (int)atomic_load(&slot->pid), "worker", (int)i + 1, "state",
	    slot_state_str(atomic_load(&slot->state)), "generation",
	    integer(atomic_load(&slot->generation)), "requests",
	    integer(atomic_load(&slot->totals[SCOREBOARD_REQUESTS])), "deaths",
	    integer(instance->deaths->by_slot[i]));

	if (worker == NULL)
		return NULL;
	json_object_set_new(worker, "eventLoopDelay", delay_json(&slot->delay));
	if (scoreboard_slot_is_live(slot))
		add_live(worker, instance, slot, now_ns);
	return worker;
}

static json_t *
service_json(const struct instance *instance, size_t i)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "name",
	    instance->config->services[i].name, "breaker",
	    breaker_state_str(instance_breaker(instance, i)), "requests",
	    integer(scoreboard_service_sum(
		instance->scoreboard, i, SCOREBOARD_SERVICE_REQUESTS)),
	    "failures",
	    integer(scoreboard_service_sum(
		instance->scoreboard, i, SCOREBOARD_SERVICE_FAILURES)),
	    "rejected",
	    integer(scoreboard_service_sum(
		instance->scoreboard, i, SCOREBOARD_SERVICE_REJECTED)));
}

static json_t *
death_json(const struct death *death)
{
	char cause[DEATHS_CAUSE_MAX], when[32];
	struct tm tm;
	json_t *json;

	gmtime_r(&death->when, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json = json_pack("{s:i, s:i, s:s, s:f, s:i, s:s}", "pid",
	    (int)death->pid, "worker", (int)death->slot + 1, "cause",
	    deaths_cause(death->wait_status, cause), "uptime",
	    (double)death->uptime_us / 1e6, "inFlight", (int)death->in_flight,
	    "when", when);
	if (json == NULL)
		return NULL;
	json_object_set_new(json, "on",
	    death->activity[0] != '\0' ? json_string(death->activity)
				       : json_null());
	return json;
}

/* The key of a total's name: "bad_requests" is badRequests, "busy_ns" busyMs.
 */
static bool
total_key(const char *name, char *key, size_t cap)
{
	size_t name_len = strlen(name), suffix = strlen(NS_SUFFIX), len = 0;
	bool is_ns = name_len > suffix &&
		     strcmp(name + name_len - suffix, NS_SUFFIX) == 0;

	if (is_ns)
		name_len -= suffix;
	for (size_t i = 0; i < name_len && len + 1 < cap; i++)
		if (name[i] != '_')
			key[len++] = i > 0 && name[i - 1] == '_' &&
					     name[i] >= 'a' && name[i] <= 'z'
					 ? (char)(name[i] - 'a' + 'A')
					 : name[i];
	key[len] = '\0';
	if (is_ns)
		strlcat(key, "Ms", cap);
	return is_ns;
}

static json_t *
totals_json(const struct scoreboard *sb)
{
	json_t *totals = json_object();

	for (int i = 0; i < SCOREBOARD_TOTAL_COUNT; i++) {
		char key[KEY_MAX];
		bool is_ns =
		    total_key(scoreboard_total_str(i), key, sizeof(key));
		uint64_t sum = scoreboard_sum(sb, i);

		json_object_set_new(totals, key,
		    is_ns ? json_real(ms(sum)) : json_integer(integer(sum)));
	}
	return totals;
}

char *
instance_json(const struct instance *instance, uint64_t now_ns)
{
	const struct scoreboard *sb = instance->scoreboard;
	json_t *workers = json_array(), *services = json_array();
	json_t *deaths = json_array(), *root;
	const struct death *death;
	char *text;

	for (unsigned i = 0; i < instance->workers; i++)
		json_array_append_new(
		    workers, worker_json(instance, i, now_ns));
	for (size_t i = 0; i < instance->config->service_count; i++)
		json_array_append_new(services, service_json(instance, i));
	for (size_t i = 0; (death = deaths_get(instance->deaths, i)); i++)
		json_array_append_new(deaths, death_json(death));
	root = json_pack("{s:i, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:o}", "pid",
	    (int)getpid(), "instance", instance->config->instance, "cluster",
	    instance->config->cluster, "version", INSTANCE_VERSION, "uptime",
	    seconds(now_ns - sb->started_ns), "workers", workers, "services",
	    services, "deaths", deaths, "totals", totals_json(sb));
	if (root == NULL)
		return NULL;
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(root);
	return text;
}
