/* Goal: the ring shares keys by weight, the same everywhere, and moves no key
 * needlessly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hash.h"
#include "hash_ring.h"

#define KEYS 20000

static uint64_t
number_of(unsigned i)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "10.0.0.%u:3000", i);

	return hash_mix(hash_bytes(HASH_START, text, (size_t)len));
}

static uint64_t
key(unsigned i)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "/users/%u", i);

	return hash_mix(hash_bytes(HASH_START, text, (size_t)len));
}

static uint32_t
owner(const struct hash_ring *ring, unsigned i)
{
	return ring->points[hash_ring_find(ring, key(i))].member;
}

static struct hash_ring
ring_of(const struct hash_ring_member *members, size_t count)
{
	struct hash_ring ring = {0};

	assert_int_equal(hash_ring_build(&ring, members, count), 0);
	for (size_t i = 1; i < ring.count; i++)
		assert_true(ring.points[i - 1].at <= ring.points[i].at);
	return ring;
}

static void
fill(struct hash_ring_member *members, size_t count)
{
	for (unsigned i = 0; i < count; i++)
		members[i] = (struct hash_ring_member){number_of(i), 1};
}

static void
who_leaves_takes_only_its_own_keys(void **state)
{
	struct hash_ring_member members[10];
	struct hash_ring all, rest;
	unsigned moved = 0, taken[10] = {0};

	(void)state;
	fill(members, 10);
	all = ring_of(members, 10);
	for (unsigned gone = 0; gone < 10; gone++) {
		struct hash_ring_member left[9];

		for (unsigned i = 0, n = 0; i < 10; i++)
			if (i != gone)
				left[n++] = members[i];
		rest = ring_of(left, 9);
		for (unsigned k = 0; k < KEYS; k++) {
			uint32_t before = owner(&all, k);
			uint32_t after = owner(&rest, k);

			/* Behind the gap, indices are one less. */
			after += after >= gone;
			if (before != gone)
				assert_int_equal(after, before);
			else
				moved++, taken[after]++;
		}
		hash_ring_fini(&rest);
	}
	/* Each key lost its owner once, and every endpoint got keys. */
	assert_int_equal(moved, KEYS);
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(taken[i], KEYS / 20, KEYS / 5);
	hash_ring_fini(&all);
}

static void
order_does_not_matter(void **state)
{
	struct hash_ring_member members[10], mirrored[10];
	struct hash_ring a, b;

	(void)state;
	fill(members, 10);
	for (unsigned i = 0; i < 10; i++)
		mirrored[9 - i] = members[i];
	a = ring_of(members, 10);
	b = ring_of(mirrored, 10);
	for (unsigned k = 0; k < KEYS; k++)
		assert_int_equal(owner(&a, k), 9 - owner(&b, k));
	hash_ring_fini(&a);
	hash_ring_fini(&b);
}

static void
shares_follow_weights(void **state)
{
	struct hash_ring_member members[3];
	struct hash_ring ring;
	unsigned taken[3] = {0};

	(void)state;
	fill(members, 3);
	members[1].weight = 2;
	members[2].weight = 5;
	ring = ring_of(members, 3);
	assert_int_equal(ring.count, 8 * HASH_RING_POINTS);
	for (unsigned k = 0; k < KEYS; k++)
		taken[owner(&ring, k)]++;
	assert_in_range(taken[0], KEYS / 8 * 8 / 10, KEYS / 8 * 12 / 10);
	assert_in_range(taken[1], KEYS / 4 * 8 / 10, KEYS / 4 * 12 / 10);
	assert_in_range(
	    taken[2], KEYS * 5 / 8 * 9 / 10, KEYS * 5 / 8 * 11 / 10);
	hash_ring_fini(&ring);
}

/* More weight, in place, takes keys and gives none. */
static void
more_weight_only_gains(void **state)
{
	struct hash_ring_member members[4];
	struct hash_ring before, after;

	(void)state;
	fill(members, 4);
	before = ring_of(members, 4);
	members[2].weight = 3;
	after = ring_of(members, 4);
	for (unsigned k = 0; k < KEYS; k++)
		if (owner(&after, k) != 2)
			assert_int_equal(owner(&after, k), owner(&before, k));
	hash_ring_fini(&before);
	hash_ring_fini(&after);
}

static void
weight_0_has_no_keys(void **state)
{
	struct hash_ring_member members[3];
	struct hash_ring ring;

	(void)state;
	fill(members, 3);
	members[1].weight = 0;
	ring = ring_of(members, 3);
	for (unsigned k = 0; k < KEYS; k++)
		assert_int_not_equal(owner(&ring, k), 1);
	members[0].weight = members[2].weight = 0;
	assert_int_equal(hash_ring_build(&ring, members, 3), 0);
	assert_int_equal(ring.count, 0);
	assert_int_equal(hash_ring_find(&ring, 1), 0);
	assert_int_equal(hash_ring_build(&ring, NULL, 0), 0);
	assert_int_equal(ring.count, 0);
	hash_ring_fini(&ring);
}

static void
many_heavy_members_fit(void **state)
{
	struct hash_ring_member members[256];
	struct hash_ring ring;
	bool seen[256] = {false};

	(void)state;
	fill(members, 256);
	for (unsigned i = 0; i < 255; i++)
		members[i].weight = 100;
	ring = ring_of(members, 256);
	assert_in_range(
	    ring.count, HASH_RING_POINTS_MAX / 4, HASH_RING_POINTS_MAX);
	for (size_t i = 0; i < ring.count; i++)
		seen[ring.points[i].member] = true;
	for (unsigned i = 0; i < 256; i++)
		assert_true(seen[i]);
	hash_ring_fini(&ring);
}

static void
it_is_a_ring(void **state)
{
	struct hash_ring_member members[2];
	struct hash_ring ring;
	size_t at;

	(void)state;
	fill(members, 2);
	ring = ring_of(members, 2);
	/* Behind the last point comes the first. */
	assert_true(ring.points[ring.count - 1].at < UINT64_MAX);
	assert_int_equal(hash_ring_find(&ring, UINT64_MAX), 0);
	assert_int_equal(hash_ring_find(&ring, 0), 0);
	assert_int_equal(hash_ring_find(&ring, ring.points[7].at), 7);
	assert_int_equal(hash_ring_find(&ring, ring.points[7].at + 1), 8);
	at = 5;
	for (size_t i = 0; i < ring.count; i++)
		at = hash_ring_next(&ring, at);
	assert_int_equal(at, 5);
	hash_ring_fini(&ring);
}

/* A new version of Drover must move no keys: a changed mapping empties the
 * caches behind Drover. */
static void
the_mapping_stays(void **state)
{
	struct hash_ring_member members[5];
	struct hash_ring ring;
	char owners[17] = "";

	(void)state;
	fill(members, 5);
	ring = ring_of(members, 5);
	for (unsigned k = 0; k < 16; k++)
		owners[k] = (char)('0' + owner(&ring, k));
	assert_string_equal(owners, "0211223142023004");
	hash_ring_fini(&ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_leaves_takes_only_its_own_keys),
	    cmocka_unit_test(order_does_not_matter),
	    cmocka_unit_test(shares_follow_weights),
	    cmocka_unit_test(more_weight_only_gains),
	    cmocka_unit_test(weight_0_has_no_keys),
	    cmocka_unit_test(many_heavy_members_fit),
	    cmocka_unit_test(it_is_a_ring),
	    cmocka_unit_test(the_mapping_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
