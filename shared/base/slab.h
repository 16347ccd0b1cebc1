/*
 * slab - objects of one size, kept for reuse (after Bonwick 1994, without its
 * constructors): what each request needs one of costs no search for memory.
 *
 * Both processes. Objects come from malloc(3) one by one, and those that nobody
 * has needed for a while go back there.
 */
#ifndef SLAB_H
#define SLAB_H

#include <stddef.h>

struct slab {
	size_t bytes; /* of an object, a pointer's at least */
	void *free;   /* a list, by the first pointer in each */
	size_t free_count;
	size_t free_min; /* since the last trim */
};

void slab_init(struct slab *slab, size_t bytes);
/* Frees what is kept; whoever has an object still has it. */
void slab_fini(struct slab *slab);

/* Memory for one, not cleared; NULL with ENOMEM. */
void *slab_get(struct slab *slab);
/* Gives it back; NULL is left alone. */
void slab_put(struct slab *slab, void *object);
/* Frees what nobody has needed since the last call. */
void slab_trim(struct slab *slab);

#endif
