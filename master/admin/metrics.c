#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exposition.h"
#include "process.h"
#include "service_metrics.h"

#define NS_SUFFIX "_ns"
#define US_PER_S 1000000
#define MS_PER_S 1000

struct page {
	FILE *f;
	const struct instance *instance;
	const struct scoreboard *sb;
	uint64_t now_ns;
	struct process workers[CONFIG_WORKERS_MAX]; /* the live ones */
};

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void
header(struct page *p, const char *name, const char *type, const char *help)
{
	char whole[160];

	snprintf(whole, sizeof(whole), "drover_%s", name);
	exposition_family(p->f, whole, type, help);
}

/* A gauge or counter with one sample per worker, from value(). */
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

/* The gauges of a dead worker are out of date. */
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
	header(p, "build_info", "gauge", "Names of the gateway; always 1");
	/* Names are [A-Za-z0-9._-]+: no backslash is needed. */
	fprintf(p->f,
	    "drover_build_info{version=\"%s\",instance=\"%s\",cluster=\"%s\"} "
	    "1\n",
	    INSTANCE_VERSION, p->instance->config->instance,
	    p->instance->config->cluster);
	header(p, "uptime_seconds", "gauge", "Since the master started");
	fprintf(p->f, "drover_uptime_seconds %.3f\n",
	    seconds(p->now_ns - p->sb->started_ns));
	header(p, "workers", "gauge", "Workers that the master keeps running");
	fprintf(p->f, "drover_workers %u\n", p->instance->workers);
}

static void
states(struct page *p)
{
	header(p, "worker_state", "gauge", "1 for the worker's state");
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
	    "How long the loop has been in its present iteration", busy);
	if (p->instance->config->redis.enabled)
		per_worker(p, "redis_up", "gauge",
		    "1 while the worker is connected to Redis", redis_up);
}

/* ---- processes ---- */

/* A value that the kernel does not tell is left out: no number would be
 * true. */
static void
of_master(struct page *p, const char *name, const char *type, const char *help,
    uint64_t value)
{
	if (value == PROCESS_UNKNOWN)
		return;
	exposition_family(p->f, name, type, help);
	fprintf(p->f, "%s %" PRIu64 "\n", name, value);
}

/* unit: how many of the value make a second. */
static void
of_master_seconds(struct page *p, const char *name, const char *type,
    const char *help, uint64_t value, uint64_t unit)
{
	if (value == PROCESS_UNKNOWN)
		return;
	exposition_family(p->f, name, type, help);
	fprintf(p->f, "%s %.3f\n", name, (double)value / (double)unit);
}

/* The names are the ones of every Prometheus client. */
static void
master_process(struct page *p)
{
	struct process self;

	process_read(&self, getpid());
	of_master_seconds(p, "process_cpu_seconds_total", "counter",
	    "User and system CPU time of the master", self.cpu_us, US_PER_S);
	of_master(p, "process_resident_memory_bytes", "gauge",
	    "Resident memory of the master", self.resident_bytes);
	of_master(p, "process_virtual_memory_bytes", "gauge",
	    "Virtual memory of the master", self.virtual_bytes);
	of_master(p, "process_open_fds", "gauge",
	    "Open file descriptors of the master", self.open_fds);
	of_master(p, "process_max_fds", "gauge",
	    "File descriptors that the master may open", self.max_fds);
	of_master_seconds(p, "process_start_time_seconds", "gauge",
	    "When the master started, since the epoch", self.started_ms,
	    MS_PER_S);
}

/* The slot's former workers are included. */
static void
worker_cpu(struct page *p)
{
	header(p, "worker_cpu_seconds_total", "counter",
	    "User and system CPU time of the slot's workers");
	for (unsigned i = 0; i < p->instance->workers; i++) {
		uint64_t us = atomic_load(&p->sb->slots[i].past_cpu_us);

		if (p->workers[i].cpu_us != PROCESS_UNKNOWN)
			us += p->workers[i].cpu_us;
		fprintf(p->f,
		    "drover_worker_cpu_seconds_total{worker=\"%u\"} %.3f\n",
		    i + 1, (double)us / US_PER_S);
	}
}

static void
worker_gauge(struct page *p, const char *name, const char *help, size_t offset,
    unsigned unit)
{
	header(p, name, "gauge", help);
	for (unsigned i = 0; i < p->instance->workers; i++) {
		uint64_t value;

		memcpy(&value, (const char *)&p->workers[i] + offset,
		    sizeof(value));
		if (value != PROCESS_UNKNOWN)
			fprintf(p->f, "drover_%s{worker=\"%u\"} %.*f\n", name,
			    i + 1, unit == 1 ? 0 : 3, (double)value / unit);
	}
}

static void
worker_processes(struct page *p)
{
	memset(p->workers, 0xff, sizeof(p->workers));
	for (unsigned i = 0; i < p->instance->workers; i++)
		if (scoreboard_slot_is_live(&p->sb->slots[i]))
			process_read(
			    &p->workers[i], atomic_load(&p->sb->slots[i].pid));
	worker_cpu(p);
	worker_gauge(p, "worker_virtual_memory_bytes", "Virtual memory",
	    offsetof(struct process, virtual_bytes), 1);
	worker_gauge(p, "worker_open_fds", "Open file descriptors",
	    offsetof(struct process, open_fds), 1);
	worker_gauge(p, "worker_max_fds",
	    "File descriptors that the worker may open",
	    offsetof(struct process, max_fds), 1);
	worker_gauge(p, "worker_start_time_seconds",
	    "When the worker was forked, since the epoch",
	    offsetof(struct process, started_ms), MS_PER_S);
}

/* ---- totals and histograms ---- */

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

static bool
is_response(int which)
{
	return which >= SCOREBOARD_RESPONSES_1XX &&
	       which <= SCOREBOARD_RESPONSES_5XX;
}

/* Five totals make one metric. */
static void
responses(struct page *p)
{
	header(p, "responses_total", "counter",
	    "Responses by the class of their status; 1xx: 101 alone");
	for (unsigned i = 0; i < p->instance->workers; i++)
		for (int code = 0; code < SCOREBOARD_CODE_499; code++)
			fprintf(p->f,
			    "drover_responses_total{worker=\"%u\","
			    "class=\"%s\"} %" PRIu64 "\n",
			    i + 1, scoreboard_code_str(code),
			    atomic_load(&p->sb->slots[i]
				    .totals[SCOREBOARD_RESPONSES_1XX + code]));
}

static void
one_histogram(struct page *p, const char *name, unsigned worker,
    const struct histogram *h)
{
	uint64_t count;

	for (unsigned i = 0; i < DURATION_BOUNDS; i++)
		fprintf(p->f,
		    "drover_%s_bucket{worker=\"%u\",le=\"%s\"} %" PRIu64 "\n",
		    name, worker, duration_bounds_str[i],
		    histogram_count_upto(h, duration_bounds_us[i] * 1000));
	/* Counted last: the count can't be less than the buckets' counts. */
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

char *
metrics_page(const struct instance *instance, uint64_t now_ns, size_t *len)
{
	struct page p = {
	    .instance = instance, .sb = instance->scoreboard, .now_ns = now_ns};
	char *text = NULL;

	p.f = open_memstream(&text, len);
	if (p.f == NULL)
		return NULL;
	build_info(&p);
	gauges(&p);
	worker_processes(&p);
	master_process(&p);
	for (int i = 0; i < SCOREBOARD_TOTAL_COUNT; i++)
		if (!is_response(i))
			total(&p, i);
	responses(&p);
	histograms(&p);
	service_metrics_write(p.f, instance, now_ns);
	if (fclose(p.f) == 0)
		return text;
	free(text);
	return NULL;
}
