/*
 * escape - how a character of a client's text stands in a line of the access
 * log. Worker only. Pure.
 *
 * As text, a byte is printable ASCII, or \xHH. In JSON, a character is valid
 * UTF-8 and no control character; an invalid byte becomes U+FFFD.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* The replacement of a character. */
struct escape {
	size_t from_len; /* bytes of the character */
	size_t len;
	char text[8];
};

/* The byte stands for itself, as text and in JSON. */
static inline bool
escape_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Of the character at s, a string that is not empty. */
struct escape escape_of(const unsigned char *s, bool json);

#endif
