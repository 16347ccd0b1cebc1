/*
 * slice - a run of bytes inside a buffer that somebody else owns. Pure.
 *
 * A slice is valid as long as the buffer holds those bytes; each function that
 * gives one says until when.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "octet.h"

struct slice {
	const char *at; /* NULL: not there */
	size_t len;
};

/* Whether s is text, which is in lower case, but for the case of ASCII's
 * letters. */
static inline bool
slice_is(struct slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && octet_same(s.at, text, len);
}

#endif
