/*
 * acceptor - the source of a worker's connections. Worker only.
 *
 * Each worker has a SO_REUSEPORT listener of its own and polls the neighbours'
 * too, with EPOLLEXCLUSIVE. The kernel's hash picks listener k. The listener's
 * wait queue wakes its first member, worker k, or the next worker when k is not
 * polling. Connections thus flow around a worker that is stalled, starting or
 * dead, and no process has to notice first.
 *
 * The order in the wait queues is the order of registering, hence the steps. A
 * worker registers its own listener, says READY, waits at the barrier, and
 * registers the neighbours' listeners in rotation. After a fork, the other
 * workers leave the newcomer's queue and enter again, behind the newcomer.
 * EPOLLEXCLUSIVE forbids EPOLL_CTL_MOD.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "runtime.h"
#include "worker_boot.h"

struct clients;

/* Registers the worker's own listeners, for connections that go to clients.
 * boot outlives the acceptor. NULL with errno. */
struct acceptor *acceptor_new(struct runtime *rt,
    const struct worker_boot *boot, struct clients *clients);
void acceptor_free(struct acceptor *a);
/* The barrier: stands in for the neighbours from now on. */
void acceptor_join(struct acceptor *a);
/* The slot's worker was forked anew. */
void acceptor_rejoin(struct acceptor *a, unsigned slot);
/*
 * Each tick: accepts the connections of neighbours that have been busy for over
 * 10 ms. A rescue closes the last hole: a worker that was woken for a listener
 * and then blocked before accepting.
 */
void acceptor_rescue(struct acceptor *a);
/* Connections whose PROXY protocol header has not come: no clients yet. */
unsigned acceptor_pending(const struct acceptor *a);
/* Accepts from the own listeners' queues; true: at least one connection
 * came. */
bool acceptor_sweep(struct acceptor *a);

#endif
