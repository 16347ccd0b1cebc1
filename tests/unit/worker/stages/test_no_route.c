/* Goal: a path without a route is a 404; a path whose routes have other methods
 * is a 405 that names the methods. */
#include "stage_scene.h"

#include "no_route.h"

const struct stage *const chain_stages[] = {&no_route_stage, &pass_stage, NULL};

static int
setup(void **state)
{
	(void)state;
	scene_open("%s",
	    "routes:\n"
	    "- { path: /a, methods: [GET, POST], respond: { json: '{}' } }\n"
	    "- { path: /a, methods: [DELETE], respond: { json: '{}' } }\n");
	open_stages();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_stages();
	scene_close();
	return 0;
}

static void
a_route_is_not_in_the_way(void **state)
{
	(void)state;
	ask("DELETE /a", "");
	assert_says("passed");
	assert_int_equal(passed, 1);
}

static void
no_path_is_a_404(void **state)
{
	(void)state;
	ask("GET /b", "");
	assert_int_equal(passed, 0);
	assert_says("HTTP/1.1 404 Not Found\r\n");
	assert_says("{\"error\":\"no route for this "
		    "path\",\"status\":404,\"requestId\":\"");
	assert_int_equal(observed.last.status, 404);
}

static void
no_method_is_a_405_with_all_methods(void **state)
{
	(void)state;
	ask("PUT /a", "");
	assert_int_equal(passed, 0);
	assert_says("HTTP/1.1 405 Method Not Allowed\r\n");
	assert_says("Allow: ");
	assert_says("GET");
	assert_says("POST");
	assert_says("DELETE");
	assert_says("{\"error\":\"method not allowed "
		    "here\",\"status\":405,\"requestId\":\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_route_is_not_in_the_way),
	    TEST(no_path_is_a_404),
	    TEST(no_method_is_a_405_with_all_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
