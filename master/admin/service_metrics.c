#include "service_metrics.h"

#include <inttypes.h>

#include "exposition.h"

#define REQUESTS "drover_request_duration_seconds"

/* ---- requests ---- */

static const char *
service_name(const struct config *c, int service)
{
	return service >= 0 ? c->services[service].name : "";
}

static void
sum_requests(const struct instance *instance, size_t histogram,
    struct exposition_durations *sum)
{
	*sum = (struct exposition_durations){.sum_us = 0};
	for (unsigned i = 0; i < instance->workers; i++)
		exposition_add(sum,
		    scoreboard_requests(instance->scoreboard, i) + histogram);
}

static void
one_series(FILE *f, const struct instance *instance, size_t series)
{
	const struct config *c = instance->config;
	const struct config_series *s = &c->series[series];
	char route[EXPOSITION_VALUE_MAX];
	char labels[EXPOSITION_VALUE_MAX + CONFIG_NAME_MAX + 64];
	struct exposition_durations sum;

	exposition_value(route, s->path);
	for (size_t code = 0; code < SCOREBOARD_CODE_COUNT; code++) {
		sum_requests(
		    instance, series * SCOREBOARD_CODE_COUNT + code, &sum);
		/* Most routes never have most of the codes. */
		if (exposition_count(&sum) == 0)
			continue;
		snprintf(labels, sizeof(labels),
		    "service=\"%s\",route=\"%s\",code=\"%s\"",
		    service_name(c, s->service), route,
		    scoreboard_code_str((enum scoreboard_code)code));
		exposition_durations(f, REQUESTS, labels, &sum);
	}
}

static void
requests(FILE *f, const struct instance *instance)
{
	exposition_family(f, REQUESTS, "histogram",
	    "From a request's head to the end of the response, rounded out to "
	    "whole iterations of the event loop");
	for (size_t i = 0; i < instance->config->series_count; i++)
		one_series(f, instance, i);
}

/* ---- services ---- */

static void
waits(FILE *f, const struct instance *instance, enum scoreboard_wait wait)
{
	const struct config *c = instance->config;
	char name[64], labels[CONFIG_NAME_MAX + 16];

	snprintf(name, sizeof(name), "drover_%s", scoreboard_wait_str(wait));
	exposition_family(f, name, "histogram", scoreboard_wait_help(wait));
	for (size_t i = 0; i < c->service_count; i++) {
		struct exposition_durations sum = {.sum_us = 0};

		for (unsigned k = 0; k < instance->workers; k++)
			exposition_add(&sum,
			    &instance->scoreboard->slots[k].waits[i][wait]);
		snprintf(labels, sizeof(labels), "service=\"%s\"",
		    c->services[i].name);
		exposition_durations(f, name, labels, &sum);
	}
}

static uint64_t
in_flight(const struct instance *instance, size_t service)
{
	const struct scoreboard *sb = instance->scoreboard;
	uint64_t sum = 0;

	for (unsigned i = 0; i < instance->workers; i++)
		if (scoreboard_slot_is_live(&sb->slots[i]))
			sum += atomic_load(
			    &sb->slots[i].service_in_flight[service]);
	return sum;
}

static void
services(FILE *f, const struct instance *instance)
{
	const struct config *c = instance->config;
	char name[128];

	for (int which = 0; which < SCOREBOARD_SERVICE_TOTAL_COUNT; which++) {
		snprintf(name, sizeof(name), "drover_%s_total",
		    scoreboard_service_total_str(which));
		exposition_family(
		    f, name, "counter", scoreboard_service_total_help(which));
		for (size_t i = 0; i < c->service_count; i++)
			fprintf(f, "%s{service=\"%s\"} %" PRIu64 "\n", name,
			    c->services[i].name,
			    scoreboard_service_sum(
				instance->scoreboard, i, which));
	}
	exposition_family(f, "drover_service_requests_in_flight", "gauge",
	    "Requests that the service is answering now");
	for (size_t i = 0; i < c->service_count; i++)
		fprintf(f,
		    "drover_service_requests_in_flight{service=\"%s\"} %" PRIu64
		    "\n",
		    c->services[i].name, in_flight(instance, i));
	exposition_family(f, "drover_service_breaker_state", "gauge",
	    "Circuit breaker: 0 closed, 1 open, 2 half-open");
	for (size_t i = 0; i < c->service_count; i++)
		fprintf(f, "drover_service_breaker_state{service=\"%s\"} %u\n",
		    c->services[i].name,
		    (unsigned)instance_breaker(instance, i));
}

/* ---- endpoints ---- */

static uint64_t
is_up(const struct member *m, uint64_t now_us)
{
	return member_is_up(m, now_us);
}

static uint64_t
ejections(const struct member *m, uint64_t now_us)
{
	(void)now_us;
	return atomic_load(&m->ejections);
}

/* A sample for each endpoint that at least one worker has. */
static void
per_endpoint(FILE *f, const struct instance *instance, const char *name,
    uint64_t (*value)(const struct member *m, uint64_t now_us), uint64_t now_us)
{
	const struct config *c = instance->config;
	char text[EXPOSITION_VALUE_MAX];

	for (size_t i = 0; i < MEMBERS_MAX; i++) {
		const struct member *m = &instance->scoreboard->members[i];

		if (!member_is_listed(m) || m->service >= c->service_count)
			continue;
		fprintf(f,
		    "drover_endpoint_%s{service=\"%s\",endpoint=\"%s\"} "
		    "%" PRIu64 "\n",
		    name, c->services[m->service].name,
		    exposition_value(text, m->text), value(m, now_us));
	}
}

static void
endpoints(FILE *f, const struct instance *instance, uint64_t now_us)
{
	exposition_family(f, "drover_endpoint_up", "gauge",
	    "0 while checks find the endpoint down or a worker has ejected it");
	per_endpoint(f, instance, "up", is_up, now_us);
	exposition_family(f, "drover_endpoint_ejections_total", "counter",
	    "Ejections by workers: unreachable, or failures in a row");
	per_endpoint(f, instance, "ejections_total", ejections, now_us);
}

void
service_metrics_write(FILE *f, const struct instance *instance, uint64_t now_ns)
{
	requests(f, instance);
	if (instance->config->service_count == 0)
		return;
	for (int i = 0; i < SCOREBOARD_WAIT_COUNT; i++)
		waits(f, instance, i);
	services(f, instance);
	endpoints(f, instance, now_ns / 1000);
}
