/*
 * fields - the fields of an outgoing message, in order.
 *
 * Both processes. Pure. A message's owner adds fields by name and value. The
 * lines of HTTP/1 are made here and nowhere else. HTTP/2 walks the same lines
 * (head_next_field()) to list names and values.
 *
 * The caller provides the memory. After an overflow every field is dropped and
 * fields_are_full() stays true. An owner adds all fields and asks once. Names
 * are literals; values have one line, checked by their sources.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "head.h"
#include "slice.h"
#include "text.h"

struct fields {
	struct text lines; /* each with its CRLF */
};

/* A field with a constant value. An array ends with a name of NULL. */
struct field {
	const char *name;
	const char *value;
};

static inline void
fields_init(struct fields *f, char *data, size_t cap)
{
	text_init(&f->lines, data, cap);
}

static inline bool
fields_are_full(const struct fields *f)
{
	return text_is_full(&f->lines);
}

/* A line, as an HTTP/1 sender writes it; name and value may be of any length.
 */
static inline void
fields_add_line(struct fields *f, struct slice name, struct slice value)
{
	char *to = text_reserve(&f->lines, name.len + value.len + 4);

	if (to == NULL)
		return;
	memcpy(to, name.at, name.len);
	to += name.len;
	*to++ = ':';
	*to++ = ' ';
	if (value.len != 0)
		memcpy(to, value.at, value.len);
	to += value.len;
	*to++ = '\r';
	*to = '\n';
}

static inline void
fields_add_slice(struct fields *f, const char *name, struct slice value)
{
	fields_add_line(f, (struct slice){name, strlen(name)}, value);
}

static inline void
fields_add(struct fields *f, const char *name, const char *value)
{
	fields_add_slice(f, name, (struct slice){value, strlen(value)});
}

/* All of an array; NULL: none. */
void fields_add_all(struct fields *f, const struct field *array);

/* A value in parts: the text added between open and close. */
static inline struct text *
fields_open(struct fields *f, const char *name)
{
	text_add_str(&f->lines, name);
	text_add(&f->lines, ": ", 2);
	return &f->lines;
}

static inline void
fields_close(struct fields *f)
{
	text_add(&f->lines, "\r\n", 2);
}

static inline void
fields_add_uint(struct fields *f, const char *name, uint64_t value)
{
	text_add_uint(fields_open(f, name), value);
	fields_close(f);
}

/*
 * Received fields, forwarded unchanged. Neighbours leave in one copy, collected
 * as a run. fields_pass() may be called for some of a head's fields, in order;
 * fields_end_run() follows the last call.
 */
struct fields_run {
	const char *at; /* NULL: none */
	const char *end;
};

void fields_pass(
    struct fields *f, struct fields_run *run, const struct head_field *h);

static inline void
fields_end_run(struct fields *f, struct fields_run *run)
{
	if (run->at != NULL)
		text_add(&f->lines, run->at, (size_t)(run->end - run->at));
	run->at = NULL;
}

#endif
