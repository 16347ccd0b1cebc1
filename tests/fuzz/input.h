/*
 * input - what libFuzzer hands to a target, and how it arrives.
 *
 * The bytes, then optionally 0xff, a byte of flags and the sizes, less one, of
 * the pieces that the bytes come in, over and over. Without them: no flags, and
 * byte by byte. So a seed without options is plain text.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

/* The function that libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A promise of the tested code; the crash is the report. */
#define MUST(promise)                                                          \
	do {                                                                   \
		if (!(promise)) {                                              \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__,       \
			    __LINE__, #promise);                               \
			abort();                                               \
		}                                                              \
	} while (0)

#define INPUT_MARK 0xff

struct input {
	const uint8_t *data;
	size_t len;
	uint8_t flags;
	const uint8_t *sizes;
	size_t size_count;
	size_t turn; /* how many sizes were used */
};

static inline void
input_init(struct input *in, const uint8_t *data, size_t len)
{
	const uint8_t *mark = len > 0 ? memrchr(data, INPUT_MARK, len) : NULL;
	const uint8_t *end = data + len;

	*in = (struct input){.data = data, .len = len};
	if (mark == NULL)
		return;
	in->len = (size_t)(mark - data);
	if (++mark < end)
		in->flags = *mark++;
	in->sizes = mark;
	in->size_count = (size_t)(end - mark);
}

/* The size of the next piece, at least 1 and at most the rest. */
static inline size_t
input_next(struct input *in, size_t left)
{
	size_t size = 1;

	if (in->size_count > 0)
		size += in->sizes[in->turn++ % in->size_count];
	return size < left ? size : left;
}

/* A copy with ends known to ASan; len may be 0. */
static inline char *
input_copy(const void *data, size_t len)
{
	char *copy = malloc(len);

	MUST(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

/* Only [from, to) of data may be touched now. */
static inline void
input_show(const char *data, size_t len, size_t from, size_t to)
{
	ASAN_UNPOISON_MEMORY_REGION(data, len);
	ASAN_POISON_MEMORY_REGION(data, from);
	ASAN_POISON_MEMORY_REGION(data + to, len - to);
}

static inline void
input_show_all(const char *data, size_t len)
{
	ASAN_UNPOISON_MEMORY_REGION(data, len);
}

#endif
