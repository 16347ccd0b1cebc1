/*
 * preamble - accepted connections whose PROXY protocol header has not come
 * whole. Worker only.
 *
 * Each connection of a listener with `proxy_protocol` begins here. The header
 * is read without a byte behind it; then the connection goes on as a client
 * with the address of the header. A connection closes here when its peer is no
 * trusted proxy, when its first bytes are no header, or at
 * client.header_timeout. Such an end is logged, at most once in 10 s, and
 * counts as a refused connection. An end before the first byte, as of a check
 * of the port, is not logged.
 *
 * At most client.connections wait at the same time.
 */
#ifndef PREAMBLE_H
#define PREAMBLE_H

#include "runtime.h"

struct clients;
struct preambles;

/* clients outlives the preambles. NULL with ENOMEM. */
struct preambles *preambles_new(struct runtime *rt, struct clients *clients);
/* Closes all connections. */
void preambles_free(struct preambles *all);
unsigned preambles_count(const struct preambles *all);
/* Takes over an accepted descriptor. */
void preambles_accept(
    struct preambles *all, int fd, const struct sock_addr *peer);

#endif
