/*
 * h1_deadline - the one deadline of a connection: for what it waits now, and
 * until when. h1.c acts on one that has passed.
 */
#ifndef H1_DEADLINE_H
#define H1_DEADLINE_H

#include <stdint.h>

#include "stream_end.h"

struct h1;

/* When the present wait ends, and the reason to close then; UINT64_MAX, without
 * a reason: never. An unpolled connection with a request in hand has one that
 * has no reason either: it is to be polled. */
uint64_t h1_deadline(const struct h1 *s, enum stream_end *reason);
/* Sets the timer to it. */
void h1_set_deadline(struct h1 *s);
/* The same after something changed; one that has to wait for its client is
 * polled from then on. */
void h1_update_deadline(struct h1 *s);
/* From now on the loop tells of the client. */
void h1_start_polling(struct h1 *s);
/* What is left of a write has to leave in time. */
void h1_note_backlog(struct h1 *s);

#endif
