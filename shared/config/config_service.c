#include "config_service.h"

#include <stdlib.h>
#include <string.h>

#include "config_endpoint.h"
#include "config_route.h"

#define BLANK " \t\r\n"

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
	s->timeouts.tunnel_us =
	    config_value_duration(v, "tunnel", raw->tunnel, "10m");
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

static enum config_policy
read_policy(struct config_value *v, const char *raw)
{
	const char *names[CONFIG_POLICY_CONSISTENT_HASH + 1];
	const int count = CONFIG_POLICY_CONSISTENT_HASH + 1;

	for (int i = 0; i < count; i++)
		names[i] = config_policy_str((enum config_policy)i);
	return (enum config_policy)config_value_choice(v, "policy", raw,
	    (struct config_value_choice){
		names, count, CONFIG_POLICY_ROUND_ROBIN});
}

/* "header X-Tenant": the kind and, except with path, a name inside text. */
static bool
parse_hash(char *text, enum config_hash_on *on, const char **name)
{
	const char *kind = strtok_r(text, BLANK, &text);
	int i = CONFIG_HASH_PATH;

	*name = strtok_r(text, BLANK, &text);
	while (kind != NULL && i <= CONFIG_HASH_QUERY &&
	       strcmp(kind, config_hash_on_str((enum config_hash_on)i)) != 0)
		i++;
	if (kind == NULL || i > CONFIG_HASH_QUERY ||
	    strtok_r(text, BLANK, &text) != NULL)
		return false;
	*on = (enum config_hash_on)i;
	if (*on == CONFIG_HASH_PATH)
		return *name == NULL;
	return *name != NULL && config_value_is_token(*name);
}

static void
check_hash(struct config_value *v, const char *raw, struct config_service *s)
{
	char *text = config_value_text(v, "hash", raw, NULL), *copy;
	const char *name = NULL;

	if (text == NULL)
		return;
	copy = strdup(text);
	if (s->policy != CONFIG_POLICY_CONSISTENT_HASH)
		config_value_fail(
		    v, "hash", "only goes with `policy: consistent_hash`");
	else if (copy != NULL && !parse_hash(copy, &s->hash.on, &name))
		config_value_fail(v, "hash",
		    "`%.120s` is not path, header NAME, cookie NAME or query "
		    "NAME",
		    text);
	else if (name != NULL)
		s->hash.name = strdup(name);
	if (copy == NULL || (name != NULL && s->hash.name == NULL))
		config_value_fail(v, "hash", "no memory");
	/* Headers are looked up in lower case. */
	if (s->hash.name != NULL && s->hash.on == CONFIG_HASH_HEADER)
		config_value_lower(s->hash.name);
	free(copy);
	free(text);
}

static void
check_sticky(struct config_value *v, const struct config_raw_sticky *raw,
    struct config_service *s)
{
	size_t mark = config_value_enter(v, "sticky");

	if (raw != NULL)
		s->sticky_cookie =
		    config_value_text(v, "cookie", raw->cookie, NULL);
	if (s->sticky_cookie != NULL &&
	    !config_value_is_token(s->sticky_cookie))
		config_value_fail(v, "cookie",
		    "`%.120s` is not a cookie's name, such as backend",
		    s->sticky_cookie);
	config_value_leave(v, mark);
}

static void
check_eject(struct config_value *v, const struct config_raw_eject *raw,
    struct config_service *s)
{
	static const struct config_raw_eject none;
	size_t mark = config_value_enter(v, "eject");

	if (raw == NULL)
		raw = &none;
	s->eject.failures = config_value_number(v, "failures", raw->failures,
	    (struct config_value_range){"3", 0, 1000});
	s->eject.for_us = config_value_duration(v, "for", raw->duration, "1s");
	config_value_leave(v, mark);
}

static void
check_service(struct config_value *v, const struct config_raw_service *raw,
    struct config_service *s)
{
	s->name = config_value_name(v, "name", raw->name, NULL);
	if (s->name == NULL)
		config_value_fail(v, "name", "is empty; a name is required");
	config_endpoint_check(v, raw, s);
	s->policy = read_policy(v, raw->policy);
	check_hash(v, raw->hash, s);
	check_sticky(v, raw->sticky, s);
	s->slow_start_us = config_value_duration_or_zero(
	    v, "slow_start", raw->slow_start, "0");
	check_eject(v, raw->eject, s);
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
