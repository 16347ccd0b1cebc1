#include "slab.h"

#include <stdlib.h>
#include <string.h>

void
slab_init(struct slab *slab, size_t bytes)
{
	memset(slab, 0, sizeof(*slab));
	slab->bytes = bytes;
}

static void *
pop(struct slab *slab)
{
	void *object = slab->free;

	memcpy(&slab->free, object, sizeof(slab->free));
	slab->free_count--;
	return object;
}

void
slab_fini(struct slab *slab)
{
	while (slab->free != NULL)
		free(pop(slab));
}

void *
slab_get(struct slab *slab)
{
	void *object;

	if (slab->free == NULL)
		return malloc(slab->bytes);
	object = pop(slab);
	if (slab->free_count < slab->free_min)
		slab->free_min = slab->free_count;
	return object;
}

void
slab_put(struct slab *slab, void *object)
{
	if (object == NULL)
		return;
	memcpy(object, &slab->free, sizeof(slab->free));
	slab->free = object;
	slab->free_count++;
}

void
slab_trim(struct slab *slab)
{
	for (; slab->free_min > 0; slab->free_min--)
		free(pop(slab));
	slab->free_min = slab->free_count;
}
