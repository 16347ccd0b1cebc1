/*
 * buffer - fixed-size blocks from a per-process pool, and chains of blocks.
 *
 * Both processes. A connection takes a block when bytes arrive and returns the
 * block when idle: an idle connection holds no memory. The pool has a cap. At
 * the cap buffer_get() returns NULL, and the caller refuses or stops reading.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <sys/uio.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One read's worth: more than most bodies need. The size is no multiple of a
 * page. Else the blocks' first bytes, the busiest ones, would compete for the
 * same few cache sets. */
#define BUFFER_BYTES 66560 /* 65 KiB */

/* Free space in front of the bytes of a read. A forwarded message gets a new
 * head in place of the old one, in one piece with the body. The new head is
 * longer by the fields that a proxy adds. */
#define BUFFER_AHEAD 1024

struct buffer {
	struct slab *home;   /* the pool list that the block returns to */
	struct buffer *next; /* in a chain */
	uint32_t start;      /* first unconsumed byte */
	uint32_t end;        /* first free byte */
	alignas(max_align_t) char data[BUFFER_BYTES];
};

struct buffer_pool;
struct slab;

/* max: blocks in use at once. NULL with ENOMEM. */
struct buffer_pool *buffer_pool_new(size_t max);
void buffer_pool_free(struct buffer_pool *pool);
/* Blocks in use now. */
size_t buffer_pool_used(const struct buffer_pool *pool);
/* Frees the blocks that were not needed since the last call. */
void buffer_pool_trim(struct buffer_pool *pool);

/* An empty block, or NULL at the cap or out of memory. */
struct buffer *buffer_get(struct buffer_pool *pool);
/* A block for one read, to be emptied soon; the bytes begin at BUFFER_AHEAD.
 * Blocks for reading have a list of their own, last in, first out. The block is
 * still in the CPU cache, however many other blocks were returned meanwhile. */
struct buffer *buffer_get_to_read(struct buffer_pool *pool);
/* Returns a block to the pool; NULL has no effect. */
void buffer_put(struct buffer_pool *pool, struct buffer *b);

/* Moves the unconsumed bytes to the start of the block. */
void buffer_compact(struct buffer *b);

static inline size_t
buffer_len(const struct buffer *b)
{
	return b->end - b->start;
}

static inline size_t
buffer_room(const struct buffer *b)
{
	return BUFFER_BYTES - b->end;
}

/* The block as memory for one object; bytes is at most BUFFER_BYTES. */
static inline void *
buffer_object(struct buffer *b, size_t bytes)
{
	b->end = (uint32_t)bytes;
	return b->data;
}

/* A queue of bytes waiting to be written. */
struct buffer_chain {
	struct buffer *head;
	struct buffer *tail;
	size_t bytes;
};

/* Appends a copy. -1 with ENOBUFS when the pool has no block. A part may have
 * been appended: the owner of the chain has to give up. */
int buffer_chain_add(struct buffer_chain *chain, struct buffer_pool *pool,
    const void *data, size_t len);
/* Up to max pieces from the front; returns how many. */
int buffer_chain_iov(
    const struct buffer_chain *chain, struct iovec *iov, int max);
void buffer_chain_consume(
    struct buffer_chain *chain, struct buffer_pool *pool, size_t len);
void buffer_chain_clear(struct buffer_chain *chain, struct buffer_pool *pool);

#endif
