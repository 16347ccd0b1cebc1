/*
 * hash_ring - consistent hashing: which member has a key, such that few keys
 * move when members come and go (Karger et al. 1997; the many points for each
 * are ketama's). Pure; worker only.
 *
 * A member's points depend on its number and weight alone, not on its place or
 * on the others: who leaves takes only its own keys along, and who comes takes
 * keys only for itself. (Only where weights add up to more than
 * HASH_RING_POINTS_MAX allows do all have half as many points, or a quarter.)
 */
#ifndef HASH_RING_H
#define HASH_RING_H

#include <stddef.h>
#include <stdint.h>

/* Of a member, for each unit of its weight. */
#define HASH_RING_POINTS 160
#define HASH_RING_POINTS_MAX 65536

struct hash_ring_member {
	uint64_t number; /* a hash of what it is; the same everywhere */
	unsigned weight; /* 0: has no point */
};

struct hash_ring_point {
	uint64_t at;
	uint32_t member;
};

/* All zero: empty. */
struct hash_ring {
	struct hash_ring_point *points; /* in order */
	size_t count;
};

/* In place of what it held. -1 with ENOMEM: then it is empty. */
int hash_ring_build(struct hash_ring *ring,
    const struct hash_ring_member *members, size_t count);
void hash_ring_fini(struct hash_ring *ring);

/* The position of hash's point, below ring->count; 0 when that is 0. Those who
 * pass it over go on at hash_ring_next(). */
size_t hash_ring_find(const struct hash_ring *ring, uint64_t hash);

static inline size_t
hash_ring_next(const struct hash_ring *ring, size_t position)
{
	return position + 1 < ring->count ? position + 1 : 0;
}

#endif
