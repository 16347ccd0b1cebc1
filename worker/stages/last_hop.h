/*
 * last_hop - the stage that answers requests meant for the gateway. These are
 * OPTIONS and TRACE whose Max-Forwards is 0, and `OPTIONS *` without a route.
 * Worker only.
 *
 * OPTIONS is answered with Allow. TRACE is answered with the request as it
 * came, less the fields that may hold secrets (RFC 9110 sections 7.6.2, 9.3.7,
 * 9.3.8).
 *
 * A request to a service whose Via names this program eight times gets a 508
 * (RFC 5842 section 7.2): the service leads back here, over hosts that no
 * configuration shows.
 */
#ifndef LAST_HOP_H
#define LAST_HOP_H

#include "chain.h"

extern const struct stage last_hop_stage;

#endif
