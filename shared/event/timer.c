#include "timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* Each idle connection has a timer: 8 bytes more cost 16 bytes of the heap. */
_Static_assert(sizeof(struct timer) <= 40, "a timer has grown");

void
timer_init(struct timer *t, timer_fn *fn, void *arg)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->arg = arg;
}

void
timer_init_early(struct timer *t, timer_fn *fn, void *arg, uint32_t early_us)
{
	timer_init(t, fn, arg);
	t->early_us = early_us;
}

bool
timer_is_pending(const struct timer *t)
{
	return t->index != 0;
}

void
timer_heap_init(struct timer_heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

void
timer_heap_fini(struct timer_heap *heap)
{
	free(heap->items);
	timer_heap_init(heap);
}

static void
place(struct timer_heap *heap, size_t i, struct timer *t)
{
	heap->items[i] = t;
	t->index = (uint32_t)(i + 1);
}

static void
sift_up(struct timer_heap *heap, size_t i)
{
	struct timer *t = heap->items[i];

	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (heap->items[parent]->heap_us <= t->heap_us)
			break;
		place(heap, i, heap->items[parent]);
		i = parent;
	}
	place(heap, i, t);
}

static void
sift_down(struct timer_heap *heap, size_t i)
{
	struct timer *t = heap->items[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && heap->items[child + 1]->heap_us <
						   heap->items[child]->heap_us)
			child++;
		if (t->heap_us <= heap->items[child]->heap_us)
			break;
		place(heap, i, heap->items[child]);
		i = child;
	}
	place(heap, i, t);
}

static int
grow(struct timer_heap *heap)
{
	size_t cap = heap->cap != 0 ? heap->cap * 2 : FIRST_CAP;
	struct timer **items;

	items = reallocarray(heap->items, cap, sizeof(struct timer *));
	if (items == NULL)
		return -1;
	heap->items = items;
	heap->cap = cap;
	return 0;
}

int
timer_heap_set(struct timer_heap *heap, struct timer *t, uint64_t due_us)
{
	if (timer_is_pending(t)) {
		t->due_us = due_us;
		if (due_us < t->heap_us) {
			t->heap_us = due_us;
			sift_up(heap, t->index - 1);
		}
		return 0;
	}
	if (heap->count == heap->cap && grow(heap) == -1)
		return -1;
	t->due_us = due_us;
	t->heap_us = due_us;
	place(heap, heap->count, t);
	heap->count++;
	sift_up(heap, t->index - 1);
	return 0;
}

void
timer_heap_clear(struct timer_heap *heap, struct timer *t)
{
	size_t i;
	struct timer *last;

	if (!timer_is_pending(t))
		return;
	i = t->index - 1;
	t->index = 0;
	heap->count--;
	if (i == heap->count)
		return;
	last = heap->items[heap->count];
	place(heap, i, last);
	sift_up(heap, i);
	sift_down(heap, last->index - 1);
}

uint64_t
timer_heap_next(const struct timer_heap *heap)
{
	return heap->count != 0 ? heap->items[0]->heap_us : UINT64_MAX;
}

struct timer *
timer_heap_pop(struct timer_heap *heap, uint64_t now_us)
{
	while (heap->count != 0) {
		struct timer *t = heap->items[0];
		uint64_t until_us = now_us + t->early_us;

		if (t->heap_us > until_us)
			break;
		if (t->due_us <= until_us) {
			timer_heap_clear(heap, t);
			return t;
		}
		t->heap_us = t->due_us;
		sift_down(heap, 0);
	}
	return NULL;
}
