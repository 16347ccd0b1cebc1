/*
 * counter - cells of shared memory with one writing process and any number of
 * readers.
 *
 * The only writer adds without a lock prefix: a load and a store.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* A total: only ever grows. */
static inline void
counter_add(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell,
	    atomic_load_explicit(cell, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* A gauge: goes up and down. */
static inline void
counter_gauge(_Atomic uint32_t *cell, int32_t by)
{
	atomic_store_explicit(cell,
	    atomic_load_explicit(cell, memory_order_relaxed) + (uint32_t)by,
	    memory_order_relaxed);
}

#endif
