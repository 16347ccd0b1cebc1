/*
 * balance - which endpoint takes the next request. Pure; worker only.
 *
 * round_robin      in turn, each as often as its weight says, and as evenly
 *                  spread as can be (nginx's smooth weighted round robin)
 * least_conn       the fewest requests in flight on the whole host for its
 *                  weight; equals in turn, as above
 * random_two       of two drawn at random by weight, the one with the fewer
 *                  requests for its weight (Mitzenmacher 2001)
 * ip_hash, consistent_hash
 *                  the key's place on the ring
 *
 * An endpoint of weight 0 is drained: no policy picks it. One that is not
 * usable (ejected, failing its checks) is passed over as long as there is
 * another, and so is the one that a retry has just failed on. When none is
 * usable all are: to try is better than to refuse (Envoy's panic mode).
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "hash_ring.h"

/* What balance_weight() makes of weight 1. */
#define BALANCE_WEIGHT 100

struct balance_candidate {
	bool usable;
	bool avoid;      /* just failed for this request */
	uint32_t weight; /* of balance_weight() */
	uint32_t load;   /* requests in flight: least_conn, random_two */
	int64_t *credit; /* its memory, owned by the candidate; 0 at first */
};

/* How to decide this time. */
struct balance_by {
	enum config_policy policy;
	/* ip_hash and consistent_hash; members are the candidates' indices.
	 * An empty one: in turn. */
	const struct hash_ring *ring;
	uint64_t hash;
};

/* A service's memory. */
struct balance {
	unsigned first;  /* whose turn is the first: any value */
	uint64_t random; /* state of the generator: any value */
};

/* An index below count; -1 when there is none with a weight. */
int balance_pick(struct balance *b, const struct balance_by *by,
    const struct balance_candidate *candidates, size_t count);

/*
 * weight times BALANCE_WEIGHT; less for an endpoint that came or came back at
 * since_us (0: was always there): a tenth at first, growing with time to the
 * whole after slow_start_us.
 */
uint32_t balance_weight(unsigned weight, uint64_t since_us,
    uint64_t slow_start_us, uint64_t now_us);

#endif
