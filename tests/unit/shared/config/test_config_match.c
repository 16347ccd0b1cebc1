/* Goal: the conditions of a route are read. A faulty condition gives a line
 * with file, line and key. */
#include <llhttp.h>

#include "config_fixture.h"

#define BIT(method) (UINT64_C(1) << HTTP_##method)

/* A route on a single line, and a route on several lines. */
#define ROUTE(more) LISTEN "routes: [{ path: /, handler: count, " more " }]\n"
#define ROUTES LISTEN "routes:\n- path: /\n  handler: count\n"

static void
test_defaults(void **state)
{
	struct config *c = fixture_load(
	    ROUTES "  host:\n  methods: ~\n  headers: null\n  query:\n");
	const struct config_route *r = c->routes;

	(void)state;
	assert_false(r->exact);
	assert_null(r->host);
	assert_int_equal(r->methods, 0);
	assert_int_equal(r->header_count, 0);
	assert_int_equal(r->query_count, 0);
	config_load_free(c);
}

static void
test_exact(void **state)
{
	struct config *c;

	(void)state;
	setenv("T_EXACT", "true", 1);
	c = fixture_load(ROUTE("exact: \"${T_EXACT}\""));
	assert_true(c->routes[0].exact);
	config_load_free(c);
	/* An exact path differs from the same path as a prefix. */
	c = fixture_load(
	    LISTEN "routes:\n"
		   "- { path: /, exact: true, handler: count }\n"
		   "- { path: /, exact: false, handler: count }\n");
	assert_true(c->routes[0].exact);
	assert_false(c->routes[1].exact);
	config_load_free(c);
}

static void
test_hosts(void **state)
{
	static const char *const cases[][2] = {
	    {"example.org", "example.org"},
	    {"API.Example.ORG", "api.example.org"},
	    {"'*.Example.org'", "*.example.org"},
	    {"my_host", "my_host"},
	    {"10.0.0.1", "10.0.0.1"},
	    {"'[::FFFF]'", "[::ffff]"},
	    {"${T_HOST}", "from.env"},
	    {"'*.${T_HOST}'", "*.from.env"},
	};
	char text[200];

	(void)state;
	setenv("T_HOST", "From.env", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *c;

		snprintf(
		    text, sizeof(text), "%s  host: %s\n", ROUTES, cases[i][0]);
		c = fixture_load(text);
		assert_string_equal(c->routes[0].host, cases[i][1]);
		config_load_free(c);
	}
}

static void
test_methods(void **state)
{
	struct config *c;

	(void)state;
	setenv("T_METHOD", "PUT", 1);
	c = fixture_load(ROUTE("methods: [GET, POST, \"${T_METHOD}\", "
			       "M-SEARCH, PROPFIND]"));
	assert_int_equal(c->routes[0].methods,
	    BIT(GET) | BIT(POST) | BIT(PUT) | BIT(MSEARCH) | BIT(PROPFIND));
	config_load_free(c);
}

static void
expect_match(const struct config_match *m, const char *name, const char *value)
{
	assert_string_equal(m->name, name);
	if (value == NULL)
		assert_null(m->value);
	else
		assert_string_equal(m->value, value);
}

static void
test_headers_and_query(void **state)
{
	struct config *c;
	const struct config_route *r;

	(void)state;
	setenv("T_SERVICE", "eth", 1);
	c = fixture_load(
	    ROUTES "  headers:\n"
		   "  - \"Target-Service-Id: ${T_SERVICE}\"\n"
		   "  - X-Debug\n"
		   "  - \"X-Time:10:30 \\t\"\n"
		   "  query: [ \"endpoint=${T_SERVICE}\", Debug, a=b=c, "
		   "\"x%20y=%2F\" ]\n");
	r = c->routes;
	assert_int_equal(r->header_count, 3);
	expect_match(&r->headers[0], "target-service-id", "eth");
	expect_match(&r->headers[1], "x-debug", NULL);
	expect_match(&r->headers[2], "x-time", "10:30");
	assert_int_equal(r->query_count, 4);
	expect_match(&r->query[0], "endpoint", "eth");
	expect_match(&r->query[1], "Debug", NULL);
	expect_match(&r->query[2], "a", "b=c");
	expect_match(&r->query[3], "x%20y", "%2F");
	config_load_free(c);
}

/* Conditions combine with every kind of target. */
static void
test_targets(void **state)
{
	struct config *c = fixture_load(
	    SERVICE "routes:\n"
		    "- { path: /, service: a, host: h, rewrite: /x }\n"
		    "- { path: /, handler: count, methods: [GET] }\n"
		    "- { path: /, respond: { status: 204 }, query: [a] }\n");

	(void)state;
	assert_string_equal(c->routes[0].host, "h");
	assert_int_equal(c->routes[1].methods, BIT(GET));
	assert_int_equal(c->routes[2].query_count, 1);
	config_load_free(c);
}

static void
test_bad_hosts(void **state)
{
	static const struct mistake mistakes[] = {
	    {ROUTES "  host: a.org:80\n",
		"5: routes[0].host: `a.org:80` is not a host; write "
		"api.example.org, *.example.org or [::1], without a port"},
	    {ROUTES "  host: '*'\n", "5: routes[0].host: `*` is not a host"},
	    {ROUTES "  host: '*.'\n", "5: routes[0].host: `*.` is not a"},
	    {ROUTES "  host: 'a.*.org'\n", "5: routes[0].host: `a.*.org`"},
	    {ROUTES "  host: '*a.org'\n", "5: routes[0].host: `*a.org` is"},
	    {ROUTES "  host: '*.[::1]'\n", "5: routes[0].host: `*.[::1]` is"},
	    {ROUTES "  host: a..org\n", "5: routes[0].host: `a..org` is not"},
	    {ROUTES "  host: a.org.\n", "5: routes[0].host: `a.org.` is not"},
	    {ROUTES "  host: .org\n", "5: routes[0].host: `.org` is not a"},
	    {ROUTES "  host: a b\n", "5: routes[0].host: `a b` is not a"},
	    {ROUTES "  host: '::1'\n", "5: routes[0].host: `::1` is not a"},
	    {ROUTES "  host: '[::1'\n", "5: routes[0].host: `[::1` is not"},
	    {ROUTES "  host: '[a]'\n", "5: routes[0].host: `[a]` is not a"},
	    {ROUTES "  host: a/b\n", "5: routes[0].host: `a/b` is not a"},
	    {ROUTES "  host: [a]\n", "5: routes[0].host: must be a single"},
	};
	char text[600] = ROUTES "  host: ";
	size_t len = strlen(text);
	const struct mistake long_one = {text, "5: routes[0].host: `aaaa"};

	(void)state;
	CHECK_ALL(mistakes);
	memset(text + len, 'a', 300);
	strcpy(text + len + 300, "\n");
	fixture_refuses(&long_one, 1);
}

static void
test_bad_exact(void **state)
{
	static const struct mistake mistakes[] = {
	    {ROUTES "  exact: maybe\n", "5: routes[0].exact: `maybe` is not "
					"one of false, no, off, true"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_bad_methods(void **state)
{
	static const struct mistake mistakes[] = {
	    {ROUTES "  methods:\n  - GET\n  - get\n",
		"7: routes[0].methods[1]: `get` is not a method, such as GET "
		"or POST, in capitals"},
	    {ROUTE("methods: [CONNECT]"), "2: routes[0].methods[0]: `CONNECT`"},
	    {ROUTE("methods: [PRI]"), "2: routes[0].methods[0]: `PRI` is not"},
	    {ROUTE("methods: ['GET,POST']"),
		"2: routes[0].methods[0]: `GET,POST` is not a method"},
	    {ROUTE("methods: [GET, POST, GET]"),
		"2: routes[0].methods[2]: `GET` is listed twice"},
	    {ROUTE("methods: ['']"),
		"2: routes[0].methods[0]: is empty; a value is required"},
	    {ROUTE("methods: []"),
		"2: routes[0].methods: is empty; at least one entry"},
	    {ROUTE("methods: GET"),
		"2: routes[0].methods: must be a list, [a, b] or `- ` lines"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_bad_headers(void **state)
{
	static const struct mistake mistakes[] = {
	    {ROUTES "  headers:\n  - X-A\n  - 'X B: 1'\n",
		"7: routes[0].headers[1]: `X B: 1` is not a header, such as "
		"\"X-Tenant: a\", or \"X-Tenant\" for any value"},
	    {ROUTE("headers: [': 1']"), "2: routes[0].headers[0]: `: 1` is"},
	    {ROUTE("headers: ['X : 1']"), "2: routes[0].headers[0]: `X : 1`"},
	    {ROUTE("headers: ['X=1']"), "2: routes[0].headers[0]: `X=1` is"},
	    {ROUTE("headers: [\"X: a\\nb\"]"), "2: routes[0].headers[0]: `X:"},
	    {ROUTE("headers: ['X: ${T_UNSET}']"),
		"2: routes[0].headers[0]: has no value after the :; write `X` "
		"for any"},
	    {ROUTE("headers: ['${T_UNSET}']"),
		"2: routes[0].headers[0]: is empty; a value is required"},
	    {ROUTE("headers: [X-A, 'x-a: 1']"),
		"2: routes[0].headers[1]: `x-a` is listed twice"},
	    {ROUTE("headers: [X-A: 1]"),
		"2: routes[0].headers[0]: must be a single value, but is "
		"`key: value` pairs"},
	    {ROUTE("headers: [a, b, c, d, e, f, g, h, i]"),
		"2: routes[0].headers: has 9 entries; at most 8"},
	    {ROUTE("header: [a]"), "2: routes[0].header: unknown key"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_bad_query(void **state)
{
	static const struct mistake mistakes[] = {
	    {ROUTES "  query:\n  - a\n  - 'b c=1'\n",
		"7: routes[0].query[1]: `b c=1` is not a parameter as it is "
		"sent, such as \"tenant=a\", or \"tenant\" for any value"},
	    {ROUTE("query: ['=1']"), "2: routes[0].query[0]: `=1` is not a"},
	    {ROUTE("query: ['a=1&b=2']"), "2: routes[0].query[0]: `a=1&b=2`"},
	    {ROUTE("query: ['a=1#b']"), "2: routes[0].query[0]: `a=1#b` is"},
	    {ROUTE("query: ['a=b c']"), "2: routes[0].query[0]: `a=b c` is"},
	    {ROUTE("query: ['a=é']"), "2: routes[0].query[0]: `a="},
	    {ROUTE("query: ['a=']"),
		"2: routes[0].query[0]: has no value after the =; write `a` "
		"for any"},
	    {ROUTE("query: [a, a=1]"),
		"2: routes[0].query[1]: `a` is listed twice"},
	    {ROUTE("query: []"), "2: routes[0].query: is empty; at least one"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

#define SAME(first, second)                                                    \
	LISTEN "routes:\n- { path: /a, handler: count" first " }\n"            \
	       "- { path: /a, handler: health" second " }\n"

static void
test_the_same_twice(void **state)
{
	static const char message[] =
	    "4: routes[1].path: `/a` is also the path of routes[0], and what "
	    "they ask for is the same";
	static const struct mistake mistakes[] = {
	    {SAME("", ""), message},
	    {SAME(", exact: true", ", exact: true"), message},
	    {SAME(", host: A.org", ", host: a.ORG"), message},
	    {SAME(", methods: [GET, PUT]", ", methods: [PUT, GET]"), message},
	    {SAME(", headers: [A, 'B: 1']", ", headers: ['b:1', a]"), message},
	    {SAME(", query: [a, b=1]", ", query: [b=1, a]"), message},
	};
	static const char *const different[] = {
	    SAME("", ", exact: true"),
	    SAME("", ", host: a"),
	    SAME(", host: b", ", host: a"),
	    SAME(", host: a.org", ", host: '*.a.org'"),
	    SAME("", ", methods: [GET]"),
	    SAME(", methods: [PUT]", ", methods: [PUT, GET]"),
	    SAME("", ", headers: [a]"),
	    SAME(", headers: [a]", ", headers: ['a: 1']"),
	    SAME(", headers: ['a: 1']", ", headers: ['a: 2']"),
	    SAME(", headers: [a, b]", ", headers: [a, c]"),
	    SAME(", headers: [a]", ", query: [a]"),
	    SAME(", query: [a, b]", ", query: [a]"),
	    SAME(", query: [a=1]", ", query: [a=2]"),
	};

	(void)state;
	CHECK_ALL(mistakes);
	for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
		config_load_free(fixture_load(different[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_exact),
	    cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_headers_and_query),
	    cmocka_unit_test(test_targets),
	    cmocka_unit_test(test_bad_exact),
	    cmocka_unit_test(test_bad_hosts),
	    cmocka_unit_test(test_bad_methods),
	    cmocka_unit_test(test_bad_headers),
	    cmocka_unit_test(test_bad_query),
	    cmocka_unit_test(test_the_same_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
