/*
 * buffer - fixed-size blocks from a per-process pool, and chains of them.
 *
 * Both processes. A block is taken when bytes arrive and goes back when its
 * connection is idle, so an idle connection holds none. The pool has a cap;
 * at the cap buffer_get() says no and the caller refuses or stops reading.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <sys/uio.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One read's worth. Beyond what most bodies need in one go, and not a multiple
 * of the page's size: the blocks' first bytes, which are the busy ones, would
 * compete for the same few sets of the cache. */
#define BUFFER_BYTES 66560 /* 65 KiB */

/* What a block to read into leaves free before that: a message that is passed
 * on gets its new head there, and is one piece with its body. That head is
 * longer than the one in whose place it comes by what a proxy adds. */
#define BUFFER_AHEAD 1024

struct buffer {
	struct slab *home;   /* where it goes back to */
	struct buffer *next; /* in a chain */
	uint32_t start;      /* first byte that was not yet consumed */
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
/* Gives the system back what nobody has needed since the last call. */
void buffer_pool_trim(struct buffer_pool *pool);

/* An empty block, or NULL at the cap or out of memory. */
struct buffer *buffer_get(struct buffer_pool *pool);
/* The same, to be filled by one read, behind BUFFER_AHEAD, and emptied soon. It
 * is the one of these that was last given back, and so is still in the cache,
 * whatever was kept elsewhere meanwhile. */
struct buffer *buffer_get_to_read(struct buffer_pool *pool);
/* Gives it back; NULL is left alone. */
void buffer_put(struct buffer_pool *pool, struct buffer *b);

/* Moves what was not consumed to the block's start. */
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

/* The block as the memory of one object, of bytes at most its size. */
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

/* Appends a copy. -1 with ENOBUFS when the pool says no; then a part may have
 * been appended and the chain's owner has to give up. */
int buffer_chain_add(struct buffer_chain *chain, struct buffer_pool *pool,
    const void *data, size_t len);
/* Up to max pieces from the front; returns how many. */
int buffer_chain_iov(
    const struct buffer_chain *chain, struct iovec *iov, int max);
void buffer_chain_consume(
    struct buffer_chain *chain, struct buffer_pool *pool, size_t len);
void buffer_chain_clear(struct buffer_chain *chain, struct buffer_pool *pool);

#endif
