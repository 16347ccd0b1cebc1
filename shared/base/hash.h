/*
 * hash - 64-bit hashes of bytes, the same on every host. Both processes.
 *
 * Not for tables that a client could fill: nothing is secret. FNV-1a
 * (draft-eastlake-fnv) leaves names close to each other that differ in the last
 * byte. The finaliser of SplitMix64 (Steele, Lea, Flood 2014) helps callers
 * that use a few of the bits or compare by order.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Goes on from hash, HASH_START at first. */
static inline uint64_t
hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Each bit of the result depends on all bits of n; a bijection. */
static inline uint64_t
hash_mix(uint64_t n)
{
	n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
	return n ^ (n >> 31);
}

#endif
