#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_SUFFIX "_ns"

/* Upper bounds of the histograms that we show, as text too: 0.0025 and not
 * 0.0025000000000000001. */
static const struct {
	uint64_t ns;
	const char *text;
} bounds[] = {
    {1000000, "0.001"},
    {2500000, "0.0025"},
    {5000000, "0.005"},
    {10000000, "0.01"},
    {25000000, "0.025"},
    {50000000, "0.05"},
    {100000000, "0.1"},
    {250000000, "0.25"},
    {500000000, "0.5"},
    {1000000000, "1"},
    {2500000000, "2.5"},
    {5000000000, "5"},
    {10000000000, "10"},
};

struct page {
	FILE *f;
	const struct instance *instance;
	const struct scoreboard *sb;
	uint64_t now_ns;
};

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void
header(struct page *p, const char *name, const char *type, const char *help)
{
	fprintf(p->f, "# HELP drover_%s %s\n# TYPE drover_%s %s\n", name, help,
	    name, type);
}

/* A gauge or counter with one sample per worker; value() gives it. */
static void
per_worker(struct page *p, const char *name, const char *type, const char *help,
    double (*value)(const struct page *p, const struct scoreboard_slot *slot))
{
	header(p, name, type, help);
	for (unsigned i = 0; i < p->instance->workers; i++)
		fprintf(p->f, "drover_%s{worker=\"%u\"} %.9g\n", name, i + 1,
		    value(p, &p->sb->slots[i]));
}

static double
is_ready(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return atomic_load(&slot->state) == SLOT_READY;
}

static double
uptime(const struct page *p, const struct scoreboard_slot *slot)
{
	uint64_t started_ns = atomic_load(&slot->started_ns);

	if (!scoreboard_slot_is_live(slot) || started_ns > p->now_ns)
		return 0;
	return seconds(p->now_ns - started_ns);
}

/* What a dead worker left in its gauges is not true any more. */
static double
gauge(const struct scoreboard_slot *slot, uint64_t value)
{
	return scoreboard_slot_is_live(slot) ? (double)value : 0;
}

static double
connections(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return gauge(slot, atomic_load(&slot->connections));
}

static double
in_flight(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return gauge(slot, atomic_load(&slot->in_flight));
}

static double
rss(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return gauge(slot, atomic_load(&slot->rss_bytes));
}

static double
buffers(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return gauge(slot, atomic_load(&slot->buffers));
}

static double
busy(const struct page *p, const struct scoreboard_slot *slot)
{
	return gauge(slot, scoreboard_busy_ns(slot, p->now_ns)) / 1e9;
}

static double
redis_up(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return scoreboard_slot_is_live(slot) &&
	       atomic_load(&slot->redis) == REDIS_STATE_UP;
}

static double
starts(const struct page *p, const struct scoreboard_slot *slot)
{
	(void)p;
	return (double)atomic_load(&slot->generation);
}

static double
deaths(const struct page *p, const struct scoreboard_slot *slot)
{
	return (double)p->instance->deaths->by_slot[slot - p->sb->slots];
}

static void
build_info(struct page *p)
{
	header(p, "build_info", "gauge", "Who this is; always 1");
	/* Names are [A-Za-z0-9._-]+, so nothing needs a backslash. */
	fprintf(p->f,
	    "drover_build_info{version=\"%s\",instance=\"%s\",cluster=\"%s\"} "
	    "1\n",
	    INSTANCE_VERSION, p->instance->config->instance,
	    p->instance->config->cluster);
	header(p, "uptime_seconds", "gauge", "Since the master started");
	fprintf(p->f, "drover_uptime_seconds %.3f\n",
	    seconds(p->now_ns - p->sb->started_ns));
	header(p, "workers", "gauge", "Workers that there should be");
	fprintf(p->f, "drover_workers %u\n", p->instance->workers);
}

static void
states(struct page *p)
{
	header(p, "worker_state", "gauge", "1 for the state that it is in");
	for (unsigned i = 0; i < p->instance->workers; i++) {
		uint32_t is = atomic_load(&p->sb->slots[i].state);

		for (uint32_t state = SLOT_STARTING; state <= SLOT_DEAD;
		    state++)
			fprintf(p->f,
			    "drover_worker_state{worker=\"%u\",state=\"%s\"} "
			    "%d\n",
			    i + 1, slot_state_str(state), state == is);
	}
}

static void
gauges(struct page *p)
{
	per_worker(
	    p, "worker_up", "gauge", "1 while the worker serves", is_ready);
	states(p);
	per_worker(p, "worker_uptime_seconds", "gauge",
	    "Since the worker was forked", uptime);
	per_worker(p, "worker_starts_total", "counter",
	    "Times the worker was forked", starts);
	per_worker(p, "worker_deaths_total", "counter",
	    "Times the worker died unasked", deaths);
	per_worker(p, "connections", "gauge", "Client connections open now",
	    connections);
	per_worker(p, "requests_in_flight", "gauge",
	    "Requests being answered now", in_flight);
	per_worker(p, "worker_resident_memory_bytes", "gauge",
	    "Resident set size", rss);
	per_worker(p, "buffers_in_use", "gauge",
	    "Blocks of 65 KiB that connections hold now", buffers);
	per_worker(p, "event_loop_busy_seconds", "gauge",
	    "For how long the loop has been in its present iteration", busy);
	if (p->instance->config->redis.enabled)
		per_worker(p, "redis_up", "gauge",
		    "1 while the worker is connected to Redis", redis_up);
}

/* Prometheus wants seconds: "x_ns" is shown as "x_seconds_total". */
static bool
total_name(enum scoreboard_total which, char *name, size_t cap)
{
	const char *raw = scoreboard_total_str(which);
	size_t len = strlen(raw), suffix = strlen(NS_SUFFIX);
	bool is_ns = len > suffix && strcmp(raw + len - suffix, NS_SUFFIX) == 0;

	snprintf(name, cap, "%.*s%s_total", (int)(is_ns ? len - suffix : len),
	    raw, is_ns ? "_seconds" : "");
	return is_ns;
}

static void
total(struct page *p, enum scoreboard_total which)
{
	char name[128];
	bool is_ns = total_name(which, name, sizeof(name));

	header(p, name, "counter", scoreboard_total_help(which));
	for (unsigned i = 0; i < p->instance->workers; i++) {
		uint64_t n = atomic_load(&p->sb->slots[i].totals[which]);

		fprintf(p->f, "drover_%s{worker=\"%u\"} ", name, i + 1);
		if (is_ns)
			fprintf(p->f, "%.9f\n", seconds(n));
		else
			fprintf(p->f, "%" PRIu64 "\n", n);
	}
}

static void
one_histogram(struct page *p, const char *name, unsigned worker,
    const struct histogram *h)
{
	uint64_t count;

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		fprintf(p->f,
		    "drover_%s_bucket{worker=\"%u\",le=\"%s\"} %" PRIu64 "\n",
		    name, worker, bounds[i].text,
		    histogram_count_upto(h, bounds[i].ns));
	/* Counted last: it can't be less than what the bounds had. */
	count = histogram_count(h);
	fprintf(p->f,
	    "drover_%s_bucket{worker=\"%u\",le=\"+Inf\"} %" PRIu64 "\n"
	    "drover_%s_sum{worker=\"%u\"} %.9f\n"
	    "drover_%s_count{worker=\"%u\"} %" PRIu64 "\n",
	    name, worker, count, name, worker, seconds(histogram_sum(h)), name,
	    worker, count);
}

static void
histograms(struct page *p)
{
	header(p, "event_loop_delay_seconds", "histogram",
	    "How long one iteration of the loop kept the others waiting");
	for (unsigned i = 0; i < p->instance->workers; i++)
		one_histogram(p, "event_loop_delay_seconds", i + 1,
		    &p->sb->slots[i].delay);
	header(p, "event_loop_lateness_seconds", "histogram",
	    "How late the loop woke for a timer: stopped, throttled, starved");
	for (unsigned i = 0; i < p->instance->workers; i++)
		one_histogram(p, "event_loop_lateness_seconds", i + 1,
		    &p->sb->slots[i].lateness);
}

static uint64_t
service_in_flight(const struct page *p, size_t service)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->instance->workers; i++)
		if (scoreboard_slot_is_live(&p->sb->slots[i]))
			sum += atomic_load(
			    &p->sb->slots[i].service_in_flight[service]);
	return sum;
}

static void
services(struct page *p)
{
	const struct config *c = p->instance->config;
	char name[128];

	if (c->service_count == 0)
		return;
	for (int which = 0; which < SCOREBOARD_SERVICE_TOTAL_COUNT; which++) {
		snprintf(name, sizeof(name), "%s_total",
		    scoreboard_service_total_str(which));
		header(
		    p, name, "counter", scoreboard_service_total_help(which));
		for (size_t i = 0; i < c->service_count; i++)
			fprintf(p->f, "drover_%s{service=\"%s\"} %" PRIu64 "\n",
			    name, c->services[i].name,
			    scoreboard_service_sum(p->sb, i, which));
	}
	header(p, "service_requests_in_flight", "gauge",
	    "Requests that the service is answering now");
	for (size_t i = 0; i < c->service_count; i++)
		fprintf(p->f,
		    "drover_service_requests_in_flight{service=\"%s\"} %" PRIu64
		    "\n",
		    c->services[i].name, service_in_flight(p, i));
	header(p, "service_breaker_state", "gauge",
	    "Circuit breaker: 0 closed, 1 open, 2 half-open");
	for (size_t i = 0; i < c->service_count; i++)
		fprintf(p->f,
		    "drover_service_breaker_state{service=\"%s\"} %u\n",
		    c->services[i].name,
		    (unsigned)instance_breaker(p->instance, i));
}

char *
metrics_page(const struct instance *instance, uint64_t now_ns, size_t *len)
{
	struct page p = {NULL, instance, instance->scoreboard, now_ns};
	char *text = NULL;

	p.f = open_memstream(&text, len);
	if (p.f == NULL)
		return NULL;
	build_info(&p);
	gauges(&p);
	for (int i = 0; i < SCOREBOARD_TOTAL_COUNT; i++)
		total(&p, i);
	histograms(&p);
	services(&p);
	if (fclose(p.f) == 0)
		return text;
	free(text);
	return NULL;
}
