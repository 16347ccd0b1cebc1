/* Goal: a failing endpoint is ejected for a time that doubles, a returning
 * endpoint starts slowly, and load and checks are the whole host's. */
#include "runtime_scene.h"

#include "balance.h"
#include "endpoint.h"

#define FOR_US (10 * SECOND)

static struct endpoint *e, *other;

static struct endpoint *
new_endpoint(size_t origin)
{
	const struct config_endpoint *config =
	    &scene.config->services[0].endpoints[origin];
	struct endpoint *new =
	    endpoint_new(&scene.rt, 0, &config->addr, config);

	assert_non_null(new);
	return new;
}

static void
open_endpoint(const char *options)
{
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:9 weight=4', '127.0.0.1:8']\n"
		   "  eject: { failures: 3, for: 10s }\n"
		   "%s",
	    options);
	e = new_endpoint(0);
	other = new_endpoint(1);
}

static int
teardown(void **state)
{
	(void)state;
	endpoint_leave(e, false);
	endpoint_leave(other, false);
	scene_close();
	return 0;
}

static uint64_t
now_us(void)
{
	return loop_now_us(scene.rt.loop);
}

/* Ejected for the given time from now, and usable after. */
static void
assert_ejected_for(uint64_t us)
{
	uint64_t now = now_us();

	assert_int_equal(e->ejected_until_us - now, us);
	assert_false(endpoint_is_usable(e, now));
	assert_false(endpoint_is_usable(e, now + us - 1));
	assert_true(endpoint_is_usable(e, now + us));
}

/* The time is over: failures count again. */
static void
come_back(void)
{
	e->ejected_until_us = now_us();
}

/* ---- ejection ---- */

static void
failures_in_a_row_eject(void **state)
{
	(void)state;
	open_endpoint("");
	for (int i = 0; i < 2; i++) {
		endpoint_failed(e, "bad status", 0, false);
		assert_true(endpoint_is_usable(e, now_us()));
	}
	endpoint_failed(e, "bad status", 0, false);
	assert_ejected_for(FOR_US);
	assert_true(endpoint_is_usable(other, now_us()));
}

static void
a_success_between_starts_over(void **state)
{
	(void)state;
	open_endpoint("");
	for (int i = 0; i < 10; i++) {
		endpoint_failed(e, "bad status", 0, false);
		endpoint_failed(e, "bad status", 0, false);
		endpoint_worked(e);
	}
	assert_true(endpoint_is_usable(e, now_us()));
	assert_int_equal(e->failures, 0);
}

static void
one_that_can_not_be_reached_is_out_at_once(void **state)
{
	(void)state;
	open_endpoint("");
	endpoint_failed(e, "refused", 0, true);
	assert_ejected_for(FOR_US);
}

static void
what_fails_while_it_is_out_is_not_counted(void **state)
{
	(void)state;
	open_endpoint("");
	endpoint_failed(e, "refused", 0, true);
	for (int i = 0; i < 5; i++)
		endpoint_failed(e, "refused", 0, true);
	assert_ejected_for(FOR_US);
	assert_int_equal(e->failures, 1);
	assert_int_equal(e->ejections, 1);
}

static void
the_time_doubles_to_ten_times(void **state)
{
	static const unsigned times[] = {1, 2, 4, 8, 10, 10};

	(void)state;
	open_endpoint("");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		endpoint_failed(e, "refused", 0, true);
		assert_ejected_for(times[i] * FOR_US);
		come_back();
	}
	/* Until the endpoint has worked. */
	endpoint_worked(e);
	endpoint_failed(e, "refused", 0, true);
	assert_ejected_for(FOR_US);
}

static void
one_success_ends_it(void **state)
{
	(void)state;
	open_endpoint("");
	endpoint_failed(e, "refused", 0, true);
	endpoint_worked(e);
	assert_true(endpoint_is_usable(e, now_us()));
	assert_int_equal(e->ejections, 0);
}

static void
without_a_limit_only_the_unreachable_are_out(void **state)
{
	(void)state;
	open_endpoint("  health: { path: /up }\n");
	scene.config->services[0].eject.failures = 0;
	for (int i = 0; i < 100; i++)
		endpoint_failed(e, "bad status", 0, false);
	assert_true(endpoint_is_usable(e, now_us()));
	endpoint_failed(e, "refused", 0, true);
	assert_false(endpoint_is_usable(e, now_us()));
}

/* ---- weight ---- */

static void
without_slow_start_the_weight_is_whole(void **state)
{
	(void)state;
	open_endpoint("");
	endpoint_failed(e, "refused", 0, true);
	assert_int_equal(
	    endpoint_weight(e, e->ejected_until_us + 1), 4 * BALANCE_WEIGHT);
}

static void
one_that_comes_back_starts_slowly(void **state)
{
	uint64_t back_us;

	(void)state;
	open_endpoint("  slow_start: 8s\n");
	/* An endpoint present from the start takes over from no other
	 * endpoint. */
	assert_int_equal(endpoint_weight(e, now_us()), 4 * BALANCE_WEIGHT);
	endpoint_failed(e, "refused", 0, true);
	back_us = e->ejected_until_us;
	assert_in_range(endpoint_weight(e, back_us + 4 * SECOND),
	    BALANCE_WEIGHT, 3 * BALANCE_WEIGHT);
	assert_int_equal(
	    endpoint_weight(e, back_us + 8 * SECOND), 4 * BALANCE_WEIGHT);
}

/* Ejected, but the last resort: an endpoint that works is back at once. */
static void
the_start_counts_from_the_first_success(void **state)
{
	(void)state;
	open_endpoint("  slow_start: 8s\n");
	endpoint_failed(e, "refused", 0, true);
	endpoint_worked(e);
	assert_int_equal(e->since_us, now_us());
	assert_int_equal(
	    endpoint_weight(e, now_us() + 8 * SECOND), 4 * BALANCE_WEIGHT);
}

static void
one_whose_checks_pass_again_starts_slowly(void **state)
{
	struct member *shared;

	(void)state;
	open_endpoint("  slow_start: 8s\n  health: { path: /up }\n");
	assert_non_null(e->member);
	shared = e->member;
	atomic_store(&shared->up_since_us, now_us());
	assert_in_range(endpoint_weight(e, now_us() + 4 * SECOND),
	    BALANCE_WEIGHT, 3 * BALANCE_WEIGHT);
	assert_int_equal(
	    endpoint_weight(e, now_us() + 8 * SECOND), 4 * BALANCE_WEIGHT);
}

/* ---- state shared by the host ---- */

static void
what_the_checks_find_down_takes_nothing(void **state)
{
	struct member *shared;

	(void)state;
	open_endpoint("  health: { path: /up }\n");
	shared = e->member;
	assert_true(endpoint_is_usable(e, now_us()));
	atomic_store(&shared->checks, CHECKS_DOWN);
	assert_false(endpoint_is_usable(e, now_us()));
	assert_true(endpoint_is_usable(other, now_us()));
	atomic_store(&shared->checks, CHECKS_UP);
	assert_true(endpoint_is_usable(e, now_us()));
}

static void
its_load_is_the_whole_hosts(void **state)
{
	struct scoreboard_slot *neighbour;

	(void)state;
	open_endpoint("");
	neighbour = &scene.rt.scoreboard->slots[1];
	atomic_store(&scene.rt.slot->state, SLOT_READY);
	atomic_store(&neighbour->state, SLOT_READY);
	endpoint_begin(e);
	endpoint_begin(e);
	counter_gauge(&neighbour->endpoint_in_flight[e->id], 5);
	assert_int_equal(endpoint_load(e), 7);
	assert_int_equal(endpoint_load(other), 0);
	endpoint_end(e);
	assert_int_equal(endpoint_load(e), 6);
	endpoint_end(e);
}

/* Where the scoreboard's table is full. */
static void
without_a_number_its_load_is_its_connections(void **state)
{
	(void)state;
	open_endpoint("");
	e->id = SCOREBOARD_NO_ENDPOINT;
	endpoint_begin(e);
	assert_int_equal(endpoint_load(e), 0);
	endpoint_connected(e);
	endpoint_connected(e);
	endpoint_disconnected(e);
	assert_int_equal(endpoint_load(e), 1);
	endpoint_end(e);
	endpoint_disconnected(e);
}

/* The endpoint lives until its last connection is closed: the sanitizers
 * check. */
static void
one_that_has_left_is_not_ejected(void **state)
{
	struct endpoint *alone;

	(void)state;
	open_endpoint("");
	alone = new_endpoint(0);
	endpoint_connected(alone);
	endpoint_leave(alone, true);
	scene_turn();
	endpoint_failed(alone, "refused", 0, true);
	assert_int_equal(alone->ejected_until_us, 0);
	endpoint_disconnected(alone);
}

/* A name and an address of the configuration may be the same endpoint. */
static void
the_last_of_twins_takes_the_member_along(void **state)
{
	struct endpoint *twin;

	(void)state;
	open_endpoint("");
	twin = new_endpoint(0);
	assert_ptr_equal(twin->member, e->member);
	endpoint_leave(twin, true);
	assert_true(member_is_listed(e->member));
	twin = new_endpoint(0);
	endpoint_leave(twin, false);
	assert_false(member_is_listed(e->member));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(failures_in_a_row_eject),
	    TEST(a_success_between_starts_over),
	    TEST(one_that_can_not_be_reached_is_out_at_once),
	    TEST(what_fails_while_it_is_out_is_not_counted),
	    TEST(the_time_doubles_to_ten_times),
	    TEST(one_success_ends_it),
	    TEST(without_a_limit_only_the_unreachable_are_out),
	    TEST(without_slow_start_the_weight_is_whole),
	    TEST(one_that_comes_back_starts_slowly),
	    TEST(the_start_counts_from_the_first_success),
	    TEST(one_whose_checks_pass_again_starts_slowly),
	    TEST(what_the_checks_find_down_takes_nothing),
	    TEST(its_load_is_the_whole_hosts),
	    TEST(without_a_number_its_load_is_its_connections),
	    TEST(one_that_has_left_is_not_ejected),
	    TEST(the_last_of_twins_takes_the_member_along),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
