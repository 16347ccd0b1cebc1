/*
 * balance - which endpoint takes the next request. Pure; worker only.
 *
 * round_robin takes turns; least_conn takes the one with the fewest requests
 * in flight on the whole host, ties by turn. An endpoint that is not usable
 * (ejected, failing its checks) is passed over as long as there is another,
 * and so is the one that a retry has just failed on. When none is usable all
 * are: to try is better than to refuse (Envoy calls it panic mode).
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct balance_candidate {
	bool usable;
	bool avoid; /* just failed for this request */
	uint32_t load;
};

/* An index below count, or -1 when count is 0. *turn: this service's memory,
 * any value at first. */
int balance_pick(enum config_policy policy,
    const struct balance_candidate *candidates, size_t count, unsigned *turn);

#endif
