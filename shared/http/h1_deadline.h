/*
 * h1_deadline - the single deadline of a connection. A deadline is the awaited
 * event, and until when. h1.c acts when the deadline passes.
 */
#ifndef H1_DEADLINE_H
#define H1_DEADLINE_H

#include <stdint.h>

#include "stream_end.h"

struct h1;

/* The end of the present wait, and the reason to close then. UINT64_MAX,
 * without a reason: never. An unpolled connection with a request in hand has a
 * deadline without a reason: polling starts then. */
uint64_t h1_deadline(const struct h1 *s, enum stream_end *reason);
/* Sets the timer to the deadline. */
void h1_set_deadline(struct h1 *s);
/* The same after a change. A connection that waits for its client is polled
 * from then on. */
void h1_update_deadline(struct h1 *s);
/* From now on the loop reports the client's events. */
void h1_start_polling(struct h1 *s);
/* The rest of a write has to leave in time. */
void h1_note_backlog(struct h1 *s);

#endif
