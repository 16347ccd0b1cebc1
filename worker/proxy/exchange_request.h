/*
 * exchange_request - the request's side of an exchange: how a request leaves on
 * a connection. Part of exchange_state.h.
 */
#ifndef EXCHANGE_REQUEST_H
#define EXCHANGE_REQUEST_H

#include "exchange_state.h"

/* Takes the request's block and writes the head for every try. -1 with ENOMEM,
 * or EMSGSIZE for a head that is too long. */
int exchange_request_build(struct exchange *x);
/* The request leaves on a newly usable connection. -1: the connection is lost,
 * or memory is short (up->back.error). */
int exchange_request_send(struct exchange *x);
/* Asks for the next piece of the body, if the pump is open. */
void exchange_request_ask(struct exchange *x);
/* 100 Continue has come, or not come in time: the body may flow. */
void exchange_request_go_on(struct exchange *x);
/* A piece of the body, or of a tunnel's bytes. */
void exchange_request_on_piece(
    struct exchange *x, const struct stream_piece *piece);

#endif
