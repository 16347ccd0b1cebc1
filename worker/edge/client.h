/*
 * client - the connections of a worker's clients: their sessions, and for each
 * the request in hand. Worker only.
 *
 * All that a session tells of its request is passed on to request.h. At most
 * client.connections are open; a new one takes the place of one that is idle.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "request.h"

struct clients;

/* requests outlives it. NULL with ENOMEM. */
struct clients *clients_new(struct runtime *rt, struct requests *requests);
/* Closes them all. */
void clients_free(struct clients *clients);
unsigned clients_count(const struct clients *clients);
/* Takes over an accepted descriptor; closes it when there is no room. */
void clients_accept(
    struct clients *clients, int fd, const struct sock_addr *peer);
/* Every response from now on is a connection's last; idle ones close. */
void clients_drain(struct clients *clients);

#endif
