/* Goal: a request of a service passes a closed breaker, is refused by an open
 * one, and is counted at the service from begin to end. */
#include "stage_scene.h"

#include "admission.h"
#include "breakers.h"
#include "pool.h"
#include "service.h"

static struct service *services[1];
static bool fails;               /* the service does, by the stage behind */
static uint64_t in_flight_there; /* as seen by the stage behind */

static bool
is_for_service(const struct config_route *route)
{
	return route != NULL && route->service >= 0;
}

static uint64_t
in_flight(void)
{
	return atomic_load(&scene.rt.slot->service_in_flight[0]);
}

static enum stage_verdict
begin_service(struct request *r, void *state)
{
	in_flight_there = in_flight();
	(void)breakers_report(
	    scene.rt.breakers, r->ticket, fails, fails ? "on purpose" : NULL);
	return begin_pass(r, state);
}

static const struct stage service_stage = {
    .name = "service", .is_for = is_for_service, .begin = begin_service};

const struct stage *const chain_stages[] = {
    &admission_stage, &service_stage, &pass_stage, NULL};

static void
open_admission(const char *breaker)
{
	struct breakers_options options = {.who = "worker 1"};

	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:9']\n"
		   "  breaker: { %s }\n"
		   "routes:\n"
		   "- { path: /users, service: users }\n"
		   "- { path: /, respond: { json: '{}' } }\n",
	    breaker);
	options.loop = scene.rt.loop;
	options.config = scene.config;
	options.scoreboard = scene.rt.scoreboard;
	scene.rt.breakers = breakers_new(&options);
	services[0] = service_new(&scene.rt, 0);
	assert_non_null(services[0]);
	scene.rt.services = services;
	fails = false;
	in_flight_there = 0;
	open_stages();
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(in_flight(), 0);
	close_stages();
	service_free(services[0]);
	breakers_free(scene.rt.breakers);
	scene_close();
	return 0;
}

static uint64_t
total(enum scoreboard_service_total row)
{
	return atomic_load(&scene.rt.slot->services[0][row]);
}

static void
a_closed_breaker_admits(void **state)
{
	(void)state;
	open_admission("failures: 1, window: 10s, open_for: 10s");
	ask("GET /users", "");
	assert_says("passed");
	assert_int_equal(in_flight_there, 1);
	assert_int_equal(in_flight(), 0);
	assert_int_equal(total(SCOREBOARD_SERVICE_REQUESTS), 1);
	assert_int_equal(total(SCOREBOARD_SERVICE_REJECTED), 0);
	assert_string_equal(observed.last.service, "users");
	assert_string_equal(observed.last.breaker, "closed");
}

static void
no_breaker_leaves_no_word(void **state)
{
	(void)state;
	open_admission("failures: 0");
	ask("GET /users", "");
	assert_says("passed");
	assert_null(observed.last.breaker);
}

static void
an_open_breaker_refuses(void **state)
{
	(void)state;
	open_admission("failures: 1, window: 10s, open_for: 10s");
	fails = true;
	ask("GET /users", "");
	assert_says("passed");
	ask("GET /users", "");
	assert_int_equal(passed, 1);
	assert_says("HTTP/1.1 503 Service Unavailable\r\n");
	assert_says("Retry-After: 10\r\n");
	assert_says("circuit open");
	assert_string_equal(observed.last.breaker, "open");
	assert_int_equal(total(SCOREBOARD_SERVICE_REQUESTS), 2);
	assert_int_equal(total(SCOREBOARD_SERVICE_REJECTED), 1);
	assert_int_equal(in_flight(), 0);
}

static bool
is_probed(void)
{
	if (!has_hung_up())
		return false;
	if (observed.last.breaker != NULL &&
	    strcmp(observed.last.breaker, "half-open") == 0)
		return true;
	hang_up();
	connect_client();
	say("GET /users HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	return false;
}

static void
a_half_open_breaker_admits_a_probe(void **state)
{
	(void)state;
	open_admission("failures: 1, window: 10s, open_for: 20ms");
	fails = true;
	ask("GET /users", "");
	fails = false;
	WAIT_UNTIL(is_probed);
	assert_int_equal(passed, 2);
	ask("GET /users", "");
	assert_string_equal(observed.last.breaker, "closed");
}

static void
a_route_without_service_is_not_asked(void **state)
{
	(void)state;
	open_admission("failures: 1, window: 10s, open_for: 10s");
	ask("GET /other", "");
	assert_says("passed");
	assert_int_equal(total(SCOREBOARD_SERVICE_REQUESTS), 0);
	assert_null(observed.last.service);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_closed_breaker_admits),
	    TEST(no_breaker_leaves_no_word),
	    TEST(an_open_breaker_refuses),
	    TEST(a_half_open_breaker_admits_a_probe),
	    TEST(a_route_without_service_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
