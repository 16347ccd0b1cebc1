/* Goal: each policy's shares are exact, and every policy passes over unusable
 * candidates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance.h"

#define MAX 10

/* Candidates in the form that a service keeps. */
struct scene {
	struct balance_candidate c[MAX];
	int64_t credits[MAX];
	size_t count;
	struct balance balance;
	struct hash_ring ring;
	struct balance_by by;
	unsigned taken[MAX];
};

static struct scene
scene_of(enum config_policy policy, size_t count)
{
	struct scene s = {.count = count, .by = {.policy = policy}};

	for (size_t i = 0; i < count; i++)
		s.c[i] = (struct balance_candidate){
		    .usable = true, .weight = BALANCE_WEIGHT};
	return s;
}

static int
pick(struct scene *s)
{
	int i;

	for (size_t k = 0; k < s->count; k++)
		s->c[k].credit = &s->credits[k];
	s->by.ring = &s->ring;
	i = balance_pick(&s->balance, &s->by, s->c, s->count);
	assert_in_range(i + 1, 0, s->count);
	if (i >= 0)
		s->taken[i]++;
	return i;
}

static void
build_ring(struct scene *s)
{
	struct hash_ring_member members[MAX];

	for (size_t i = 0; i < s->count; i++)
		members[i] = (struct hash_ring_member){
		    1000003 * (i + 1), s->c[i].weight / BALANCE_WEIGHT};
	assert_int_equal(hash_ring_build(&s->ring, members, s->count), 0);
}

static const enum config_policy policies[] = {
    CONFIG_POLICY_ROUND_ROBIN,
    CONFIG_POLICY_LEAST_CONN,
    CONFIG_POLICY_RANDOM_TWO,
    CONFIG_POLICY_IP_HASH,
    CONFIG_POLICY_CONSISTENT_HASH,
};

#define POLICIES (sizeof(policies) / sizeof(policies[0]))

/* ---- in turn ---- */

static void
round_robin_takes_turns(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_ROUND_ROBIN, 3);

	(void)state;
	s.balance.first = 1;
	s.c[2].load = 100;
	for (int i = 0; i < 9; i++)
		assert_int_equal(pick(&s), (i + 1) % 3);
}

static void
weights_are_exact_and_evenly_spread(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_ROUND_ROBIN, 3);
	/* By hand: 5 is never three times in a row. */
	static const int order[8] = {2, 1, 2, 0, 2, 2, 1, 2};

	(void)state;
	s.c[1].weight *= 2;
	s.c[2].weight *= 5;
	for (int i = 0; i < 80; i++)
		assert_int_equal(pick(&s), order[i % 8]);
	assert_int_equal(s.taken[0], 10);
	assert_int_equal(s.taken[1], 20);
	assert_int_equal(s.taken[2], 50);
}

static void
turns_go_on_around_one_that_is_out(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_ROUND_ROBIN, 3);

	(void)state;
	for (int i = 0; i < 30; i++)
		pick(&s);
	s.c[1].usable = false;
	for (int i = 0; i < 30; i++)
		pick(&s);
	s.c[1].usable = true;
	for (int i = 0; i < 30; i++)
		pick(&s);
	assert_int_equal(s.taken[0], 35);
	assert_int_equal(s.taken[1], 20);
	assert_int_equal(s.taken[2], 35);
}

/* ---- by load ---- */

static void
least_conn_takes_the_least(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_LEAST_CONN, 4);
	static const uint32_t loads[4] = {5, 2, 9, 2};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		s.c[i].load = loads[i];
	/* Ties go by turn: equal candidates share. */
	assert_int_equal(pick(&s), 1);
	assert_int_equal(pick(&s), 3);
	assert_int_equal(pick(&s), 1);
}

static void
least_conn_reaches_loads_in_proportion_to_weights(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_LEAST_CONN, 3);

	(void)state;
	s.c[1].weight *= 2;
	s.c[2].weight *= 5;
	for (int i = 0; i < 800; i++)
		s.c[pick(&s)].load++;
	assert_int_equal(s.c[0].load, 100);
	assert_int_equal(s.c[1].load, 200);
	assert_int_equal(s.c[2].load, 500);
	/* Idle candidates share in the same proportion. */
	memset(s.taken, 0, sizeof(s.taken));
	for (size_t i = 0; i < 3; i++)
		s.c[i].load = 0;
	for (int i = 0; i < 80; i++)
		pick(&s);
	assert_int_equal(s.taken[0], 10);
	assert_int_equal(s.taken[1], 20);
	assert_int_equal(s.taken[2], 50);
}

/* ---- by chance ---- */

static void
random_two_draws_by_weight(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_RANDOM_TWO, 3);

	(void)state;
	s.c[1].weight *= 2;
	s.c[2].weight *= 5;
	/* Equal loads: the first candidate drawn wins. */
	for (int i = 0; i < 80000; i++)
		pick(&s);
	assert_in_range(s.taken[0], 9700, 10300);
	assert_in_range(s.taken[1], 19600, 20400);
	assert_in_range(s.taken[2], 49500, 50500);
}

static void
random_two_never_takes_the_worst(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_RANDOM_TWO, 4);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		s.c[i].load = 10 * i;
	for (int i = 0; i < 60000; i++)
		pick(&s);
	/* Of the 6 pairs, 3 have the first, 2 more the second, 1 the third. */
	assert_in_range(s.taken[0], 29600, 30400);
	assert_in_range(s.taken[1], 19600, 20400);
	assert_in_range(s.taken[2], 9700, 10300);
	assert_int_equal(s.taken[3], 0);
	/* Twice the load at three times the weight is less. */
	s = scene_of(CONFIG_POLICY_RANDOM_TWO, 2);
	s.c[0].load = 10;
	s.c[1].load = 20;
	s.c[1].weight *= 3;
	for (int i = 0; i < 100; i++)
		assert_int_equal(pick(&s), 1);
}

static void
random_two_is_its_seeds(void **state)
{
	struct scene a = scene_of(CONFIG_POLICY_RANDOM_TWO, 5);
	struct scene b = a, other = a;
	unsigned same = 0;

	(void)state;
	other.balance.random = 1;
	for (int i = 0; i < 1000; i++) {
		int one = pick(&a);

		assert_int_equal(one, pick(&b));
		same += one == pick(&other);
	}
	assert_in_range(same, 100, 300);
}

/* ---- by key ---- */

static void
a_key_stays_where_it_is(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_CONSISTENT_HASH, 5);
	int at[1000];

	(void)state;
	build_ring(&s);
	for (uint64_t k = 0; k < 1000; k++) {
		s.by.hash = k * UINT64_C(0x9e3779b97f4a7c15);
		at[k] = pick(&s);
	}
	/* Loads do not matter; an unusable candidate loses its own keys
	 * only. */
	s.c[3].usable = false;
	s.c[0].load = 1000;
	for (uint64_t k = 0; k < 1000; k++) {
		s.by.hash = k * UINT64_C(0x9e3779b97f4a7c15);
		if (at[k] != 3)
			assert_int_equal(pick(&s), at[k]);
		else
			assert_int_not_equal(pick(&s), 3);
	}
	hash_ring_fini(&s.ring);
}

static void
without_a_ring_keys_go_in_turn(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_IP_HASH, 3);

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(pick(&s), i % 3);
}

/* ---- unusable candidates, under each policy ---- */

static struct scene
scene_with_ring(size_t policy, size_t count)
{
	struct scene s = scene_of(policies[policy], count);

	build_ring(&s);
	return s;
}

static void
passes_over_what_is_out_of_order(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_with_ring(p, 3);

		s.c[0].usable = s.c[2].usable = false;
		s.c[1].load = 9;
		for (int i = 0; i < 50; i++) {
			s.by.hash = (uint64_t)i << 58;
			assert_int_equal(pick(&s), 1);
		}
		hash_ring_fini(&s.ring);
	}
}

static void
passes_over_what_is_full(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_with_ring(p, 3);

		s.c[0].full = s.c[2].full = true;
		s.c[1].load = 9;
		for (int i = 0; i < 50; i++) {
			s.by.hash = (uint64_t)i << 58;
			assert_int_equal(pick(&s), 1);
		}
		s.c[1].full = true;
		assert_int_equal(pick(&s), -1);
		hash_ring_fini(&s.ring);
	}
}

/* Waiting for a good one is better than a bad one at once. */
static void
takes_no_unusable_one_for_a_full_one(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_with_ring(p, 3);

		s.c[0].full = true;
		s.c[1].usable = s.c[2].usable = false;
		assert_int_equal(pick(&s), -1);
		s.c[0].weight = 0;
		assert_in_range(pick(&s), 1, 2);
		hash_ring_fini(&s.ring);
	}
}

static void
avoids_the_one_that_failed(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_with_ring(p, 2);

		s.c[0].avoid = true;
		s.c[1].load = 9;
		for (int i = 0; i < 50; i++) {
			s.by.hash = (uint64_t)i << 58;
			assert_int_equal(pick(&s), 1);
		}
		/* The same candidate again is better than a candidate known to
		 * be down. */
		s.c[1].usable = false;
		for (int i = 0; i < 50; i++) {
			s.by.hash = (uint64_t)i << 58;
			assert_int_equal(pick(&s), 0);
		}
		hash_ring_fini(&s.ring);
	}
}

static void
uses_all_when_none_is_usable(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_with_ring(p, 2);

		s.c[0].usable = s.c[1].usable = false;
		for (uint64_t i = 0; i < 64; i++) {
			s.by.hash = i << 58;
			pick(&s);
		}
		assert_int_not_equal(s.taken[0], 0);
		assert_int_not_equal(s.taken[1], 0);
		hash_ring_fini(&s.ring);
	}
}

static void
a_drained_one_takes_nothing(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_of(policies[p], 3);

		s.c[1].weight = 0;
		build_ring(&s);
		/* Not even when the rest is down, or has failed. */
		s.c[0].usable = false;
		s.c[2].avoid = true;
		for (uint64_t i = 0; i < 64; i++) {
			s.by.hash = i << 58;
			assert_int_equal(pick(&s), 2);
		}
		s.c[0].weight = s.c[2].weight = 0;
		assert_int_equal(pick(&s), -1);
		hash_ring_fini(&s.ring);
	}
}

static void
nobody_is_nobody(void **state)
{
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct scene s = scene_of(policies[p], 0);

		s.balance.first = 4000000000u;
		assert_int_equal(pick(&s), -1);
		s = scene_of(policies[p], 1);
		s.balance.first = 4000000000u;
		assert_int_equal(pick(&s), 0);
	}
}

/* ---- slow start ---- */

static void
a_newcomer_grows(void **state)
{
	const uint64_t from = 5000000, slow = 10000000;

	(void)state;
	assert_int_equal(balance_weight(1, from, slow, from), 10);
	assert_int_equal(balance_weight(1, from, slow, from + slow / 2), 55);
	assert_int_equal(balance_weight(1, from, slow, from + slow), 100);
	assert_int_equal(balance_weight(1, from, slow, from + 5 * slow), 100);
	assert_int_equal(balance_weight(100, from, slow, from), 1000);
	/* Ejected, but used for want of another candidate. */
	assert_int_equal(balance_weight(1, from, slow, from - 1), 10);
	/* Always there; no slow start; drained. */
	assert_int_equal(balance_weight(7, 0, slow, 1), 700);
	assert_int_equal(balance_weight(7, from, 0, from), 700);
	assert_int_equal(balance_weight(0, from, slow, from), 0);
	for (uint64_t us = 0, last = 0; us <= slow; us += slow / 1000) {
		uint64_t weight = balance_weight(100, from, slow, from + us);

		assert_in_range(weight, last, last == 0 ? 1000 : last + 100);
		last = weight;
	}
}

static void
a_newcomer_takes_a_tenth_of_a_share(void **state)
{
	struct scene s = scene_of(CONFIG_POLICY_ROUND_ROBIN, 2);

	(void)state;
	s.c[1].weight = balance_weight(1, 1, 1000000, 1);
	for (int i = 0; i < 110; i++)
		pick(&s);
	assert_int_equal(s.taken[0], 100);
	assert_int_equal(s.taken[1], 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_robin_takes_turns),
	    cmocka_unit_test(weights_are_exact_and_evenly_spread),
	    cmocka_unit_test(turns_go_on_around_one_that_is_out),
	    cmocka_unit_test(least_conn_takes_the_least),
	    cmocka_unit_test(least_conn_reaches_loads_in_proportion_to_weights),
	    cmocka_unit_test(random_two_draws_by_weight),
	    cmocka_unit_test(random_two_never_takes_the_worst),
	    cmocka_unit_test(random_two_is_its_seeds),
	    cmocka_unit_test(a_key_stays_where_it_is),
	    cmocka_unit_test(without_a_ring_keys_go_in_turn),
	    cmocka_unit_test(passes_over_what_is_out_of_order),
	    cmocka_unit_test(passes_over_what_is_full),
	    cmocka_unit_test(takes_no_unusable_one_for_a_full_one),
	    cmocka_unit_test(avoids_the_one_that_failed),
	    cmocka_unit_test(uses_all_when_none_is_usable),
	    cmocka_unit_test(a_drained_one_takes_nothing),
	    cmocka_unit_test(nobody_is_nobody),
	    cmocka_unit_test(a_newcomer_grows),
	    cmocka_unit_test(a_newcomer_takes_a_tenth_of_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
