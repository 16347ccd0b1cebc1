/*
 * pipe - kernel pipes for splice(2), kept for reuse: bytes go from one socket
 * to another by way of a pipe without being copied to this process and back.
 *
 * Both processes. A pipe costs two descriptors, so the pool has a cap; at the
 * cap pipe_get() says no and the caller copies.
 */
#ifndef PIPE_H
#define PIPE_H

#include <stddef.h>

struct pipe_pool;

struct pipe {
	struct pipe_pool *pool;
	struct pipe *next; /* in the pool */
	int in;            /* is written to */
	int out;           /* is read from */
	size_t bytes;      /* inside; whoever moves them counts them */
};

/* max: pipes in use at once. NULL with ENOMEM. */
struct pipe_pool *pipe_pool_new(size_t max);
/* All pipes are back. */
void pipe_pool_free(struct pipe_pool *pool);

/* An empty pipe, non-blocking; NULL at the cap, or when the kernel gives none
 * or memory ends. */
struct pipe *pipe_get(struct pipe_pool *pool);
/* Closes those that nobody has needed since the last call. */
void pipe_pool_trim(struct pipe_pool *pool);
/* Gives it back; with bytes inside it is closed. NULL is left alone. */
void pipe_put(struct pipe *p);

#endif
