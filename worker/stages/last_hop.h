/*
 * last_hop - the stage that answers what ends here and not at a backend:
 * OPTIONS and TRACE whose Max-Forwards is 0, and `OPTIONS *` where no route
 * takes it. Worker only.
 *
 * OPTIONS is answered with Allow; TRACE with the request as it came, without
 * what others should not see (RFC 9110 sections 7.6.2, 9.3.7 and 9.3.8).
 */
#ifndef LAST_HOP_H
#define LAST_HOP_H

#include "chain.h"

extern const struct stage last_hop_stage;

#endif
