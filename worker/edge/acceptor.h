/*
 * acceptor - where a worker's connections come from. Worker only.
 *
 * Each worker has a SO_REUSEPORT listener of its own and polls the others'
 * too, with EPOLLEXCLUSIVE. The kernel's hash picks listener k; its wait queue
 * wakes worker k, who stands first in it, and the next one only when k is not
 * polling. So connections flow around a worker that is stalled, starting or
 * dead, and nobody has to notice first.
 *
 * The order in the wait queues is the order of registering, hence the steps:
 * own listener, READY, a barrier, then the neighbours' in rotation. When a
 * worker was forked anew the others leave its queue and enter it again, behind
 * it (EPOLLEXCLUSIVE forbids EPOLL_CTL_MOD).
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "runtime.h"
#include "worker_boot.h"

struct clients;

/* Registers the worker's own listeners, for connections that go to clients.
 * boot outlives it. NULL with errno. */
struct acceptor *acceptor_new(struct runtime *rt,
    const struct worker_boot *boot, struct clients *clients);
void acceptor_free(struct acceptor *a);
/* The barrier: stands in for the neighbours from now on. */
void acceptor_join(struct acceptor *a);
/* The worker of that slot was forked anew. */
void acceptor_rejoin(struct acceptor *a, unsigned slot);
/*
 * Each tick: takes what waits for neighbours that have been busy for over
 * 10 ms. This closes the one hole left, a worker that was woken for a listener
 * and then blocked before it accepted.
 */
void acceptor_rescue(struct acceptor *a);
/* Takes what waits on the own listeners; true if there was something. */
bool acceptor_sweep(struct acceptor *a);

#endif
