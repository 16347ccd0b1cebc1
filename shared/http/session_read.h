/*
 * session_read - a session's requests: reads and checks them, and hands head
 * and body to the owner, or a tunnel's bytes.
 */
#ifndef SESSION_READ_H
#define SESSION_READ_H

#include "session_close.h"

struct session;

/* Reads, until it has to wait for somebody. */
void session_pump(struct session *s);
/* Answers by itself, and closes: why, for the books. A client that can't be
 * answered any more is closed at once, so the owner ends its part before
 * anything else is done for it. */
void session_refuse(struct session *s, enum session_close why, unsigned status,
    const char *what);

#endif
