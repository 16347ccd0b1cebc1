/* route: the longest prefix wins, on a path segment's boundary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route.h"

static const struct config_route routes[] = {
    {.path = (char *)(uintptr_t)"/api"},
    {.path = (char *)(uintptr_t)"/api/pay"},
    {.path = (char *)(uintptr_t)"/files/"},
    {.path = (char *)(uintptr_t)"/exact"},
};

static const char *
found(const struct config_route *set, size_t count, const char *path)
{
	struct message_slice slice = {path, strlen(path)};
	const struct config_route *route = route_find(set, count, slice);

	return route != NULL ? route->path : "none";
}

static void
finds(void **state)
{
	static const struct {
		const char *path, *route;
	} cases[] = {
	    {"/api", "/api"},
	    {"/api/", "/api"},
	    {"/api/users", "/api"},
	    {"/api/pay", "/api/pay"},
	    {"/api/pay/1", "/api/pay"},
	    {"/api/payments", "/api"},
	    {"/api/pay?x=1", "/api/pay"},
	    {"/api?/pay", "/api"},
	    {"/apis", "none"},
	    {"/files/", "/files/"},
	    {"/files/a", "/files/"},
	    {"/files", "none"},
	    {"/filesystem", "none"},
	    {"/exact?/api/pay", "/exact"},
	    {"/", "none"},
	    {"*", "none"},
	    {"", "none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(
		    found(routes, 4, cases[i].path), cases[i].route);
}

static void
root_takes_all_but_the_longer(void **state)
{
	static const struct config_route set[] = {
	    {.path = (char *)(uintptr_t)"/"},
	    {.path = (char *)(uintptr_t)"/nginx-health"},
	};

	(void)state;
	assert_string_equal(found(set, 2, "/"), "/");
	assert_string_equal(found(set, 2, "/any/thing"), "/");
	assert_string_equal(found(set, 2, "/nginx-health"), "/nginx-health");
	assert_string_equal(found(set, 2, "/nginx-healthy"), "/");
}

static void
no_routes(void **state)
{
	(void)state;
	assert_string_equal(found(NULL, 0, "/"), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds),
	    cmocka_unit_test(root_takes_all_but_the_longer),
	    cmocka_unit_test(no_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
