#include "config_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_route.h"

static void
check_pool(struct config_value *v, const struct config_raw_pool *raw,
    struct config_service *s)
{
	static const struct config_raw_pool none;
	size_t mark = config_value_enter(v, "pool");

	if (raw == NULL)
		raw = &none;
	s->pool.connections = config_value_number(v, "connections",
	    raw->connections, (struct config_value_range){"500", 1, 100000});
	s->pool.queue = config_value_number(v, "queue", raw->queue,
	    (struct config_value_range){"5000", 0, 1000000});
	s->pool.queue_timeout_us =
	    config_value_duration(v, "queue_timeout", raw->queue_timeout, "5s");
	s->pool.idle_us = config_value_duration(v, "idle", raw->idle, "4s");
	config_value_leave(v, mark);
}

static void
check_timeouts(struct config_value *v, const struct config_raw_timeouts *raw,
    struct config_service *s)
{
	static const struct config_raw_timeouts none;
	size_t mark = config_value_enter(v, "timeouts");

	if (raw == NULL)
		raw = &none;
	s->timeouts.connect_us =
	    config_value_duration(v, "connect", raw->connect, "10s");
	s->timeouts.send_us =
	    config_value_duration(v, "send", raw->send, "60s");
	s->timeouts.read_us =
	    config_value_duration(v, "read", raw->read, "60s");
	config_value_leave(v, mark);
}

static void
check_health(struct config_value *v, const struct config_raw_health *raw,
    struct config_service *s)
{
	size_t mark = config_value_enter(v, "health");

	if (raw != NULL) {
		s->health.path = config_route_path(v, "path", raw->path);
		if (s->health.path == NULL)
			config_value_fail(v, "path", "is empty; write /health");
		s->health.interval_us =
		    config_value_duration(v, "interval", raw->interval, "2s");
		s->health.timeout_us =
		    config_value_duration(v, "timeout", raw->timeout, "1s");
		s->health.rise = config_value_number(v, "rise", raw->rise,
		    (struct config_value_range){"2", 1, 100});
		s->health.fall = config_value_number(v, "fall", raw->fall,
		    (struct config_value_range){"3", 1, 100});
	}
	config_value_leave(v, mark);
}

static void
check_breaker(struct config_value *v, const struct config_raw_breaker *raw,
    struct config_service *s)
{
	size_t mark = config_value_enter(v, "breaker");

	if (raw != NULL) {
		s->breaker.failures = config_value_number(v, "failures",
		    raw->failures, (struct config_value_range){"3", 0, 60});
		s->breaker.window_us =
		    config_value_duration(v, "window", raw->window, "10s");
		s->breaker.open_for_us =
		    config_value_duration(v, "open_for", raw->open_for, "10s");
	}
	config_value_leave(v, mark);
}

static uint16_t
port_of(const struct sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port
					      : addr->in.sin_port;
}

/* An endpoint is somewhere to connect to: no wildcard, no port 0. */
static bool
parse_endpoint(struct config_endpoint *e)
{
	if (sock_addr_parse(&e->addr, e->text) == 0)
		return e->text[0] != '*' && (e->addr.sa.sa_family == AF_UNIX ||
						port_of(&e->addr) != 0);
	e->is_name = sock_name_parse(&e->name, e->text) == 0;
	return e->is_name && e->name.port != 0;
}

static void
check_endpoints(struct config_value *v, const struct config_raw_service *raw,
    struct config_service *s)
{
	struct config_endpoint *e;
	char key[32];

	s->endpoints = calloc(raw->endpoints_count, sizeof(*s->endpoints));
	if (s->endpoints == NULL) {
		config_value_fail(v, "endpoints", "no memory");
		return;
	}
	s->endpoint_count = raw->endpoints_count;
	for (size_t i = 0; i < s->endpoint_count; i++) {
		e = &s->endpoints[i];
		snprintf(key, sizeof(key), "endpoints[%zu]", i);
		e->text = config_value_required(v, key, raw->endpoints[i]);
		if (e->text != NULL && !parse_endpoint(e))
			config_value_fail(v, key,
			    "`%.120s` is not host:port, [v6]:port or "
			    "unix:/path",
			    e->text);
		for (size_t j = 0; j < i && e->text != NULL; j++)
			if (s->endpoints[j].text != NULL &&
			    strcmp(s->endpoints[j].text, e->text) == 0)
				config_value_fail(v, key,
				    "`%.120s` is listed twice", e->text);
	}
}

static void
check_service(struct config_value *v, const struct config_raw_service *raw,
    struct config_service *s)
{
	const char *const policies[] = {
	    config_policy_str(CONFIG_POLICY_ROUND_ROBIN),
	    config_policy_str(CONFIG_POLICY_LEAST_CONN),
	};

	s->name = config_value_name(v, "name", raw->name, NULL);
	if (s->name == NULL)
		config_value_fail(v, "name", "is empty; a name is required");
	check_endpoints(v, raw, s);
	s->policy =
	    (enum config_policy)config_value_choice(v, "policy", raw->policy,
		(struct config_value_choice){
		    policies, 2, CONFIG_POLICY_ROUND_ROBIN});
	s->resolve_us = config_value_duration(v, "resolve", raw->resolve, "1s");
	s->retries = config_value_number(v, "retries", raw->retries,
	    (struct config_value_range){"1", 0, 10});
	check_pool(v, raw->pool, s);
	check_timeouts(v, raw->timeouts, s);
	check_health(v, raw->health, s);
	check_breaker(v, raw->breaker, s);
}

static void
check_unique(struct config_value *v, const struct config *c, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (c->services[i].name != NULL &&
		    c->services[j].name != NULL &&
		    strcmp(c->services[i].name, c->services[j].name) == 0)
			config_value_fail(v, "name",
			    "`%s` is also the name of services[%zu]",
			    c->services[i].name, j);
}

void
config_service_check(
    struct config_value *v, const struct config_raw *raw, struct config *c)
{
	size_t mark;

	if (raw->services_count == 0)
		return;
	c->services = calloc(raw->services_count, sizeof(*c->services));
	if (c->services == NULL) {
		config_value_fail(v, "services", "no memory");
		return;
	}
	c->service_count = raw->services_count;
	for (size_t i = 0; i < c->service_count; i++) {
		mark = config_value_enter_item(v, "services", i);
		check_service(v, &raw->services[i], &c->services[i]);
		check_unique(v, c, i);
		config_value_leave(v, mark);
	}
}
