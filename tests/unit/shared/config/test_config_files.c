/* Goal: the examples in conf/ load, with the values named in the README and the
 * compose file. Run in the project's root. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_load.h"

static const char *const variables[] = {"PORT", "REDIS_URL", "WORKER_COUNT",
    "USER_SERVICE", "ORDER_SERVICE", "PAYMENT_SERVICE", "GATEWAY", "ADMIN",
    "STATE_DIR", "CLUSTER", "CLUSTER_ID", "LOG_LEVEL", "LOG_FORMAT",
    "ACCESS_LOG", "DELAY", "FAIL_PERCENT"};

static int
set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	return 0;
}

static struct config *
load(const char *path)
{
	char error[CONFIG_ERROR_MAX] = "";
	struct config *c = config_load(path, error);

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

static const struct config_route *
find_route(const struct config *c, const char *path)
{
	for (size_t i = 0; i < c->route_count; i++)
		if (strcmp(c->routes[i].path, path) == 0)
			return &c->routes[i];
	fail_msg("no route %s in %s", path, c->path);
	return NULL;
}

static void
test_all_load(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("conf/*.yaml", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 5);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct config *c = load(files.gl_pathv[i]);

		assert_string_equal(c->path, files.gl_pathv[i]);
		config_load_free(c);
	}
	globfree(&files);
}

static void
test_gateway(void **state)
{
	static const char *const ports[] = {
	    "127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"};
	struct config *c = load("conf/gateway.yaml");
	const struct config_route *r;

	(void)state;
	assert_string_equal(c->listen[0].text, "*:3000");
	assert_int_equal(c->workers, 0);
	assert_true(c->admin.enabled);
	assert_string_equal(c->admin.text, "127.0.0.1:9180");
	assert_true(c->redis.enabled);
	assert_string_equal(c->redis.url.host, "127.0.0.1");
	assert_int_equal(c->redis.url.port, 6379);
	assert_null(c->log.access);
	assert_int_equal(c->service_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(c->services[i].endpoints[0].text, ports[i]);
		assert_int_equal(c->services[i].breaker.failures, 3);
		assert_int_equal(c->services[i].breaker.open_for_us, 10000000);
	}
	r = find_route(c, "/api/pay");
	assert_string_equal(c->services[r->service].name, "payments");
	assert_string_equal(r->rewrite, "/pay");
	assert_int_equal(
	    find_route(c, "/api/cpu-bound")->handler, CONFIG_HANDLER_CPU_BOUND);
	assert_int_equal(
	    find_route(c, "/health")->handler, CONFIG_HANDLER_HEALTH);
	r = find_route(c, "/");
	assert_int_equal(r->handler, CONFIG_HANDLER_WELCOME);
	assert_true(r->exact);
	config_load_free(c);
}

static void
test_services(void **state)
{
	static const struct {
		const char *path, *listen, *route, *json;
	} cases[] = {
	    {"conf/user-service.yaml", "*:3001", "/users",
		"[{\"id\":1,\"name\":\"Alice\"},{\"id\":2,\"name\":\"Bob\"}]"},
	    {"conf/order-service.yaml", "*:3002", "/orders",
		"[{\"id\":101,\"userId\":1,\"total\":100},"
		"{\"id\":102,\"userId\":2,\"total\":200}]"},
	    {"conf/payment-service.yaml", "*:3003", "/pay",
		"{\"status\":\"PAID\",\"transactionId\":\"{{random}}\"}"},
	};

	(void)state;
	setenv("DELAY", "150ms", 1);
	setenv("FAIL_PERCENT", "20", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *c = load(cases[i].path);
		const struct config_route *r = find_route(c, cases[i].route);

		assert_string_equal(c->listen[0].text, cases[i].listen);
		assert_int_equal(c->workers, 1);
		assert_false(c->admin.enabled);
		assert_false(c->redis.enabled);
		assert_true(r->has_respond);
		assert_int_equal(r->respond.status, 200);
		assert_string_equal(r->respond.json, cases[i].json);
		assert_int_equal(r->respond.delay_us, 150000);
		assert_int_equal(r->respond.fail_percent, 20);
		config_load_free(c);
	}
	unsetenv("DELAY");
	unsetenv("FAIL_PERCENT");
}

static void
test_lb(void **state)
{
	const struct config_service *s;
	struct config *c = load("conf/lb.yaml");

	(void)state;
	s = &c->services[0];
	assert_string_equal(c->listen[0].text, "*:80");
	assert_false(c->redis.enabled);
	assert_true(s->endpoints[0].is_name);
	assert_string_equal(s->endpoints[0].name.host, "api-gateway");
	assert_int_equal(s->endpoints[0].name.port, 3000);
	assert_int_equal(s->policy, CONFIG_POLICY_LEAST_CONN);
	assert_int_equal(s->retries, 5);
	assert_int_equal(s->timeouts.connect_us, 1000000);
	assert_string_equal(s->health.path, "/health");
	assert_int_equal(s->health.rise, 1);
	assert_int_equal(
	    find_route(c, "/nginx-health")->handler, CONFIG_HANDLER_HEALTH);
	config_load_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_load),
	    cmocka_unit_test(test_gateway),
	    cmocka_unit_test(test_services),
	    cmocka_unit_test(test_lb),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
