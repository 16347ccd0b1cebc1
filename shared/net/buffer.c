#include "buffer.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "slab.h"

#define TRIM_BYTES ((size_t)1024 * 1024)

struct buffer_pool {
	struct slab kept;
	struct slab read;
	size_t used;
	size_t max;
};

struct buffer_pool *
buffer_pool_new(size_t max)
{
	struct buffer_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	slab_init(&pool->kept, sizeof(struct buffer));
	slab_init(&pool->read, sizeof(struct buffer));
	pool->max = max;
	return pool;
}

void
buffer_pool_free(struct buffer_pool *pool)
{
	if (pool == NULL)
		return;
	slab_fini(&pool->kept);
	slab_fini(&pool->read);
	free(pool);
}

size_t
buffer_pool_used(const struct buffer_pool *pool)
{
	return pool->used;
}

static struct buffer *
get(struct buffer_pool *pool, struct slab *slab)
{
	struct buffer *b;

	if (pool->used >= pool->max)
		return NULL;
	b = slab_get(slab);
	if (b == NULL)
		return NULL;
	pool->used++;
	b->home = slab;
	b->next = NULL;
	b->start = 0;
	b->end = 0;
	return b;
}

struct buffer *
buffer_get(struct buffer_pool *pool)
{
	return get(pool, &pool->kept);
}

struct buffer *
buffer_get_to_read(struct buffer_pool *pool)
{
	struct buffer *b = get(pool, &pool->read);

	if (b != NULL)
		b->start = b->end = BUFFER_AHEAD;
	return b;
}

void
buffer_put(struct buffer_pool *pool, struct buffer *b)
{
	if (b == NULL)
		return;
	pool->used--;
	slab_put(b->home, b);
}

static size_t
free_blocks(const struct buffer_pool *pool)
{
	return pool->kept.free_count + pool->read.free_count;
}

void
buffer_pool_trim(struct buffer_pool *pool)
{
	size_t before = free_blocks(pool);

	slab_trim(&pool->kept);
	slab_trim(&pool->read);
	/* Freed blocks lie scattered over the heap; malloc alone returns only
	 * memory at the end of the heap. */
	if ((before - free_blocks(pool)) * sizeof(struct buffer) >= TRIM_BYTES)
		malloc_trim(0);
}

void
buffer_compact(struct buffer *b)
{
	size_t len = buffer_len(b);

	if (b->start == 0)
		return;
	memmove(b->data, b->data + b->start, len);
	b->start = 0;
	b->end = (uint32_t)len;
}

int
buffer_chain_add(struct buffer_chain *chain, struct buffer_pool *pool,
    const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		struct buffer *b = chain->tail;
		size_t n;

		if (b == NULL || buffer_room(b) == 0) {
			b = buffer_get(pool);
			if (b == NULL) {
				errno = ENOBUFS;
				return -1;
			}
			if (chain->tail != NULL)
				chain->tail->next = b;
			else
				chain->head = b;
			chain->tail = b;
		}
		n = buffer_room(b) < len ? buffer_room(b) : len;
		memcpy(b->data + b->end, at, n);
		b->end += (uint32_t)n;
		chain->bytes += n;
		at += n;
		len -= n;
	}
	return 0;
}

int
buffer_chain_iov(const struct buffer_chain *chain, struct iovec *iov, int max)
{
	int count = 0;

	for (struct buffer *b = chain->head; b != NULL && count < max;
	    b = b->next) {
		iov[count].iov_base = b->data + b->start;
		iov[count].iov_len = buffer_len(b);
		count++;
	}
	return count;
}

void
buffer_chain_consume(
    struct buffer_chain *chain, struct buffer_pool *pool, size_t len)
{
	chain->bytes -= len;
	while (chain->head != NULL && len >= buffer_len(chain->head)) {
		struct buffer *b = chain->head;

		len -= buffer_len(b);
		chain->head = b->next;
		if (chain->head == NULL)
			chain->tail = NULL;
		buffer_put(pool, b);
	}
	if (chain->head != NULL)
		chain->head->start += (uint32_t)len;
}

void
buffer_chain_clear(struct buffer_chain *chain, struct buffer_pool *pool)
{
	buffer_chain_consume(chain, pool, chain->bytes);
}
