/*
 * client - the connections of a worker's clients, and for each of them the
 * request in hand. Worker only.
 *
 * A connection's events are passed on to request.h. At most client.connections
 * are open; a new connection takes the place of an idle one.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "request.h"

struct clients;

/* requests outlives the clients. NULL with ENOMEM. */
struct clients *clients_new(struct runtime *rt, struct requests *requests);
/* Closes all connections. */
void clients_free(struct clients *clients);
unsigned clients_count(const struct clients *clients);
/* Takes over an accepted descriptor; without a free place closes the
 * descriptor. */
void clients_accept(
    struct clients *clients, int fd, const struct sock_addr *peer);
/* Every response from now on is a connection's last; idle connections close. */
void clients_drain(struct clients *clients);

#endif
