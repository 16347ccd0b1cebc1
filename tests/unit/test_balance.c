/* balance: turns, loads, and passing over what is out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "balance.h"

static void
round_robin_takes_turns(void **state)
{
	const struct balance_candidate c[3] = {
	    {.usable = true}, {.usable = true}, {.usable = true}};
	unsigned turn = 1;

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(
		    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 3, &turn),
		    (i + 1) % 3);
}

static void
round_robin_ignores_load(void **state)
{
	const struct balance_candidate c[2] = {
	    {.usable = true, .load = 100}, {.usable = true}};
	unsigned turn = 0;

	(void)state;
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 2, &turn), 0);
}

static void
least_conn_takes_the_least(void **state)
{
	const struct balance_candidate c[4] = {
	    {.usable = true, .load = 5},
	    {.usable = true, .load = 2},
	    {.usable = true, .load = 9},
	    {.usable = true, .load = 2},
	};
	unsigned turn = 0;

	(void)state;
	/* Ties by turn, so that equals share. */
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 4, &turn), 1);
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 4, &turn), 3);
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 4, &turn), 1);
}

static void
passes_over_what_is_out_of_order(void **state)
{
	const struct balance_candidate c[3] = {
	    {.usable = false}, {.usable = true, .load = 9}, {.usable = false}};
	unsigned turn = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 3, &turn), 1);
		assert_int_equal(
		    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 3, &turn), 1);
	}
}

static void
avoids_the_one_that_failed(void **state)
{
	struct balance_candidate c[2] = {
	    {.usable = true, .avoid = true}, {.usable = true, .load = 9}};
	unsigned turn = 0;

	(void)state;
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 2, &turn), 1);
	/* But rather the same again than one that is known to be down. */
	c[1].usable = false;
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_LEAST_CONN, c, 2, &turn), 0);
}

static void
uses_all_when_none_is_usable(void **state)
{
	const struct balance_candidate c[2] = {{0}, {0}};
	unsigned turn = 0;

	(void)state;
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 2, &turn), 0);
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 2, &turn), 1);
}

static void
survives_a_shrinking_list(void **state)
{
	const struct balance_candidate c[1] = {{.usable = true}};
	unsigned turn = 4000000000u;

	(void)state;
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_ROUND_ROBIN, c, 1, &turn), 0);
	assert_int_equal(
	    balance_pick(CONFIG_POLICY_ROUND_ROBIN, NULL, 0, &turn), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_robin_takes_turns),
	    cmocka_unit_test(round_robin_ignores_load),
	    cmocka_unit_test(least_conn_takes_the_least),
	    cmocka_unit_test(passes_over_what_is_out_of_order),
	    cmocka_unit_test(avoids_the_one_that_failed),
	    cmocka_unit_test(uses_all_when_none_is_usable),
	    cmocka_unit_test(survives_a_shrinking_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
