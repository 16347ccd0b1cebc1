/*
 * route_scene - routes that are named by their rewrite, and which of them a
 * request finds.
 */
#ifndef ROUTE_SCENE_H
#define ROUTE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser.h"
#include "route.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define BIT(method) (UINT64_C(1) << HTTP_##method)

/* A route, named by its rewrite. */
#define ROUTE(title, prefix) .rewrite = TEXT(title), .path = TEXT(prefix)
#define ASKS(list, ...)                                                        \
	.list = (struct config_match[]){__VA_ARGS__},                          \
	.list##_n(COUNT(((struct config_match[]){__VA_ARGS__})))
#define headers_n(n) header_count = (n)
#define query_n(n) query_count = (n)
#define IS(key, wanted) {.name = TEXT(key), .value = TEXT(wanted)}
#define HAS(key) {.name = TEXT(key)}

static struct parser message;
static char in[8192], room[8192];
/* The table itself takes any path. */
static const struct path_rules rules = {.empty_segments = PATH_EMPTY_KEEP};
static uint64_t allowed;

/* head: "GET /a HTTP/1.1\r\n" and the header lines but for the last CRLF. */
static const char *
find(const struct route_table *table, const char *head)
{
	const struct config_route *route;
	size_t len = (size_t)snprintf(in, sizeof(in), "%s\r\n", head);

	assert_true(len < sizeof(in));
	parser_init_request(&message,
	    &(struct parser_limits){sizeof(in), sizeof(in), 0}, &rules, room);
	assert_true(parser_feed(&message, in, len) > 0);
	assert_int_equal(message.error, PARSER_NONE);
	assert_true(message.head_done);
	allowed = 1;
	switch (route_find(table, &message.head, &route, &allowed)) {
	case ROUTE_FOUND:
		assert_non_null(route);
		assert_int_equal(allowed, 0);
		return route->rewrite;
	case ROUTE_NO_METHOD:
		assert_null(route);
		assert_int_not_equal(allowed, 0);
		return "no method";
	default:
		assert_null(route);
		assert_int_equal(allowed, 0);
		return "none";
	}
}

static const char *
find_path(const struct route_table *table, const char *path)
{
	char head[4096];

	snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: any\r\n", path);
	return find(table, head);
}

static struct route_table *
build(const struct config_route *routes, size_t count)
{
	struct route_table *table = route_table_new(routes, count);

	assert_non_null(table);
	return table;
}

struct expected {
	const char *in; /* a path, or a head */
	const char *route;
};

static void
expect(
    const struct route_table *table, const struct expected *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = cases[i].in[0] == '/'
				      ? find_path(table, cases[i].in)
				      : find(table, cases[i].in);

		if (strcmp(got, cases[i].route) != 0)
			fail_msg("%s\nwanted %s, got %s", cases[i].in,
			    cases[i].route, got);
	}
}

#endif
