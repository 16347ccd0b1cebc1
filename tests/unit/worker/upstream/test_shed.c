/* Goal: a standing queue, and no other, changes to newest first. Under overload
 * refusals are quick, served requests waited little, and no connection stands
 * idle for it; the order returns with the capacity. The clock is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shed.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)
#define START (100 * SECOND)

static const struct shed_limits limits = {
    .target_us = 100 * MS,
    .interval_us = SECOND,
    .timeout_us = 5 * SECOND,
};

static struct shed
shed_with(uint64_t target_us)
{
	struct shed_limits l = limits;
	struct shed s;

	l.target_us = target_us;
	shed_init(&s, &l);
	return s;
}

/* ---- what a standing queue is ---- */

static bool
begins(struct shed *s, unsigned count, uint64_t oldest_us, uint64_t now_us)
{
	struct shed_queue queue = {count, oldest_us};

	shed_look(s, &queue, now_us);
	return shed_is_newest_first(s);
}

static void
a_delay_above_the_target_for_the_interval(void **state)
{
	struct shed s = shed_with(100 * MS);
	struct shed_queue queue = {2, START};

	(void)state;
	assert_int_equal(shed_limit_us(&s), 5 * SECOND);
	assert_int_equal(shed_due_us(&s, &queue), START + 1100 * MS);
	assert_false(begins(&s, 2, START, START + 1100 * MS - 1));
	/* The next request in line is as late: no new interval. */
	assert_false(begins(&s, 2, START + 500 * MS, START + 1100 * MS - 1));
	assert_true(begins(&s, 2, START + 900 * MS, START + 1100 * MS));
	assert_int_equal(shed_limit_us(&s), 25 * MS);
}

static void
a_delay_below_it_in_between_begins_anew(void **state)
{
	struct shed s = shed_with(100 * MS);

	(void)state;
	assert_false(begins(&s, 9, START, START + 900 * MS));
	assert_false(begins(&s, 9, START + 850 * MS, START + 940 * MS));
	assert_false(begins(&s, 9, START + 850 * MS, START + 1940 * MS));
	assert_true(begins(&s, 9, START + 850 * MS, START + 1950 * MS));
}

static void
one_alone_is_no_queue(void **state)
{
	struct shed s = shed_with(100 * MS);
	struct shed_queue queue = {1, START};

	(void)state;
	assert_false(begins(&s, 1, START, START + 4 * SECOND));
	assert_true(shed_due_us(&s, &queue) == UINT64_MAX);
	assert_true(begins(&s, 2, START, START + 4 * SECOND));
}

static void
without_a_target_never(void **state)
{
	struct shed s = shed_with(0);
	struct shed_queue queue = {50, START};

	(void)state;
	assert_false(begins(&s, 50, START, START + 100 * SECOND));
	assert_true(shed_due_us(&s, &queue) == UINT64_MAX);
	assert_int_equal(shed_limit_us(&s), 5 * SECOND);
}

static void
the_timeout_stays_the_longest_wait(void **state)
{
	struct shed_limits l = limits;
	struct shed s;

	(void)state;
	l.timeout_us = 10 * MS;
	shed_init(&s, &l);
	assert_true(begins(&s, 2, START, START + 1100 * MS));
	assert_int_equal(shed_limit_us(&s), 10 * MS);
}

/* ---- the episode ---- */

static void
an_episode_has_a_first_and_an_end(void **state)
{
	struct shed s = shed_with(100 * MS);
	struct shed_queue queue = {0, 0};
	uint64_t lasted_us;

	(void)state;
	assert_false(shed_episode_is_over(&s, START));
	assert_true(shed_on_refusal(&s, START));
	assert_false(shed_on_refusal(&s, START + 700 * MS));
	assert_int_equal(shed_due_us(&s, &queue), START + 1700 * MS);
	assert_false(shed_episode_is_over(&s, START + 1700 * MS - 1));
	assert_true(shed_episode_is_over(&s, START + 1700 * MS));
	assert_int_equal(shed_end_episode(&s, &lasted_us), 2);
	assert_int_equal(lasted_us, 700 * MS);
	assert_false(shed_episode_is_over(&s, START + 9 * SECOND));
	assert_true(shed_on_refusal(&s, START + 9 * SECOND));
}

/* ---- a service under load ---- */

#define SERVERS_MAX 600
#define WAITING_MAX 20000

/* A pool of servers, each busy for `service_us` a request, in steps of a
 * millisecond. Requests come by chance. */
struct world {
	struct shed shed;
	unsigned servers;
	uint64_t service_us;
	uint64_t now_us;
	uint64_t busy_until_us[SERVERS_MAX];
	unsigned lent;
	uint64_t waiting[WAITING_MAX]; /* since when; oldest first */
	unsigned first, last;
	uint64_t random;
	/* Counted since the last clear(). */
	unsigned served, refused, slow_refusals, changes;
	uint64_t longest_wait_us;
};

static struct world world;

static double
chance(void)
{
	world.random = world.random * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
	return (double)(world.random >> 11) / (double)(UINT64_C(1) << 53);
}

static void
open_world(unsigned servers, uint64_t service_us)
{
	memset(&world, 0, sizeof(world));
	shed_init(&world.shed, &limits);
	world.servers = servers;
	world.service_us = service_us;
	world.now_us = START;
	world.random = 42;
}

static void
clear(void)
{
	world.served = world.refused = world.slow_refusals = world.changes = 0;
	world.longest_wait_us = 0;
}

static void
look(void)
{
	struct shed_queue queue = {
	    world.last - world.first, world.waiting[world.first]};
	bool before = shed_is_newest_first(&world.shed);

	shed_look(&world.shed, &queue, world.now_us);
	world.changes += before != shed_is_newest_first(&world.shed);
}

static bool
serve(uint64_t since_us)
{
	for (unsigned i = 0; i < world.servers; i++) {
		if (world.busy_until_us[i] != 0)
			continue;
		world.busy_until_us[i] = world.now_us + world.service_us;
		world.lent++;
		world.served++;
		if (world.now_us - since_us > world.longest_wait_us)
			world.longest_wait_us = world.now_us - since_us;
		return true;
	}
	return false;
}

static void
finish_some(void)
{
	for (unsigned i = 0; i < world.servers; i++) {
		if (world.busy_until_us[i] == 0 ||
		    world.busy_until_us[i] > world.now_us)
			continue;
		world.busy_until_us[i] = 0;
		world.lent--;
	}
}

static void
serve_the_queue(void)
{
	while (world.first < world.last && world.lent < world.servers) {
		assert_true(
		    serve(world.waiting[shed_is_newest_first(&world.shed)
					    ? --world.last
					    : world.first++]));
		look();
	}
}

static void
refuse_the_old(void)
{
	look();
	while (world.first < world.last &&
	       world.now_us >=
		   world.waiting[world.first] + shed_limit_us(&world.shed)) {
		uint64_t waited_us =
		    world.now_us - world.waiting[world.first++];

		world.refused++;
		world.slow_refusals += waited_us > 40 * MS;
		(void)shed_on_refusal(&world.shed, world.now_us);
		look();
	}
}

static void
arrive(void)
{
	bool waits = world.first < world.last || !serve(world.now_us);

	if (waits || shed_is_newest_first(&world.shed))
		shed_on_arrival(&world.shed, world.lent, waits);
	if (!waits)
		return;
	if (world.first == world.last)
		world.first = world.last = 0;
	assert_true(world.last < WAITING_MAX);
	world.waiting[world.last++] = world.now_us;
}

/* rate: requests a second. */
static void
run(double rate, uint64_t for_us)
{
	uint64_t end_us = world.now_us + for_us;

	for (; world.now_us < end_us; world.now_us += MS) {
		finish_some();
		serve_the_queue();
		refuse_the_old();
		for (double left = rate / 1000 * 2; left > 0; left -= 1)
			if (chance() < (left < 1 ? left : 1) / 2)
				arrive();
	}
}

/* Six times what 500 connections of 1.5 s carry. */
static void
heavy_overload_is_refused_quickly(void **state)
{
	(void)state;
	open_world(500, 1500 * MS);
	run(2000, 5 * SECOND);
	assert_true(shed_is_newest_first(&world.shed));
	clear();
	run(2000, 30 * SECOND);
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.slow_refusals, 0);
	assert_true(world.longest_wait_us <= 30 * MS);
	/* At least 95 % of the connections are in use. */
	assert_true(world.served > 30 * 333 * 95 / 100);
}

/* By a tenth: the queue is often empty, and still has to be short. */
static void
mild_overload_likewise(void **state)
{
	(void)state;
	open_world(150, 1500 * MS);
	run(200, 6 * SECOND);
	assert_true(shed_is_newest_first(&world.shed));
	clear();
	run(110, 60 * SECOND);
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.slow_refusals, 0);
	assert_true(world.longest_wait_us <= 30 * MS);
	assert_true(world.served > 60 * 100 * 90 / 100);
}

static void
a_few_connections_likewise(void **state)
{
	(void)state;
	open_world(5, 200 * MS);
	run(50, 6 * SECOND);
	assert_true(shed_is_newest_first(&world.shed));
	clear();
	run(50, 60 * SECOND);
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.slow_refusals, 0);
}

/* A short queue loses some requests to chance; that alone keeps no overload
 * going. */
static void
below_the_capacity_all_are_served_again(void **state)
{
	static const struct {
		unsigned servers;
		uint64_t service_us;
		double overload, rate;
	} loads[] = {
	    {500, 1500 * MS, 2000, 300},
	    {150, 1500 * MS, 400, 90},
	    {5, 200 * MS, 100, 18},
	    {2, 1000 * MS, 20, 0.5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		open_world(loads[i].servers, loads[i].service_us);
		run(loads[i].overload, 20 * SECOND);
		assert_true(shed_is_newest_first(&world.shed));
		run(loads[i].rate, 30 * SECOND);
		assert_false(shed_is_newest_first(&world.shed));
		clear();
		run(loads[i].rate, 30 * SECOND);
		assert_int_equal(world.changes, 0);
		assert_int_equal(world.refused, 0);
	}
}

static void
a_silent_service_ends_it(void **state)
{
	(void)state;
	open_world(10, 3600 * SECOND);
	run(100, 10 * SECOND);
	assert_true(shed_is_newest_first(&world.shed));
	clear();
	run(100, 10 * SECOND);
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.slow_refusals, 0);
	assert_true(world.refused > 900);
	/* Nobody asks any more. */
	run(0, 3 * SECOND);
	assert_false(shed_is_newest_first(&world.shed));
}

/* Twice what the connections carry, for less than the interval. */
static void
a_burst_is_queued(void **state)
{
	(void)state;
	open_world(100, 100 * MS);
	for (int i = 0; i < 10; i++) {
		run(2000, 300 * MS);
		run(400, 3 * SECOND);
	}
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.refused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_delay_above_the_target_for_the_interval),
	    cmocka_unit_test(a_delay_below_it_in_between_begins_anew),
	    cmocka_unit_test(one_alone_is_no_queue),
	    cmocka_unit_test(without_a_target_never),
	    cmocka_unit_test(the_timeout_stays_the_longest_wait),
	    cmocka_unit_test(an_episode_has_a_first_and_an_end),
	    cmocka_unit_test(heavy_overload_is_refused_quickly),
	    cmocka_unit_test(mild_overload_likewise),
	    cmocka_unit_test(a_few_connections_likewise),
	    cmocka_unit_test(below_the_capacity_all_are_served_again),
	    cmocka_unit_test(a_silent_service_ends_it),
	    cmocka_unit_test(a_burst_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
