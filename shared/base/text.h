/*
 * text - appends to a buffer of fixed size, never beyond the end.
 *
 * Both processes. After an overflow everything appended is dropped and
 * text_is_full() stays true. A caller builds the whole and asks once.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *data;
	size_t len;
	size_t cap;
	bool full;
};

void text_init(struct text *t, char *data, size_t cap);
void text_add_uint(struct text *t, uint64_t n);
void text_add_hex(struct text *t, uint64_t n);
__attribute__((format(printf, 2, 3))) void text_addf(
    struct text *t, const char *fmt, ...);

static inline bool
text_is_full(const struct text *t)
{
	return t->full;
}

/* Where the next len bytes go, which are counted already: one check for several
 * pieces. NULL: no room, and the text is full. */
static inline char *
text_reserve(struct text *t, size_t len)
{
	char *at = t->data + t->len;

	if (t->full || len > t->cap - t->len) {
		t->full = true;
		return NULL;
	}
	t->len += len;
	return at;
}

static inline void
text_add(struct text *t, const void *data, size_t len)
{
	if (t->full || len > t->cap - t->len) {
		t->full = true;
		return;
	}
	if (len != 0)
		memcpy(t->data + t->len, data, len);
	t->len += len;
}

static inline void
text_add_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

#endif
