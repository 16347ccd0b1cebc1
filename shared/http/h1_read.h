/*
 * h1_read - a connection's requests: reads and checks them, and hands head
 * and body to the owner, or a tunnel's bytes.
 */
#ifndef H1_READ_H
#define H1_READ_H

#include "stream_end.h"

struct h1;

/* Reads, until it has to wait for somebody. */
void h1_pump(struct h1 *s);
/* Answers by itself, and closes: why, for the books. A client that can't be
 * answered any more is closed at once, so the owner ends its part before
 * anything else is done for it. */
void h1_refuse(
    struct h1 *s, enum stream_end why, unsigned status, const char *what);

#endif
