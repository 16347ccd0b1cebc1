/*
 * h1_departure - whether a client that has ended its side of the connection
 * still asks for another answer. Part of h1_state.h.
 *
 * The end of a side (a FIN) comes behind all of the client's bytes. Bytes that
 * are not read yet may end the request in hand, or be a pipelined request. A
 * client that has closed and a client that has shut down its sending side alone
 * look the same.
 */
#ifndef H1_DEPARTURE_H
#define H1_DEPARTURE_H

#include "h1_state.h"

/* With a request in hand, after the client's end: true when no whole request is
 * behind the one in hand. A request whose body can never be whole is the last,
 * too. */
bool h1_departure_is_final(const struct h1 *s);

#endif
