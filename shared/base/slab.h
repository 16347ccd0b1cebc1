/*
 * slab - objects of one size, kept for reuse (after Bonwick 1994, without
 * constructors). Objects that each request needs cost no search for memory.
 *
 * Both processes. Objects come from malloc(3) one by one, and are freed after a
 * while without use.
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
/* Frees the kept objects; objects in use stay valid. */
void slab_fini(struct slab *slab);

/* Memory for an object, not cleared; NULL with ENOMEM. */
void *slab_get(struct slab *slab);
/* Returns an object; NULL has no effect. */
void slab_put(struct slab *slab, void *object);
/* Frees the objects that were not needed since the last call. */
void slab_trim(struct slab *slab);

#endif
