/*
 * pipe - kernel pipes for splice(2), kept for reuse. Bytes go from socket to
 * socket without a copy to this process and back.
 *
 * Both processes. A pipe costs two descriptors, hence the cap of the pool. At
 * the cap pipe_get() returns NULL, and the caller copies.
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
	size_t bytes;      /* inside; counted by the user of the pipe */
};

/* max: pipes in use at once. NULL with ENOMEM. */
struct pipe_pool *pipe_pool_new(size_t max);
/* All pipes must be back. */
void pipe_pool_free(struct pipe_pool *pool);

/* An empty pipe, non-blocking; NULL at the cap, or when the kernel gives none
 * or memory ends. */
struct pipe *pipe_get(struct pipe_pool *pool);
/* Closes the pipes that were not needed since the last call. */
void pipe_pool_trim(struct pipe_pool *pool);
/* Returns a pipe; a pipe with bytes inside is closed. NULL has no effect. */
void pipe_put(struct pipe *p);

#endif
