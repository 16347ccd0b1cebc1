/*
 * slice - a run of bytes inside a buffer of another owner. Pure.
 *
 * A slice is valid as long as the buffer holds the bytes. Each function that
 * returns a slice says until when.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "octet.h"

struct slice {
	const char *at; /* NULL: absent */
	size_t len;
};

/* True when s is text, whatever the case of ASCII letters in s. text must be in
 * lower case. */
static inline bool
slice_is(struct slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && octet_same(s.at, text, len);
}

#endif
