#include "pipe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Free pipes kept for reuse. */
#define KEEP 64
#define CAPACITY (256 * 1024)

struct pipe_pool {
	struct pipe *free;
	size_t free_count;
	size_t free_min; /* since the last trim */
	size_t used;
	size_t max;
};

struct pipe_pool *
pipe_pool_new(size_t max)
{
	struct pipe_pool *pool = calloc(1, sizeof(*pool));

	if (pool != NULL)
		pool->max = max;
	return pool;
}

static void
close_pipe(struct pipe *p)
{
	close(p->in);
	close(p->out);
	free(p);
}

void
pipe_pool_free(struct pipe_pool *pool)
{
	struct pipe *p;

	if (pool == NULL)
		return;
	while ((p = pool->free) != NULL) {
		pool->free = p->next;
		close_pipe(p);
	}
	free(pool);
}

void
pipe_pool_trim(struct pipe_pool *pool)
{
	for (; pool->free_min > 0; pool->free_min--) {
		struct pipe *p = pool->free;

		pool->free = p->next;
		pool->free_count--;
		close_pipe(p);
	}
	pool->free_min = pool->free_count;
}

static struct pipe *
open_pipe(struct pipe_pool *pool)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int fds[2];

	if (p == NULL)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1) {
		free(p);
		return NULL;
	}
	/* More bytes at a time, within the user's limit (pipe(7)). */
	(void)fcntl(fds[1], F_SETPIPE_SZ, CAPACITY);
	p->pool = pool;
	p->out = fds[0];
	p->in = fds[1];
	return p;
}

struct pipe *
pipe_get(struct pipe_pool *pool)
{
	struct pipe *p = pool->free;

	if (pool->used >= pool->max)
		return NULL;
	if (p != NULL) {
		pool->free = p->next;
		pool->free_count--;
		if (pool->free_count < pool->free_min)
			pool->free_min = pool->free_count;
	} else if ((p = open_pipe(pool)) == NULL) {
		return NULL;
	}
	pool->used++;
	return p;
}

void
pipe_put(struct pipe *p)
{
	struct pipe_pool *pool;

	if (p == NULL)
		return;
	pool = p->pool;
	pool->used--;
	if (p->bytes > 0 || pool->free_count >= KEEP) {
		close_pipe(p);
		return;
	}
	p->next = pool->free;
	pool->free = p;
	pool->free_count++;
}
