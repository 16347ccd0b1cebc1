/*
 * fragment - a search for a text in bytes that come in pieces. Pure; worker
 * only.
 */
#ifndef FRAGMENT_H
#define FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>

/* text has at least one byte, and stays the caller's. matched: 0 at first. */
struct fragment {
	const char *text;
	size_t matched; /* bytes of text that end the pieces so far */
};

/* True when the text has come whole, with this piece. */
bool fragment_find(struct fragment *f, const char *data, size_t len);

#endif
