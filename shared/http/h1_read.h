/*
 * h1_read - a connection's requests: reads and checks them, and hands head
 * and body to the owner, or a tunnel's bytes.
 */
#ifndef H1_READ_H
#define H1_READ_H

#include "stream_end.h"

struct h1;

/* Reads until the connection has to wait for client or owner. */
void h1_pump(struct h1 *s);
/* Sends a response of the connection's own, and closes; why is the reason for
 * the log. A client that can't be answered is closed at once, so the owner ends
 * its part before any other work. */
void h1_refuse(
    struct h1 *s, enum stream_end why, unsigned status, const char *what);

#endif
