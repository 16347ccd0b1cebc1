#include "config_rules.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_health.h"
#include "config_listen.h"
#include "config_match.h"
#include "config_own.h"
#include "config_series.h"
#include "path.h"
#include "text.h"

struct rules {
	struct config *config;
	const struct config_yaml *root;
	struct config_report *report;
	char path[CONFIG_PATH_MAX]; /* of the key in question */
};

/* Makes a key the key in question. True when the key has no fault. */
__attribute__((format(printf, 2, 3))) static bool
at(struct rules *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->path, sizeof(r->path), fmt, ap);
	va_end(ap);
	return config_report_is_clean(r->report, r->path);
}

/* A fault of the key in question. */
#define FAIL(r, ...)                                                           \
	config_report_fault((r)->report,                                       \
	    config_yaml_line((r)->root, (r)->path), (r)->path, __VA_ARGS__)

/* The text of the key in question, expanded by config_read(); NULL if empty. */
static const char *
written(const struct rules *r)
{
	const struct config_yaml *node = config_yaml_find(r->root, r->path);

	if (node == NULL || node->kind != CONFIG_YAML_SCALAR ||
	    node->text[0] == '\0' || config_yaml_is_null(node))
		return NULL;
	return node->text;
}

/* ---- the process ---- */

/* The host's name, cut and cleaned to a valid instance name. gethostname()
 * fails on a buffer shorter than the name. */
static void
default_instance(struct rules *r)
{
	char host[HOST_NAME_MAX + 1], name[CONFIG_NAME_MAX + 1];
	char why[CONFIG_WHY_MAX];

	if (!at(r, "instance") || r->config->instance != NULL)
		return;
	if (gethostname(host, sizeof(host)) == -1 || host[0] == '\0')
		snprintf(host, sizeof(host), "drover");
	snprintf(name, sizeof(name), "%.*s", CONFIG_NAME_MAX, host);
	for (char *c = name; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};

		if (!config_value_is_name(one))
			*c = '-';
	}
	if (!config_value_copy(name, &r->config->instance, why))
		FAIL(r, "%s", why);
}

/* `client.headers` was `client.header`. */
static void
take_older_name(struct rules *r)
{
	struct config *c = r->config;

	if (!at(r, "client.header") || written(r) == NULL)
		return;
	if (at(r, "client.headers") && written(r) != NULL)
		FAIL(r, "is also given as `header`, its older name");
	else
		c->client.header_bytes = c->client.older_bytes;
}

static void
check_client(struct rules *r)
{
	struct config *c = r->config;
	const char *target;
	char max[24];

	take_older_name(r);
	if (!at(r, "client.header") || !at(r, "client.headers") ||
	    !at(r, "client.target") ||
	    c->client.target_bytes <= c->client.header_bytes)
		return;
	target = written(r);
	/* The default target shrinks with the header. */
	if (target == NULL)
		c->client.target_bytes = c->client.header_bytes;
	else
		FAIL(r, "`%.60s` is not from 256 to %s", target,
		    config_value_size_str(c->client.header_bytes, max));
}

static void
check_event_loop(struct rules *r)
{
	const struct config *c = r->config;

	if (at(r, "event_loop.stall_threshold") &&
	    at(r, "event_loop.kill_after") &&
	    c->event_loop.kill_after_us != 0 &&
	    c->event_loop.kill_after_us < c->event_loop.stall_threshold_us)
		FAIL(r, "is shorter than stall_threshold; write 0 for never");
}

/* Refuses an address that one of the first `count` listeners has or includes.
 * wrong: the message when both are the same. */
static void
check_is_free(struct rules *r, size_t count, const struct config_listen *l,
    const char *wrong)
{
	const struct config *c = r->config;

	for (size_t i = 0; i < count; i++) {
		const struct config_listen *other = &c->listen[i];

		if (other->text == NULL || !config_listen_overlaps(other, l))
			continue;
		if (sock_addr_equal(&l->addr, &other->addr))
			FAIL(r, "`%.120s` %s", l->text, wrong);
		else
			FAIL(r, "`%.120s` overlaps with `%.120s`", l->text,
			    other->text);
		return;
	}
}

static void
check_accept(struct rules *r, struct config_listen *l)
{
	if (l->addr.sa.sa_family != AF_UNIX)
		return;
	if (written(r) != NULL && l->accept != CONFIG_ACCEPT_SHARED)
		FAIL(r, "a unix socket can only be `shared`");
	l->accept = CONFIG_ACCEPT_SHARED;
}

static void
check_listen(struct rules *r)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->listen_count; i++) {
		struct config_listen *l = &c->listen[i];

		if (at(r, "listen[%zu].address", i))
			check_is_free(r, i, l, "is listed twice");
		l->line = config_yaml_line(r->root, r->path);
		if (at(r, "listen[%zu].accept", i))
			check_accept(r, l);
		if (at(r, "client.trusted_proxies") &&
		    at(r, "listen[%zu].proxy_protocol", i) &&
		    l->proxy_protocol && c->client.trusted_count == 0)
			FAIL(r, "needs the senders of the header in "
				"`client.trusted_proxies`");
	}
	if (at(r, "admin.address") && c->admin.enabled) {
		const struct config_listen admin = {.addr = c->admin.addr,
		    .dual = c->admin.dual,
		    .text = c->admin.text};

		check_is_free(
		    r, c->listen_count, &admin, "is already in `listen`");
	}
}

static void
check_redis(struct rules *r)
{
	struct config *c = r->config;
	bool has_url =
	    c->redis.url.host[0] != '\0' || c->redis.url.path[0] != '\0';
	const struct config_yaml *url = config_yaml_find(r->root, "redis.url");

	c->redis.enabled = has_url || c->redis.spawn;
	if (config_yaml_find(r->root, "redis") == NULL || !at(r, "redis"))
		return;
	at(r, "redis.url");
	if ((url == NULL || config_yaml_is_null(url)) && !c->redis.spawn)
		FAIL(r, "is missing; give it, or spawn: true");
	if (has_url && c->redis.spawn)
		FAIL(r, "is given, and so is `spawn: true`; keep one");
}

/* ---- services ---- */

/* The index of the first service with the name, or -1. */
static int
find_service(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->service_count; i++)
		if (c->services[i].name != NULL &&
		    strcmp(c->services[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool
has_source_for(const struct config_service *s, const struct sock_addr *to)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i].addr.sa.sa_family == to->sa.sa_family)
			return true;
	return false;
}

/* An endpoint given as an address has a source of its family. A source may come
 * later (an address that moves between hosts), hence a warning. */
static void
check_sources(struct rules *r, const struct config_service *s, size_t i)
{
	for (size_t k = 0; k < s->source_count; k++)
		if (at(r, "services[%zu].source[%zu]", i, k) &&
		    !sock_is_local(&s->sources[k].addr))
			config_report_warn(r->report,
			    config_yaml_line(r->root, r->path), r->path,
			    "`%s` is no address of this machine: connections "
			    "from it fail",
			    s->sources[k].text);
	for (size_t k = 0; k < s->endpoint_count && s->source_count > 0; k++) {
		const struct config_endpoint *e = &s->endpoints[k];

		if (e->is_name || e->addr.sa.sa_family == AF_UNIX ||
		    !at(r, "services[%zu].endpoints[%zu]", i, k) ||
		    has_source_for(s, &e->addr))
			continue;
		if (at(r, "services[%zu].source", i))
			FAIL(r, "has no address for the endpoint `%.120s`",
			    e->text);
		return;
	}
}

static void
check_endpoints(struct rules *r, const struct config_service *s, size_t i)
{
	const struct config_listen *own;

	for (size_t j = 0; j < s->endpoint_count; j++) {
		const struct config_endpoint *e = &s->endpoints[j];

		if (!at(r, "services[%zu].endpoints[%zu]", i, j) ||
		    e->text == NULL)
			continue;
		own = config_own_listener(r->config, e);
		if (own != NULL)
			FAIL(r,
			    "`%.120s` is this gateway's own listener, line %u",
			    e->text, own->line);
	}
}

static void
check_health(struct rules *r, const struct config_service *s, size_t i)
{
	if (s->health.path == NULL || s->name == NULL ||
	    !at(r, "services[%zu].health", i))
		return;
	if (at(r, "services[%zu].health.headers", i) &&
	    config_health_bytes(s) > CONFIG_HEALTH_HEAD_MAX)
		FAIL(r, "`path`, `host` and `headers` have more than %d bytes",
		    CONFIG_HEALTH_HEAD_MAX);
	if (at(r, "services[%zu].health.expect.body", i) &&
	    s->health.body != NULL && s->health.method == CONFIG_HEALTH_HEAD)
		FAIL(r, "a response to HEAD has no body");
	for (size_t k = 0; k < s->endpoint_count; k++)
		if (s->health.port != 0 && !s->endpoints[k].is_name &&
		    s->endpoints[k].addr.sa.sa_family == AF_UNIX &&
		    at(r, "services[%zu].health.port", i)) {
			FAIL(r, "`%.120s` has no port", s->endpoints[k].text);
			break;
		}
}

static void
check_services(struct rules *r)
{
	const struct config *c = r->config;
	int first;

	for (size_t i = 0; i < c->service_count; i++) {
		const struct config_service *s = &c->services[i];

		if (at(r, "services[%zu].name", i) && s->name != NULL &&
		    (first = find_service(c, s->name)) != (int)i)
			FAIL(r, "`%s` is also the name of services[%d]",
			    s->name, first);
		if (s->policy != CONFIG_POLICY_CONSISTENT_HASH &&
		    at(r, "services[%zu].policy", i) &&
		    at(r, "services[%zu].hash", i) && written(r) != NULL)
			FAIL(r, "only goes with `policy: consistent_hash`");
		check_sources(r, s, i);
		check_endpoints(r, s, i);
		check_health(r, s, i);
	}
}

/* ---- routes ---- */

/* Requests have normal form, hence the key in question has it too: a path, and
 * NULL for none. */
static void
normalise(struct rules *r, const struct path_rules *rules, char *path)
{
	char before[CONFIG_LINE_MAX];
	enum parser_error error;
	size_t len;

	if (path == NULL)
		return;
	strlcpy(before, path, sizeof(before));
	error = path_normalise(
	    rules, (struct slice){path, strlen(path)}, path, &len);
	if (error != PARSER_NONE) {
		FAIL(r, "`%.120s` has no normal form: %s", before,
		    parser_error_str(error));
		return;
	}
	path[len] = '\0';
	if (strcmp(path, before) != 0)
		config_report_warn(r->report,
		    config_yaml_line(r->root, r->path), r->path,
		    "`%.120s` is taken as `%.120s`", before, path);
}

/* A rewrite may hold what clients may not send, but no dot segment leaves. */
static void
check_paths(struct rules *r, const struct config_route *route, size_t i)
{
	static const struct path_rules sent = {
	    .empty_segments = PATH_EMPTY_KEEP};

	if (at(r, "routes[%zu].path", i))
		normalise(r, &r->config->client.path, route->path);
	if (at(r, "routes[%zu].rewrite", i))
		normalise(r, &sent, route->rewrite);
}

/* The names of all services. False when a faulty service may lack its name. */
static bool
list_services(struct rules *r, char *names, size_t cap)
{
	const struct config *c = r->config;
	struct text t;

	if (!at(r, "services") && c->service_count == 0)
		return false;
	text_init(&t, names, cap - 1);
	text_add_str(&t, c->service_count == 0 ? "none" : "");
	for (size_t i = 0; i < c->service_count; i++) {
		if (!at(r, "services[%zu].name", i))
			return false;
		text_addf(&t, "%s%s", i == 0 ? "" : ", ", c->services[i].name);
	}
	names[t.len] = '\0';
	return true;
}

static void
check_service(struct rules *r, struct config_route *route, size_t i)
{
	char names[CONFIG_LINE_MAX / 2];

	route->service = -1;
	if (route->service_name != NULL)
		route->service = find_service(r->config, route->service_name);
	if (route->service_name == NULL) {
		if (at(r, "routes[%zu]", i) &&
		    at(r, "routes[%zu].rewrite", i) && route->rewrite != NULL)
			FAIL(r, "only goes with a `service`");
		if (at(r, "routes[%zu]", i) &&
		    at(r, "routes[%zu].upgrade_body", i) && route->upgrade_body)
			FAIL(r, "only goes with a `service`");
	} else if (route->service == -1 &&
		   list_services(r, names, sizeof(names)) &&
		   at(r, "routes[%zu].service", i)) {
		FAIL(r, "there is no service `%.64s`; known: %s",
		    route->service_name, names);
	}
}

static void
check_respond(struct rules *r, struct config_route *route, size_t i)
{
	unsigned status = route->respond.status;

	route->has_respond = status != 0;
	if (at(r, "routes[%zu].respond", i) && route->has_respond &&
	    (status == 204 || status == 304) &&
	    route->respond.json[0] != '\0') {
		at(r, "routes[%zu].respond.json", i);
		FAIL(r, "a response %u has no body", status);
	}
}

static void
check_targets(struct rules *r, const struct config_route *route, size_t i)
{
	int targets = (route->service_name != NULL) +
		      (route->handler != CONFIG_HANDLER_NONE) +
		      route->has_respond;

	if (!at(r, "routes[%zu]", i))
		return;
	if (targets == 0)
		FAIL(r, "needs one of `service`, `handler` or `respond`");
	if (targets > 1)
		FAIL(r, "has several of `service`, `handler` and `respond`; "
			"keep one");
}

/* Compares with the earlier routes: no two may have the same path and
 * conditions. */
static void
check_unique(struct rules *r, const struct config_route *route, size_t i)
{
	const struct config_route *other = r->config->routes;

	for (size_t j = 0; j < i; j++, other++)
		if (route->path != NULL && other->path != NULL &&
		    strcmp(route->path, other->path) == 0 &&
		    config_match_equal(route, other) &&
		    at(r, "routes[%zu]", j) && at(r, "routes[%zu]", i) &&
		    at(r, "routes[%zu].path", i))
			FAIL(r,
			    "`%s` is also the path of routes[%zu], and what "
			    "they ask for is the same",
			    route->path, j);
}

static void
check_routes(struct rules *r)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->route_count; i++) {
		struct config_route *route = &c->routes[i];

		check_paths(r, route, i);
		check_respond(r, route, i);
		check_targets(r, route, i);
		check_service(r, route, i);
		check_unique(r, route, i);
	}
	if (c->route_count == 0 && !config_report_has_faults(r->report))
		config_report_warn(r->report,
		    config_yaml_line(r->root, "routes"), "routes",
		    "there are none, so every request gets a 404");
	if (config_series_make(c) == -1 && at(r, "routes"))
		FAIL(r, "no memory");
}

void
config_rules_apply(struct config *c, const struct config_yaml *root,
    struct config_report *report)
{
	struct rules r = {.config = c, .root = root, .report = report};

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
