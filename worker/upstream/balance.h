/*
 * balance - the choice of an endpoint for the next request. Pure; worker only.
 *
 * round_robin      in turn, as often as the weight says, and as evenly spread
 *                  as can be (nginx's smooth weighted round robin).
 * least_conn       the fewest requests in flight on the whole host, relative to
 *                  the weight. Equals take turns, as above.
 * random_two       of two endpoints drawn by weight, the endpoint with fewer
 *                  requests, relative to the weight (Mitzenmacher 2001).
 * ip_hash, consistent_hash
 *                  the place of the key on the ring
 *
 * An endpoint of weight 0 is drained: no policy picks it. A full endpoint is
 * passed over by every policy, also by key (bounded loads). An unusable
 * endpoint (ejected, failing its checks) is passed over as long as another
 * remains. A retry passes over the endpoint of the last failure likewise. When
 * none is usable, all are: trying is better than refusing (Envoy's panic mode).
 * A usable endpoint without room is better than an unusable endpoint with room:
 * the request waits.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "hash_ring.h"

/* balance_weight() of weight 1. */
#define BALANCE_WEIGHT 100

struct balance_candidate {
	bool usable;
	bool full;       /* no room for another request */
	bool avoid;      /* just failed for this request */
	uint32_t weight; /* of balance_weight() */
	uint32_t load;   /* requests in flight: least_conn, random_two */
	int64_t *credit; /* memory of the policy, owned by the candidate; 0 at
			    first */
};

/* The basis of one decision. */
struct balance_by {
	enum config_policy policy;
	/* ip_hash and consistent_hash; members are the candidates' indices. An
	 * empty ring: in turn. */
	const struct hash_ring *ring;
	uint64_t hash;
};

/* A service's memory. */
struct balance {
	unsigned first;  /* the first turn: any value */
	uint64_t random; /* state of the generator: any value */
};

/* An index below count; -1 when no candidate has a weight, or when all
 * candidates in question are full. */
int balance_pick(struct balance *b, const struct balance_by *by,
    const struct balance_candidate *candidates, size_t count);

/*
 * weight times BALANCE_WEIGHT. Less for an endpoint that came or came back at
 * since_us (0: always there): a tenth at first, growing with time to the whole
 * after slow_start_us.
 */
uint32_t balance_weight(unsigned weight, uint64_t since_us,
    uint64_t slow_start_us, uint64_t now_us);

#endif
