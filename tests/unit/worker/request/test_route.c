/* Goal: route finds the longest prefix on a segment's boundary whose route's
 * conditions hold. Of several routes on a prefix the most specific wins. */
#include "route_scene.h"

static void
the_longest_prefix_wins(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("api", "/api")},
	    {ROUTE("pay", "/api/pay")},
	    {ROUTE("files", "/files/")},
	    {ROUTE("exact", "/exact")},
	};
	static const struct expected cases[] = {
	    {"/api", "api"},
	    {"/api/", "api"},
	    {"/api/users", "api"},
	    {"/api/pay", "pay"},
	    {"/api/pay/1", "pay"},
	    {"/api/payments", "api"},
	    {"/api/pay?x=1", "pay"},
	    {"/api?/pay", "api"},
	    {"/api//pay", "api"},
	    {"/API", "none"},
	    {"/apis", "none"},
	    {"/ap", "none"},
	    {"/files/", "files"},
	    {"/files/a", "files"},
	    {"/files//", "files"},
	    {"/files", "none"},
	    {"/filesystem", "none"},
	    {"/exact?/api/pay", "exact"},
	    {"/", "none"},
	    {"//api", "none"},
	    {"OPTIONS * HTTP/1.1\r\nHost: any\r\n", "none"},
	    {"GET http://any/api/pay HTTP/1.1\r\nHost: any\r\n", "pay"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

static void
root_takes_all_but_the_longer(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("root", "/")},
	    {ROUTE("health", "/nginx-health")},
	    {ROUTE("static", "/static")},
	    {ROUTE("below static", "/static/")},
	};
	static const struct expected cases[] = {
	    {"/", "root"},
	    {"//", "root"},
	    {"/?a=/static/", "root"},
	    {"/any/thing", "root"},
	    {"/nginx-health", "health"},
	    {"/nginx-healthy", "root"},
	    {"/static", "static"},
	    {"/static?x", "static"},
	    {"/static/", "below static"},
	    {"/static/x", "below static"},
	    {"/statics", "root"},
	    {"OPTIONS * HTTP/1.1\r\nHost: any\r\n", "root"},
	    {"GET http://any HTTP/1.1\r\nHost: any\r\n", "root"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

static void
no_routes(void **state)
{
	struct route_table *table = build(NULL, 0);

	(void)state;
	assert_string_equal(find_path(table, "/"), "none");
	route_table_free(table);
	route_table_free(NULL);
}

#define GET(path, host) "GET " path " HTTP/1.1\r\nHost: " host "\r\n"

static void
hosts(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("any", "/")},
	    {ROUTE("below", "/"), .host = TEXT("*.example.org")},
	    {ROUTE("below a", "/"), .host = TEXT("*.a.example.org")},
	    {ROUTE("exact", "/"), .host = TEXT("x.a.example.org")},
	    {ROUTE("domain", "/"), .host = TEXT("example.org")},
	    {ROUTE("v6", "/"), .host = TEXT("[::1]")},
	    {ROUTE("any deep", "/deep")},
	    {ROUTE("other deep", "/deep/er"), .host = TEXT("other.net")},
	};
	static const struct expected cases[] = {
	    {GET("/", "example.org"), "domain"},
	    {GET("/", "EXAMPLE.org:8080"), "domain"},
	    {GET("/", "example.org."), "domain"},
	    {GET("/", "example.org.:80"), "domain"},
	    {GET("/", "b.example.org"), "below"},
	    {GET("/", "c.b.Example.Org:1"), "below"},
	    {GET("/", "a.example.org"), "below"},
	    {GET("/", "b.a.example.org"), "below a"},
	    {GET("/", "x.a.example.org"), "exact"},
	    {GET("/", "y.x.a.example.org"), "below a"},
	    {GET("/", "notexample.org"), "any"},
	    {GET("/", "example.org.evil.net"), "any"},
	    {GET("/", "[::1]"), "v6"},
	    {GET("/", "[::1]:80"), "v6"},
	    {GET("/", "[::2]:80"), "any"},
	    {GET("http://b.example.org:1/x", "other"), "below"},
	    {"GET / HTTP/1.0\r\n", "any"},
	    /* The longer prefix goes before the host. */
	    {GET("/deep", "example.org"), "any deep"},
	    {GET("/deep/er", "example.org"), "any deep"},
	    {GET("/deep/er", "other.net"), "other deep"},
	};
	struct route_table *table = build(routes, COUNT(routes));
	char head[1024], host[600];

	(void)state;
	expect(table, cases, COUNT(cases));
	/* Too long to be anybody's. */
	memset(host, 'a', sizeof(host) - 1);
	memcpy(host + sizeof(host) - 1 - strlen(".example.org"), ".example.org",
	    sizeof(".example.org"));
	snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: %s\r\n", host);
	assert_string_equal(find(table, head), "any");
	route_table_free(table);
}

static void
a_host_alone_serves_no_other(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("below", "/"), .host = TEXT("*.example.org")},
	};
	static const struct expected cases[] = {
	    {GET("/", "b.example.org"), "below"},
	    {GET("/", "example.org"), "none"},
	    {"GET / HTTP/1.0\r\n", "none"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

static void
headers(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("plain", "/rpc")},
	    {ROUTE("debug", "/rpc"), ASKS(headers, HAS("x-debug"))},
	    {ROUTE("eth", "/rpc"),
		ASKS(headers, IS("target-service-id", "eth"))},
	    {ROUTE("eth debug", "/rpc"),
		ASKS(headers, HAS("x-debug"), IS("target-service-id", "eth"))},
	    {ROUTE("only", "/only"), ASKS(headers, HAS("x-debug"))},
	};
#define RPC(lines) "GET /rpc HTTP/1.1\r\nHost: h\r\n" lines
	static const struct expected cases[] = {
	    {RPC(""), "plain"},
	    {RPC("Target-Service-Id: eth\r\n"), "eth"},
	    {RPC("TARGET-service-ID:   eth  \r\n"), "eth"},
	    {RPC("Target-Service-Id: ETH\r\n"), "plain"},
	    {RPC("Target-Service-Id: eth2\r\n"), "plain"},
	    {RPC("Target-Service-Id: et\r\n"), "plain"},
	    {RPC("Target-Service-Id:\r\n"), "plain"},
	    {RPC("Target-Service-Ids: eth\r\n"), "plain"},
	    {RPC("X-Debug:\r\n"), "debug"},
	    {RPC("X-Debug: no\r\n"), "debug"},
	    {RPC("Target-Service-Id: eth\r\nx-debug: 1\r\n"), "eth debug"},
	    {RPC("Target-Service-Id: a\r\nTarget-Service-Id: eth\r\n"), "eth"},
	    {"/only", "none"},
	};
#undef RPC
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

static void
parameters(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("plain", "/")},
	    {ROUTE("eth", "/"), ASKS(query, IS("endpoint", "eth"))},
	    {ROUTE("debug", "/"), ASKS(query, HAS("debug"))},
	    {ROUTE("coded", "/"), ASKS(query, IS("a", "b%2Fc"))},
	    {ROUTE("both", "/"),
		ASKS(query, IS("endpoint", "eth"), HAS("debug"))},
	};
	static const struct expected cases[] = {
	    {"/", "plain"},
	    {"/?", "plain"},
	    {"/?&&", "plain"},
	    {"/?endpoint=eth", "eth"},
	    {"/x?a=1&endpoint=eth&b", "eth"},
	    {"/?endpoint=btc&endpoint=eth", "eth"},
	    {"/?endpoint=eth2", "plain"},
	    {"/?endpoint=et", "plain"},
	    {"/?endpoint=", "plain"},
	    {"/?endpoint", "plain"},
	    {"/?Endpoint=eth", "plain"},
	    {"/?xendpoint=eth", "plain"},
	    {"/?%65ndpoint=eth", "plain"},
	    {"/endpoint=eth", "plain"},
	    {"/?debug", "debug"},
	    {"/?debug=", "debug"},
	    {"/?debug=1", "debug"},
	    {"/?debugger", "plain"},
	    {"/?a=b%2Fc", "coded"},
	    {"/?a=b/c", "plain"},
	    {"/?a=b%2fc", "plain"},
	    {"/?debug&endpoint=eth", "both"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

#define AS(method, path) method " " path " HTTP/1.1\r\nHost: h\r\n"

static void
methods(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("any", "/any")},
	    {ROUTE("read", "/a"), .methods = BIT(GET)},
	    {ROUTE("write", "/a"), .methods = BIT(POST) | BIT(PUT)},
	    {ROUTE("below", "/a/b"), .methods = BIT(DELETE)},
	    {ROUTE("read any", "/any/x"), .methods = BIT(GET)},
	    {ROUTE("debug", "/a"), .methods = BIT(PATCH),
		ASKS(headers, HAS("x-debug"))},
	};
	static const struct expected cases[] = {
	    {AS("GET", "/a"), "read"},
	    {AS("HEAD", "/a"), "read"},
	    {AS("POST", "/a"), "write"},
	    {AS("PUT", "/a/b"), "write"},
	    {AS("DELETE", "/a/b"), "below"},
	    {AS("DELETE", "/a"), "no method"},
	    {AS("OPTIONS", "/a/b"), "no method"},
	    /* A shorter prefix may do. */
	    {AS("GET", "/any/x"), "read any"},
	    {AS("POST", "/any/x"), "any"},
	    {AS("DELETE", "/nowhere"), "none"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	/* Methods of every route that fails by method only, and of no other
	 * route. */
	find(table, AS("OPTIONS", "/a"));
	assert_int_equal(allowed, BIT(GET) | BIT(HEAD) | BIT(POST) | BIT(PUT));
	find(table, AS("OPTIONS", "/a/b"));
	assert_int_equal(
	    allowed, BIT(GET) | BIT(HEAD) | BIT(POST) | BIT(PUT) | BIT(DELETE));
	find(table, AS("OPTIONS", "/a") "X-Debug: 1\r\n");
	assert_int_equal(
	    allowed, BIT(GET) | BIT(HEAD) | BIT(POST) | BIT(PUT) | BIT(PATCH));
	route_table_free(table);
}

/* Written from the weakest to the strongest: the file's order does not help. */
static void
who_asks_for_most_wins(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("none", "/a")},
	    {ROUTE("method", "/a"), .methods = BIT(GET)},
	    {ROUTE("method, later", "/a"), .methods = BIT(GET) | BIT(POST)},
	    {ROUTE("header", "/a"), ASKS(headers, HAS("x"))},
	    {ROUTE("header, later", "/a"), ASKS(headers, IS("x", "1"))},
	    {ROUTE("header, method", "/a"), ASKS(headers, HAS("y")),
		.methods = BIT(GET)},
	    {ROUTE("header, query", "/a"), ASKS(headers, HAS("x")),
		ASKS(query, HAS("q"))},
	    {ROUTE("wildcard", "/a"), .host = TEXT("*.org")},
	    {ROUTE("longer wildcard", "/a"), .host = TEXT("*.a.org")},
	    {ROUTE("host", "/a"), .host = TEXT("b.a.org")},
	    {ROUTE("host, header", "/a"), .host = TEXT("b.a.org"),
		ASKS(headers, HAS("x"))},
	    {ROUTE("longer", "/a/b")},
	};
	static const struct expected cases[] = {
	    {"PUT /a HTTP/1.1\r\nHost: h\r\n", "none"},
	    {GET("/a", "h"), "method"},
	    {"POST /a HTTP/1.1\r\nHost: h\r\n", "method, later"},
	    {GET("/a", "h") "X: 1\r\n", "header"},
	    {GET("/a", "h") "X: 1\r\nY: 1\r\n", "header, method"},
	    {GET("/a?q", "h") "X: 1\r\nY: 1\r\n", "header, query"},
	    {GET("/a?q", "a.org") "X: 1\r\n", "wildcard"},
	    {GET("/a?q", "c.a.org") "X: 1\r\n", "longer wildcard"},
	    {GET("/a?q", "b.a.org"), "host"},
	    {GET("/a?q", "b.a.org") "X: 1\r\n", "host, header"},
	    {GET("/a/b?q", "b.a.org") "X: 1\r\n", "longer"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

static void
falls_back_to_a_shorter_prefix(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("root", "/"), .host = TEXT("h")},
	    {ROUTE("a", "/a"), ASKS(query, HAS("q"))},
	    {ROUTE("slash", "/a/"), ASKS(query, HAS("r"))},
	    {ROUTE("b", "/a/b"), ASKS(headers, HAS("x"))},
	    {ROUTE("c", "/a/b/c"), .methods = BIT(POST)},
	};
	static const struct expected cases[] = {
	    {"POST /a/b/c HTTP/1.1\r\nHost: h\r\n", "c"},
	    {GET("/a/b/c", "h") "X: 1\r\n", "b"},
	    {GET("/a/b/c?r", "h"), "slash"},
	    {GET("/a/b/c?q", "h"), "a"},
	    {GET("/a/b/c", "h"), "root"},
	    {GET("/a/b/c", "i"), "no method"},
	    {GET("/a/b", "i"), "none"},
	};
	struct route_table *table = build(routes, COUNT(routes));

	(void)state;
	expect(table, cases, COUNT(cases));
	route_table_free(table);
}

/* Prefixes and hosts together: each request finds its own route. */
static void
a_thousand_routes(void **state)
{
	enum { MANY = CONFIG_ROUTES_MAX };
	struct config_route *routes = calloc(MANY, sizeof(*routes));
	struct route_table *table;
	char head[256], path[64], host[64];

	(void)state;
	assert_non_null(routes);
	for (int i = 0; i < MANY; i++) {
		/* Half share a path and differ in host. */
		snprintf(
		    path, sizeof(path), "/v1/tenants/%d", i % 2 == 0 ? i : 1);
		snprintf(host, sizeof(host), "t%d.example.org", i);
		routes[i].path = strdup(path);
		routes[i].host = i % 2 == 0 ? NULL : strdup(host);
		routes[i].rewrite = routes[i].path;
	}
	table = build(routes, MANY);
	for (int i = 0; i < MANY; i++) {
		const struct config_route *found;

		snprintf(head, sizeof(head),
		    "GET /v1/tenants/%d/x HTTP/1.1\r\n"
		    "Host: t%d.example.org\r\n",
		    i % 2 == 0 ? i : 1, i);
		find(table, head);
		assert_int_equal(
		    route_find(table, &message.head, &found, &allowed),
		    ROUTE_FOUND);
		assert_ptr_equal(found, &routes[i]);
	}
	assert_string_equal(find_path(table, "/v1/tenants/3"), "none");
	assert_string_equal(find_path(table, "/v1/tenants/1"), "none");
	assert_string_equal(find_path(table, "/v1/tenants"), "none");
	route_table_free(table);
	for (int i = 0; i < MANY; i++) {
		free(routes[i].path);
		free(routes[i].host);
	}
	free(routes);
}

/* Longer than any prefix, and all boundaries. */
static void
long_paths(void **state)
{
	const struct config_route routes[] = {
	    {ROUTE("a", "/a")},
	    {ROUTE("slashes", "/a////")},
	};
	struct route_table *table = build(routes, COUNT(routes));
	char path[2000];

	(void)state;
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_string_equal(find_path(table, path), "none");
	path[1] = 'a';
	assert_string_equal(find_path(table, path), "slashes");
	path[5] = 'b';
	assert_string_equal(find_path(table, path), "a");
	route_table_free(table);
}

static void
allow(void **state)
{
	char out[64];
	struct text t;

	(void)state;
	text_init(&t, out, sizeof(out));
	route_add_methods(&t, BIT(POST) | BIT(GET) | BIT(MSEARCH) | BIT(HEAD));
	assert_int_equal(t.len, strlen("GET, HEAD, POST, M-SEARCH"));
	assert_memory_equal(out, "GET, HEAD, POST, M-SEARCH", t.len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_prefix_wins),
	    cmocka_unit_test(root_takes_all_but_the_longer),
	    cmocka_unit_test(no_routes),
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(a_host_alone_serves_no_other),
	    cmocka_unit_test(headers),
	    cmocka_unit_test(parameters),
	    cmocka_unit_test(methods),
	    cmocka_unit_test(who_asks_for_most_wins),
	    cmocka_unit_test(falls_back_to_a_shorter_prefix),
	    cmocka_unit_test(a_thousand_routes),
	    cmocka_unit_test(long_paths),
	    cmocka_unit_test(allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
