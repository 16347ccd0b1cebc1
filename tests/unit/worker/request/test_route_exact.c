/* Goal: an exact route takes its own path and nothing below, and goes before
 * the prefix of the same path. */
#include "route_scene.h"

static void
exact_takes_its_path_alone(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("root", "/"), .exact = true},
	    {ROUTE("below", "/a/")},
	    {ROUTE("file", "/a/b"), .exact = true},
	    {ROUTE("folder", "/a/b/"), .exact = true},
	    {ROUTE("post", "/c"), .exact = true, .methods = BIT(POST)},
	};
	static const struct expected cases[] = {
	    {"/", "root"},
	    {"/?x=/y", "root"},
	    {"/favicon.ico", "none"},
	    {"//", "none"},
	    {"/a", "none"},
	    {"/a/", "below"},
	    {"/a/b", "file"},
	    {"/a/b?c", "file"},
	    {"/a/b/", "folder"},
	    {"/a/b/c", "below"},
	    {"/a/bc", "below"},
	    {"/c", "no method"},
	    {"/c/d", "none"},
	    {"OPTIONS / HTTP/1.1\r\nHost: a\r\n", "root"},
	    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n", "none"},
	    {"GET http://a HTTP/1.1\r\nHost: a\r\n", "root"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

/* As a prefix and exactly: the two orders in the file. */
static void
exact_goes_before_the_prefix(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("prefix", "/")},
	    {ROUTE("exact", "/"), .exact = true},
	    {ROUTE("exact a", "/a"), .exact = true},
	    {ROUTE("prefix a", "/a"), ASKS(headers, HAS("x"))},
	    {ROUTE("host", "/"), .host = TEXT("h")},
	};
	static const struct expected cases[] = {
	    {"/", "exact"},
	    {"/b", "prefix"},
	    {"GET /a HTTP/1.1\r\nHost: any\r\nx: 1\r\n", "exact a"},
	    {"GET /a/b HTTP/1.1\r\nHost: any\r\nx: 1\r\n", "prefix a"},
	    {"/a/b", "prefix"},
	    {"GET / HTTP/1.1\r\nHost: h\r\n", "host"},
	    {"OPTIONS * HTTP/1.1\r\nHost: any\r\n", "prefix"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exact_takes_its_path_alone),
	    cmocka_unit_test(exact_goes_before_the_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
