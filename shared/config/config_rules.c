#include "config_rules.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_expand.h"
#include "config_match.h"
#include "text.h"

struct rules {
	struct config *config;
	const struct config_yaml *root;
	struct config_report *report;
};

/* A key path from a format; p has room for CONFIG_PATH_MAX. */
__attribute__((format(printf, 2, 3))) static const char *
path(char *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p, CONFIG_PATH_MAX, fmt, ap);
	va_end(ap);
	return p;
}

static bool
is_clean(const struct rules *r, const char *key)
{
	return config_report_is_clean(r->report, key);
}

__attribute__((format(printf, 3, 4))) static void
fail(const struct rules *r, const char *key, const char *fmt, ...)
{
	char what[CONFIG_LINE_MAX];
	va_list ap;

	if (!is_clean(r, key))
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	config_report_fault(
	    r->report, config_yaml_line(r->root, key), key, "%s", what);
}

/* What is written there, expanded; NULL when that is nothing. */
static char *
written(const struct rules *r, const char *key)
{
	const struct config_yaml *node = config_yaml_find(r->root, key);
	char why[CONFIG_EXPAND_WHY_MAX], *text;

	if (node == NULL || node->kind != CONFIG_YAML_SCALAR ||
	    config_yaml_is_null(node))
		return NULL;
	text = config_expand(node->text, why);
	if (text != NULL && text[0] != '\0')
		return text;
	free(text);
	return NULL;
}

/* ---- the process ---- */

/* The host's name, made to fit what an instance may be called. A buffer that
 * is too short for it would get none of it. */
static void
default_instance(const struct rules *r)
{
	char host[HOST_NAME_MAX + 1], name[CONFIG_NAME_MAX + 1];
	char why[CONFIG_WHY_MAX];

	if (r->config->instance != NULL || !is_clean(r, "instance"))
		return;
	if (gethostname(host, sizeof(host)) == -1 || host[0] == '\0')
		snprintf(host, sizeof(host), "drover");
	snprintf(name, sizeof(name), "%.*s", CONFIG_NAME_MAX, host);
	for (char *at = name; *at != '\0'; at++) {
		char one[2] = {*at, '\0'};

		if (!config_value_is_name(one))
			*at = '-';
	}
	if (!config_value_copy(name, &r->config->instance, why))
		fail(r, "instance", "%s", why);
}

static void
check_client(const struct rules *r)
{
	struct config *c = r->config;
	char *target, max[24];

	if (c->client.target_bytes <= c->client.header_bytes ||
	    !is_clean(r, "client"))
		return;
	target = written(r, "client.target");
	/* Who makes heads shorter than the default need not say this too. */
	if (target == NULL)
		c->client.target_bytes = c->client.header_bytes;
	else
		fail(r, "client.target", "`%.60s` is not from 256 to %s",
		    target, config_value_size_str(c->client.header_bytes, max));
	free(target);
}

static void
check_event_loop(const struct rules *r)
{
	const struct config *c = r->config;

	if (c->event_loop.kill_after_us != 0 && is_clean(r, "event_loop") &&
	    c->event_loop.kill_after_us < c->event_loop.stall_threshold_us)
		fail(r, "event_loop.kill_after",
		    "is shorter than stall_threshold; write 0 for never");
}

/* Is the address taken by one of the first count? */
static bool
is_taken(const struct config *c, size_t count, const struct sock_addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (c->listen[i].text != NULL &&
		    sock_addr_equal(&c->listen[i].addr, addr))
			return true;
	return false;
}

static void
check_accept(const struct rules *r, struct config_listen *l, const char *key)
{
	char *accept;

	if (l->addr.sa.sa_family != AF_UNIX ||
	    l->accept == CONFIG_ACCEPT_SHARED)
		return;
	accept = written(r, key);
	if (accept != NULL)
		fail(r, key, "a unix socket can only be `shared`");
	l->accept = CONFIG_ACCEPT_SHARED;
	free(accept);
}

static void
check_listen(const struct rules *r)
{
	struct config *c = r->config;
	char p[CONFIG_PATH_MAX];

	for (size_t i = 0; i < c->listen_count; i++) {
		struct config_listen *l = &c->listen[i];

		l->line = config_yaml_line(
		    r->root, path(p, "listen[%zu].address", i));
		if (l->text != NULL && is_taken(c, i, &l->addr))
			fail(r, p, "`%.120s` is listed twice", l->text);
		check_accept(r, l, path(p, "listen[%zu].accept", i));
	}
	if (c->admin.enabled && is_taken(c, c->listen_count, &c->admin.addr))
		fail(r, "admin.address", "`%.120s` is already in `listen`",
		    c->admin.text);
}

static void
check_redis(const struct rules *r)
{
	struct config *c = r->config;
	bool has_url =
	    c->redis.url.host[0] != '\0' || c->redis.url.path[0] != '\0';
	const struct config_yaml *redis = config_yaml_find(r->root, "redis");
	const struct config_yaml *url = config_yaml_find(r->root, "redis.url");

	c->redis.enabled = has_url || c->redis.spawn;
	if (redis == NULL || !is_clean(r, "redis"))
		return;
	if ((url == NULL || config_yaml_is_null(url)) && !c->redis.spawn)
		fail(r, "redis.url", "is missing; give it, or spawn: true");
	if (has_url && c->redis.spawn)
		fail(r, "redis.url",
		    "is given, and so is `spawn: true`; keep one");
}

/* ---- services ---- */

/* Both are lists of texts, at most 1024. */
static void
check_endpoints(const struct rules *r, size_t i)
{
	const struct config_service *s = &r->config->services[i];
	char p[CONFIG_PATH_MAX];

	for (size_t j = 1; j < s->endpoint_count; j++) {
		const char *text = s->endpoints[j].text;

		for (size_t k = 0; k < j && text != NULL; k++)
			if (s->endpoints[k].text != NULL &&
			    strcmp(s->endpoints[k].text, text) == 0)
				fail(r,
				    path(p, "services[%zu].endpoints[%zu]", i,
					j),
				    "`%.120s` is listed twice", text);
	}
}

static void
check_hash(const struct rules *r, size_t i)
{
	char p[CONFIG_PATH_MAX], *hash;

	if (r->config->services[i].policy == CONFIG_POLICY_CONSISTENT_HASH ||
	    !is_clean(r, path(p, "services[%zu].policy", i)))
		return;
	hash = written(r, path(p, "services[%zu].hash", i));
	if (hash != NULL)
		fail(r, p, "only goes with `policy: consistent_hash`");
	free(hash);
}

/* The index of the first service of that name, or -1. */
static int
find_service(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->service_count; i++)
		if (c->services[i].name != NULL &&
		    strcmp(c->services[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void
check_services(const struct rules *r)
{
	const struct config *c = r->config;
	char p[CONFIG_PATH_MAX];

	for (size_t i = 0; i < c->service_count; i++) {
		const char *name = c->services[i].name;
		int first = name != NULL ? find_service(c, name) : (int)i;

		if (first != (int)i)
			fail(r, path(p, "services[%zu].name", i),
			    "`%s` is also the name of services[%d]", name,
			    first);
		check_endpoints(r, i);
		check_hash(r, i);
	}
}

/* ---- routes ---- */

static void
fail_service(const struct rules *r, const char *key, const char *name)
{
	const struct config *c = r->config;
	char known[CONFIG_LINE_MAX / 2], p[CONFIG_PATH_MAX];
	struct text t;

	/* The one that is meant may be there, but for another fault. */
	if (!is_clean(r, "services") && c->service_count == 0)
		return;
	text_init(&t, known, sizeof(known) - 1);
	for (size_t i = 0; i < c->service_count; i++) {
		if (!is_clean(r, path(p, "services[%zu].name", i)))
			return;
		text_addf(&t, "%s%s", i == 0 ? "" : ", ", c->services[i].name);
	}
	known[t.len] = '\0';
	fail(r, key, "there is no service `%.64s`; known: %s", name,
	    t.len == 0 ? "none" : known);
}

static void
check_target(const struct rules *r, struct config_route *route, size_t i)
{
	int targets = (route->service_name != NULL) +
		      (route->handler != CONFIG_HANDLER_NONE) +
		      (route->respond.status != 0);
	char p[CONFIG_PATH_MAX];

	route->has_respond = route->respond.status != 0;
	route->service = -1;
	path(p, "routes[%zu]", i);
	if (targets == 0)
		fail(r, p, "needs one of `service`, `handler` or `respond`");
	if (targets > 1)
		fail(r, p,
		    "has several of `service`, `handler` and `respond`; "
		    "keep one");
	if (route->service_name != NULL) {
		route->service = find_service(r->config, route->service_name);
		if (route->service == -1)
			fail_service(r, path(p, "routes[%zu].service", i),
			    route->service_name);
	} else if (route->rewrite != NULL &&
		   is_clean(r, path(p, "routes[%zu].service", i))) {
		fail(r, path(p, "routes[%zu].rewrite", i),
		    "only goes with a `service`");
	}
	if ((route->respond.status == 204 || route->respond.status == 304) &&
	    route->respond.json != NULL && route->respond.json[0] != '\0')
		fail(r, path(p, "routes[%zu].respond.json", i),
		    "a response %u has no body", route->respond.status);
}

static void
check_matches(const struct rules *r, const struct config_match *m, size_t count,
    const char *list)
{
	char p[CONFIG_PATH_MAX + 16];

	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i && m[i].name != NULL; j++)
			if (m[j].name != NULL &&
			    strcmp(m[i].name, m[j].name) == 0)
				fail(r, path(p, "%s[%zu]", list, i),
				    "`%.120s` is listed twice", m[i].name);
}

static void
check_unique(const struct rules *r, size_t i)
{
	const struct config_route *routes = r->config->routes;
	char p[CONFIG_PATH_MAX], q[CONFIG_PATH_MAX];

	for (size_t j = 0; j < i; j++)
		if (routes[i].path != NULL && routes[j].path != NULL &&
		    strcmp(routes[i].path, routes[j].path) == 0 &&
		    config_match_equal(&routes[i], &routes[j]) &&
		    is_clean(r, path(q, "routes[%zu]", i)) &&
		    is_clean(r, path(q, "routes[%zu]", j)))
			fail(r, path(p, "routes[%zu].path", i),
			    "`%s` is also the path of routes[%zu], and what "
			    "they ask for is the same",
			    routes[i].path, j);
}

/* The index of a route's series, which is a new one if none has its path and
 * service. */
static unsigned
find_series(struct config *c, const struct config_route *route)
{
	size_t i;

	for (i = 1; i < c->series_count; i++)
		if (c->series[i].service == route->service &&
		    strcmp(c->series[i].path, route->path) == 0)
			return (unsigned)i;
	c->series[i] = (struct config_series){route->path, route->service};
	c->series_count++;
	return (unsigned)i;
}

static void
make_series(const struct rules *r)
{
	struct config *c = r->config;

	c->series = calloc(c->route_count + 1, sizeof(*c->series));
	if (c->series == NULL) {
		fail(r, "routes", "no memory");
		return;
	}
	c->series[0] = (struct config_series){"", -1};
	c->series_count = 1;
	for (size_t i = 0; i < c->route_count; i++)
		/* One without a path has a fault, and is not used. */
		if (c->routes[i].path != NULL)
			c->routes[i].series = find_series(c, &c->routes[i]);
}

static void
check_routes(const struct rules *r)
{
	struct config *c = r->config;
	char p[CONFIG_PATH_MAX];

	for (size_t i = 0; i < c->route_count; i++) {
		struct config_route *route = &c->routes[i];

		check_matches(r, route->headers, route->header_count,
		    path(p, "routes[%zu].headers", i));
		check_matches(r, route->query, route->query_count,
		    path(p, "routes[%zu].query", i));
		check_target(r, route, i);
		check_unique(r, i);
	}
	if (c->route_count == 0 && !config_report_has_faults(r->report))
		config_report_warn(r->report,
		    config_yaml_line(r->root, "routes"), "routes",
		    "there are none, so every request gets a 404");
	make_series(r);
}

void
config_rules_apply(struct config *c, const struct config_yaml *root,
    struct config_report *report)
{
	const struct rules r = {c, root, report};

	default_instance(&r);
	check_client(&r);
	check_event_loop(&r);
	check_listen(&r);
	check_redis(&r);
	check_services(&r);
	check_routes(&r);
	c->lines.state_dir = config_yaml_line(root, "state_dir");
	c->lines.user = config_yaml_line(root, "user");
	c->lines.access = config_yaml_line(root, "log.access");
	c->lines.admin = config_yaml_line(root, "admin.address");
	c->lines.spawn = config_yaml_line(root, "redis.spawn");
}
