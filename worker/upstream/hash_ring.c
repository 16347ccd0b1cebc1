#include "hash_ring.h"

#include <stdlib.h>

#include "hash.h"

/* Of SplitMix64: consecutive multiples are far apart. */
#define STEP UINT64_C(0x9e3779b97f4a7c15)

static int
compare(const void *a, const void *b)
{
	const struct hash_ring_point *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	/* Two members with one number are the same to everybody. */
	return (x->member > y->member) - (x->member < y->member);
}

static size_t
points_per_weight(const struct hash_ring_member *members, size_t count)
{
	size_t weight = 0, points = HASH_RING_POINTS;

	for (size_t i = 0; i < count; i++)
		weight += members[i].weight;
	while (points > 1 && points * weight > HASH_RING_POINTS_MAX)
		points /= 2;
	return weight != 0 ? points : 0;
}

int
hash_ring_build(struct hash_ring *ring, const struct hash_ring_member *members,
    size_t count)
{
	size_t points = points_per_weight(members, count), n = 0;

	hash_ring_fini(ring);
	for (size_t i = 0; i < count; i++)
		n += points * members[i].weight;
	if (n == 0)
		return 0;
	ring->points = calloc(n, sizeof(*ring->points));
	if (ring->points == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 1; k <= points * members[i].weight; k++)
			ring->points[ring->count++] = (struct hash_ring_point){
			    hash_mix(members[i].number + k * STEP),
			    (uint32_t)i};
	qsort(ring->points, n, sizeof(*ring->points), compare);
	return 0;
}

void
hash_ring_fini(struct hash_ring *ring)
{
	free(ring->points);
	ring->points = NULL;
	ring->count = 0;
}

size_t
hash_ring_find(const struct hash_ring *ring, uint64_t hash)
{
	size_t low = 0, high = ring->count;

	/* The first point at or behind hash; behind the last, the first. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ring->points[middle].at < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ring->count ? low : 0;
}
