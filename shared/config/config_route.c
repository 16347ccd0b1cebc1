#include "config_route.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buffer.h"
#include "config_match.h"
#include "text.h"

#define PATH_BYTES_MAX 255
#define RANDOM "{{random}}"

char *
config_route_path(struct config_value *v, const char *key, const char *raw)
{
	char *text = config_value_text(v, key, raw, NULL);
	bool good;

	if (text == NULL)
		return NULL;
	good = text[0] == '/' && strlen(text) <= PATH_BYTES_MAX;
	for (const char *at = text; *at != '\0' && good; at++)
		good = *at > ' ' && *at < 0x7f && *at != '?' && *at != '#';
	if (!good)
		config_value_fail(v, key,
		    "`%.60s` is not a path, such as /api/users (at most %d "
		    "characters, no spaces, ? or #)",
		    text, PATH_BYTES_MAX);
	return text;
}

/* The body as it will be, {{random}} replaced by some digits. NULL: no
 * memory. */
static char *
example_body(const char *json)
{
	char *copy = strdup(json), *at = copy;

	/* Shorter than what it becomes, and as good for a syntax check. */
	while (at != NULL && (at = strstr(at, RANDOM)) != NULL)
		memset(at, '1', strlen(RANDOM));
	return copy;
}

static void
check_json(struct config_value *v, const char *json)
{
	json_error_t error;
	json_t *value;
	char *body;

	if (json == NULL || json[0] == '\0')
		return;
	body = example_body(json);
	if (body == NULL) {
		config_value_fail(v, "json", "no memory");
		return;
	}
	value = json_loads(body, JSON_DECODE_ANY, &error);
	if (value == NULL)
		config_value_fail(
		    v, "json", "is not valid JSON: %s", error.text);
	else if (strlen(body) > BUFFER_BYTES)
		config_value_fail(
		    v, "json", "is longer than %d bytes", BUFFER_BYTES);
	json_decref(value);
	free(body);
}

static void
check_respond(struct config_value *v, const struct config_raw_respond *raw,
    struct config_respond *r)
{
	size_t mark = config_value_enter(v, "respond");

	r->status = config_value_number(v, "status", raw->status,
	    (struct config_value_range){"200", 200, 599});
	r->json = config_value_text(v, "json", raw->json, "");
	check_json(v, r->json);
	if ((r->status == 204 || r->status == 304) && r->json != NULL &&
	    r->json[0] != '\0')
		config_value_fail(
		    v, "json", "a response %u has no body", r->status);
	r->delay_us =
	    config_value_duration_or_zero(v, "delay", raw->delay, "0");
	r->fail_percent = config_value_number(v, "fail_percent",
	    raw->fail_percent, (struct config_value_range){"0", 0, 100});
	config_value_leave(v, mark);
}

static void
fail_service(struct config_value *v, const char *name, const struct config *c)
{
	char known[CONFIG_ERROR_MAX / 2];
	struct text t;

	text_init(&t, known, sizeof(known) - 1);
	for (size_t i = 0; i < c->service_count; i++)
		if (c->services[i].name != NULL)
			text_addf(&t, "%s%s", i == 0 ? "" : ", ",
			    c->services[i].name);
	known[t.len] = '\0';
	config_value_fail(v, "service",
	    "there is no service `%.64s`; known: %s", name,
	    t.len == 0 ? "none" : known);
}

/* The index of the service, or -1 after a failure. */
static int
find_service(struct config_value *v, const char *raw, const struct config *c)
{
	char *name = config_value_required(v, "service", raw);

	for (size_t i = 0; i < c->service_count && name != NULL; i++) {
		if (c->services[i].name != NULL &&
		    strcmp(c->services[i].name, name) == 0) {
			free(name);
			return (int)i;
		}
	}
	if (name != NULL)
		fail_service(v, name, c);
	free(name);
	return -1;
}

static enum config_handler
find_handler(struct config_value *v, const char *raw)
{
	const char *names[CONFIG_HANDLER_LAST];

	for (int i = 0; i < CONFIG_HANDLER_LAST; i++)
		names[i] = config_handler_str((enum config_handler)(i + 1));
	return (enum config_handler)(1 + config_value_choice(v, "handler", raw,
					     (struct config_value_choice){names,
						 CONFIG_HANDLER_LAST, -1}));
}

static void
check_target(struct config_value *v, const struct config_raw_route *raw,
    struct config_route *r, const struct config *c)
{
	int targets = (raw->service != NULL) + (raw->handler != NULL) +
		      (raw->respond != NULL);

	if (targets == 0)
		config_value_fail(
		    v, "", "needs one of `service`, `handler` or `respond`");
	else if (targets > 1)
		config_value_fail(v, "",
		    "has several of `service`, `handler` and `respond`; "
		    "keep one");
	else if (raw->service != NULL)
		r->service = find_service(v, raw->service, c);
	else if (raw->handler != NULL)
		r->handler = find_handler(v, raw->handler);
	else {
		r->has_respond = true;
		check_respond(v, raw->respond, &r->respond);
	}
	if (raw->handler != NULL && r->handler == CONFIG_HANDLER_NONE)
		config_value_fail(v, "handler", "is empty; name a handler");
}

static void
check_route(struct config_value *v, const struct config_raw_route *raw,
    struct config_route *r, const struct config *c)
{
	r->service = -1;
	r->path = config_route_path(v, "path", raw->path);
	if (r->path == NULL)
		config_value_fail(v, "path", "is empty; write / for all");
	config_match_check(v, raw, r);
	check_target(v, raw, r, c);
	r->rewrite = config_route_path(v, "rewrite", raw->rewrite);
	if (r->rewrite != NULL && raw->service == NULL)
		config_value_fail(v, "rewrite", "only goes with a `service`");
}

static void
check_unique(struct config_value *v, const struct config *c, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (c->routes[i].path != NULL && c->routes[j].path != NULL &&
		    strcmp(c->routes[i].path, c->routes[j].path) == 0 &&
		    config_match_equal(&c->routes[i], &c->routes[j]))
			config_value_fail(v, "path",
			    "`%s` is also the path of routes[%zu], and what "
			    "they ask for is the same",
			    c->routes[i].path, j);
}

/* The index of a route's series, which is a new one if none has its path and
 * service. */
static unsigned
find_series(struct config *c, const struct config_route *r)
{
	size_t i;

	for (i = 1; i < c->series_count; i++)
		if (c->series[i].service == r->service &&
		    strcmp(c->series[i].path, r->path) == 0)
			return (unsigned)i;
	c->series[i] = (struct config_series){r->path, r->service};
	c->series_count++;
	return (unsigned)i;
}

static void
make_series(struct config_value *v, struct config *c)
{
	c->series = calloc(c->route_count + 1, sizeof(*c->series));
	if (c->series == NULL) {
		config_value_fail(v, "routes", "no memory");
		return;
	}
	c->series[0] = (struct config_series){"", -1};
	c->series_count = 1;
	for (size_t i = 0; i < c->route_count; i++)
		/* One without a path has failed, and is not used. */
		if (c->routes[i].path != NULL)
			c->routes[i].series = find_series(c, &c->routes[i]);
}

static void
check_routes(
    struct config_value *v, const struct config_raw *raw, struct config *c)
{
	size_t mark;

	if (raw->routes_count == 0)
		return;
	c->routes = calloc(raw->routes_count, sizeof(*c->routes));
	if (c->routes == NULL) {
		config_value_fail(v, "routes", "no memory");
		return;
	}
	c->route_count = raw->routes_count;
	for (size_t i = 0; i < c->route_count; i++) {
		mark = config_value_enter_item(v, "routes", i);
		check_route(v, &raw->routes[i], &c->routes[i], c);
		check_unique(v, c, i);
		config_value_leave(v, mark);
	}
}

void
config_route_check(
    struct config_value *v, const struct config_raw *raw, struct config *c)
{
	check_routes(v, raw, c);
	make_series(v, c);
}
