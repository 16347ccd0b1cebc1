/*
 * session_deadline - the one deadline of a session: for what it waits now, and
 * until when. session.c acts on one that has passed.
 */
#ifndef SESSION_DEADLINE_H
#define SESSION_DEADLINE_H

#include <stdint.h>

#include "session_close.h"

struct session;

/* When the present wait ends, and the reason to close then; UINT64_MAX, without
 * a reason: never. An unpolled session with a request in hand has one that has
 * no reason either: it is to be polled. */
uint64_t session_deadline(const struct session *s, enum session_close *reason);
/* Sets the timer to it. */
void session_set_deadline(struct session *s);
/* The same after something changed; one that has to wait for its client is
 * polled from then on. */
void session_update_deadline(struct session *s);
/* From now on the loop tells of the client. */
void session_start_polling(struct session *s);
/* What is left of a write has to leave in time. */
void session_note_backlog(struct session *s);

#endif
