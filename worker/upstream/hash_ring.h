/*
 * hash_ring - consistent hashing: few keys move when members come and go
 * (Karger et al. 1997; many points per member as in ketama). Pure; worker only.
 *
 * The points of a member depend on its number and weight alone, not on the
 * place or on other members. A leaving member takes along only its own keys,
 * and a new member takes keys only for itself. (When the weights need more than
 * HASH_RING_POINTS_MAX points, all members have half as many, or a quarter.)
 */
#ifndef HASH_RING_H
#define HASH_RING_H

#include <stddef.h>
#include <stdint.h>

/* Points of a member per unit of weight. */
#define HASH_RING_POINTS 160
#define HASH_RING_POINTS_MAX 65536

struct hash_ring_member {
	uint64_t number; /* a hash of the identity, the same everywhere */
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

/* Replaces the contents. -1 with ENOMEM: the ring is empty. */
int hash_ring_build(struct hash_ring *ring,
    const struct hash_ring_member *members, size_t count);
void hash_ring_fini(struct hash_ring *ring);

/* The position of the point for hash, below ring->count; 0 for an empty ring. A
 * caller that rejects the member goes on at hash_ring_next(). */
size_t hash_ring_find(const struct hash_ring *ring, uint64_t hash);

static inline size_t
hash_ring_next(const struct hash_ring *ring, size_t position)
{
	return position + 1 < ring->count ? position + 1 : 0;
}

#endif
